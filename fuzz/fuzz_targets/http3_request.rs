//! Any bytes on a request's stream: no panic, nothing kept beyond the bound, the same however they are cut, and no end for
//! h3 within a frame, where it panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serve::parsers::http3_request;

const LIMIT: usize = 4 * 1_024;

fuzz_target!(|input: &[u8]| {
    let whole = http3_request(input, usize::MAX, LIMIT);
    assert!(whole.0.len() <= input.len());
    assert!(!whole.1 || are_whole(&whole.0));
    assert_eq!(whole, http3_request(input, 1, LIMIT));
    assert_eq!(whole, http3_request(input, 7, LIMIT));
});

/// Whether a stream ends where a frame does (RFC 9114 §7.1).
fn are_whole(mut stream: &[u8]) -> bool {
    while !stream.is_empty() {
        let Some(rest) = varint(stream)
            .and_then(|(_, rest)| varint(rest))
            .and_then(|(length, rest)| rest.get(usize::try_from(length).ok()?..))
        else {
            return false;
        };
        stream = rest;
    }
    true
}

/// An integer and what stands behind it (RFC 9000 §16).
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (integer, rest) = bytes.split_at_checked(1 << (bytes.first()? >> 6))?;
    let value = integer.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    Some((value & (u64::MAX >> (66 - 8 * integer.len())), rest))
}
