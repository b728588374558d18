//! A number for each answer that is written down, so that who reports trouble can say which one it was. It tells nothing of anybody:
//! a counter, and what this process has drawn, so that numbers of several nodes and runs are not alike.

use http::{HeaderName, HeaderValue};
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The field that says it.
pub(super) const FIELD: HeaderName = HeaderName::from_static("airclass-trace");

/// The next one.
pub(super) fn next() -> u64 {
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(FIELD.as_str())));
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Sixteen hexadecimal digits.
pub(super) fn value(trace: u64) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 16];
    for (place, digit) in text.iter_mut().rev().enumerate() {
        *digit = DIGITS[usize::try_from(trace >> (4 * place) & 0xf).unwrap_or_default()];
    }
    HeaderValue::from_bytes(&text).expect("digits are a field's value")
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
