//! Any bytes: the look at a file before FFmpeg sees it comes to an end with a verdict, and the same one twice.
#![no_main]

use faults::Fault;
use ingest::prescan::prescan;
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fuzz_target!(|bytes: &[u8]| {
    let verdict = || prescan(&mut Cursor::new(bytes), bytes.len() as u64).map_err(|fault| fault.code());
    assert_eq!(verdict(), verdict());
});
