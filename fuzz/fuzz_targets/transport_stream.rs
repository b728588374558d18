//! Any packets: the analyser of transport streams ends, and does not panic.
#![no_main]

use analyser::{Analyser, PACKET_BYTES};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut analyser = Analyser::new();
    // Packets, whatever the input's first bytes of each are: without it nearly all would be none.
    for part in bytes.chunks(PACKET_BYTES - 1) {
        let mut packet = vec![0x47];
        packet.extend_from_slice(part);
        packet.resize(PACKET_BYTES, 0xff);
        analyser.read(&packet);
    }
    let _ = analyser.report().to_string();
});
