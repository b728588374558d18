//! Any bytes before a connection: no panic, and nothing is read beyond what the header says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serve::parsers::proxy_header::{BINARY_HEAD, MOST_BINARY, SIGNATURE_LENGTH, Version, binary, binary_length, text, version};

fuzz_target!(|input: &[u8]| {
    let Some(first) = input.first_chunk::<SIGNATURE_LENGTH>() else { return };
    match version(first) {
        Err(_) => {}
        Ok(Version::Text) => {
            let _ = text(input);
        }
        Ok(Version::Binary) => {
            let Some((head, rest)) = input.split_first_chunk::<BINARY_HEAD>() else { return };
            if let Ok(length) = binary_length(head) {
                assert!(length <= MOST_BINARY);
                let _ = binary(head, &rest[..length.min(rest.len())]);
            }
        }
    }
});
