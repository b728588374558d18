//! A number for each answer that is written down, so that who reports trouble can say which one it was. It tells nothing of anybody:
//! a counter of each core's own, from what it has drawn, so that numbers of several cores, nodes and runs are not alike.

use http::{HeaderMap, HeaderName, HeaderValue};
use serve::ReadyFields;
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

/// Fields among which the place for it is, where there is one: behind Age and Cache-Status.
const AMONG: usize = 3;

/// Says it. A place that was kept for it ([`keep_place`]) is found without the hash of its name, which takes a tenth of what a line
/// costs.
pub(super) fn tell(trace: u64, headers: &mut HeaderMap) {
    match headers.iter_mut().take(AMONG).find(|(name, value)| **name == FIELD && value.is_empty()) {
        Some((_, place)) => *place = value(trace),
        None => drop(headers.insert(FIELD, value(trace))),
    }
}

/// Says it among fields that are ready to be sent.
pub(super) fn tell_ready(trace: u64, ready: &mut ReadyFields) {
    let digits = accesslog::digits(trace);
    ready.say(&FIELD, |text| text.extend(digits.map(char::from)));
}

/// Whether `name` is the field's.
pub(crate) fn is_said_by(name: &HeaderName) -> bool {
    *name == FIELD
}

/// Keeps a place for it among fields that are copied for each answer: a copy has no room for one more.
pub(crate) fn keep_place(headers: &mut HeaderMap) {
    headers.insert(FIELD, HeaderValue::from_static(""));
}

/// Sixteen hexadecimal digits.
fn value(trace: u64) -> HeaderValue {
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

    #[test]
    fn an_answer_says_one_number_whether_or_not_a_place_was_kept() {
        for (before, kept) in [(0, false), (2, true), (7, true)] {
            let mut headers = HeaderMap::new();
            for number in 0..before {
                let name = HeaderName::try_from(format!("x-{number}")).unwrap();
                headers.insert(name, HeaderValue::from_static("a"));
            }
            if kept {
                keep_place(&mut headers);
            }
            // As a parent's answer that had some.
            if !kept {
                headers.append(FIELD, value(1));
                headers.append(FIELD, value(2));
            }
            tell(0xab, &mut headers);
            let said: Vec<_> = headers.get_all(FIELD).iter().collect();
            assert_eq!(said, ["00000000000000ab"], "{before} {kept}");
            assert_eq!(headers.len(), before + 1, "{before} {kept}");
        }
    }
}
