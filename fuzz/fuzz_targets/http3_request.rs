//! Any bytes on a request's stream: no panic, nothing kept beyond the bound, and the same however they are cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serve::parsers::http3_request;

const LIMIT: usize = 4 * 1_024;

fuzz_target!(|input: &[u8]| {
    let whole = http3_request(input, usize::MAX, LIMIT);
    assert!(whole.len() <= input.len());
    assert_eq!(whole, http3_request(input, 1, LIMIT));
    assert_eq!(whole, http3_request(input, 7, LIMIT));
});
