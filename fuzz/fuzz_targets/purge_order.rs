//! Any bytes: an envelope and the order in it are read or refused, and what was read is written so that it is read as the
//! same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use purge::{Order, Signed};

fuzz_target!(|bytes: &[u8]| {
    if let Some(signed) = Signed::parse(bytes) {
        assert_eq!(Signed::parse(&signed.to_bytes()), Some(signed.clone()));
        let _ = Order::parse(&signed.order);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(order) = Order::parse(text) {
        assert_eq!(Order::parse(&order.to_text()), Some(order));
    }
});
