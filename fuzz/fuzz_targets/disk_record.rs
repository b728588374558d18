//! Any bytes: what is read as a record or a footer of the disk store is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| diskstore::fuzzing::record(bytes));
