//! A number for each answer that is written down, so that who reports trouble can say which one it was. It tells nothing of anybody:
//! a counter of each core's own, from what it has drawn, so that numbers of several cores, nodes and runs are not alike.

use http::{HeaderName, HeaderValue};
use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

/// The field that says it.
pub(crate) const FIELD: HeaderName = HeaderName::from_static("airclass-trace");

/// The next one.
pub(super) fn next() -> u64 {
    thread_local! {
        static NEXT: Cell<u64> = Cell::new(RandomState::new().hash_one(FIELD.as_str()));
    }
    NEXT.replace(NEXT.get().wrapping_add(1))
}

/// Sixteen hexadecimal digits.
pub(super) fn value(trace: u64) -> HeaderValue {
    HeaderValue::from_bytes(&accesslog::digits(trace)).expect("digits are a field's value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_log_has_them_and_differ() {
        assert_eq!(value(0xab_cdef), "0000000000abcdef");
        assert_eq!(value(u64::MAX), "ffffffffffffffff");
        assert_ne!(next(), next());
    }
}
