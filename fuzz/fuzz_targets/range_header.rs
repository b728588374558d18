//! Any Range field and any length: a part lies within the representation and is not empty.
#![no_main]

use http::HeaderValue;
use httpcache::range::{Requested, content_range, resolve};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, &[u8])| {
    let (length, field) = input;
    let Ok(field) = HeaderValue::from_bytes(field) else { return };
    if let Requested::Part(part) = resolve(Some(&field), length) {
        assert!(part.start < part.end && part.end <= length);
        let _ = content_range(&part, length);
    }
});
