//! Which part of a representation a request asks for (RFC 9110 §14).
//!
//! One part is answered, or the whole. `multipart/byteranges` is never made: no player asks for it, and it is the
//! known way to make a server send a body many times over. Several ranges that lie together are answered as the one
//! part they make (§15.3.7.2 permits it); others are ignored, as §14.2 permits.

use crate::fields::trimmed;
use http::HeaderValue;
use smallvec::SmallVec;
use std::ops::Range;

/// The most ranges looked at in one request.
const MAX_RANGES: usize = 16;
/// Ranges this near to each other are one: a part of its own costs about as much in its own header (§15.3.7.2).
const MAX_GAP: u64 = 80;

/// No Content-Range of ours is longer.
const LONGEST_CONTENT_RANGE: &str = "bytes 18446744073709551615-18446744073709551615/18446744073709551615";

/// One range is what players ask for, and takes no memory.
type Few<T> = SmallVec<[T; 1]>;

/// What a Range field asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// Everything: no Range, one that is not understood, or one that is not worth honouring.
    Whole,
    /// 206 with these bytes: not empty, within the length.
    Part(Range<u64>),
    /// 416: nothing of what it asks for is there.
    Unsatisfiable,
}

/// Reads a Range field for a representation of `length` bytes. For GET only: other methods ignore Range (§14.2).
pub fn resolve(header: Option<&HeaderValue>, length: u64) -> Requested {
    let Some(specs) = header.and_then(parse) else { return Requested::Whole };
    let parts = specs.iter().filter_map(|spec| spec.within(length)).collect();
    match coalesce(parts) {
        Coalesced::Nothing if length == 0 && specs.iter().any(Spec::is_suffix) => Requested::Whole,
        Coalesced::Nothing => Requested::Unsatisfiable,
        Coalesced::One(part) => Requested::Part(part),
        Coalesced::Many => Requested::Whole,
    }
}

/// `Content-Range` of a 206 (§14.4).
///
/// # Panics
/// Never for a part that [`resolve`] gave.
pub fn content_range(part: &Range<u64>, length: u64) -> HeaderValue {
    // Without `fmt`, which costs many times as much: players ask for parts all day.
    let (mut text, mut end) = ([0; LONGEST_CONTENT_RANGE.len()], 0);
    let mut add = |piece: &str| {
        text[end..][..piece.len()].copy_from_slice(piece.as_bytes());
        end += piece.len();
    };
    for (before, number) in [("bytes ", part.start), ("-", part.end.saturating_sub(1)), ("/", length)] {
        add(before);
        add(itoa::Buffer::new().format(number));
    }
    HeaderValue::from_bytes(&text[..end]).expect("digits and punctuation are a valid field value")
}

/// `Content-Range` of a 416: how long it really is (§15.5.17).
pub fn unsatisfied_range(length: u64) -> HeaderValue {
    ascii(format!("bytes */{length}"))
}

fn ascii(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("digits and punctuation are a valid field value")
}

/// The one range that a Range field asks for; `None` for none, for several, and for what is not understood.
pub fn single(header: &HeaderValue) -> Option<Spec> {
    match parse(header)?[..] {
        [spec] => Some(spec),
        _ => None,
    }
}

/// The one part that a Range field asks for whatever the length: one range, or several from first to last byte that lie together.
/// `None` as with [`single`], and where they lie apart.
pub fn together(header: &HeaderValue) -> Option<Spec> {
    let specs = parse(header)?;
    if let [spec] = specs[..] {
        return Some(spec);
    }
    let bounded = |spec: &Spec| match *spec {
        Spec::From { first, last: Some(last) } => Some(first..last.saturating_add(1)),
        _ => None,
    };
    match coalesce(specs.iter().map(bounded).collect::<Option<_>>()?) {
        // Empty at the end of all numbers, where no byte is.
        Coalesced::One(part) if !part.is_empty() => {
            Some(Spec::From { first: part.start, last: Some(part.end - 1) })
        }
        _ => None,
    }
}

/// A Range field for these bytes; they must not be empty.
pub fn request(bytes: &Range<u64>) -> HeaderValue {
    ascii(format!("bytes={}-{}", bytes.start, bytes.end.saturating_sub(1)))
}

/// A Range field for the last `count` bytes.
pub fn request_suffix(count: u64) -> HeaderValue {
    ascii(format!("bytes=-{count}"))
}

/// One range as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spec {
    /// `first-` or `first-last`, last included.
    From {
        /// The first byte.
        first: u64,
        /// The last byte; `None` for all there are.
        last: Option<u64>,
    },
    /// `-count`: the last bytes.
    Suffix(u64),
}

impl Spec {
    fn is_suffix(&self) -> bool {
        matches!(self, Self::Suffix(1..))
    }

    /// The bytes it means of `length`; `None` when there are none (§14.1.2).
    pub fn within(&self, length: u64) -> Option<Range<u64>> {
        let part = match *self {
            Self::From { first, last } => {
                first..last.map_or(length, |last| last.saturating_add(1).min(length))
            }
            Self::Suffix(count) => length.saturating_sub(count)..length,
        };
        (!part.is_empty()).then_some(part)
    }
}

/// `None` for anything not exactly a byte range set: an invalid Range is ignored (§14.2).
fn parse(field: &HeaderValue) -> Option<Few<Spec>> {
    let (unit, set) = split_once(field.as_bytes(), b'=')?;
    if !unit.eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let mut specs = Few::new();
    for member in set.split(|&byte| byte == b',').map(trimmed) {
        // Empty list members are passed over (§5.6.1).
        if member.is_empty() {
            continue;
        }
        if specs.len() == MAX_RANGES {
            return None;
        }
        specs.push(spec(member)?);
    }
    (!specs.is_empty()).then_some(specs)
}

fn split_once(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (before, after) = text.split_at(text.iter().position(|&byte| byte == at)?);
    Some((before, &after[1..]))
}

fn spec(text: &[u8]) -> Option<Spec> {
    let (first, last) = split_once(text, b'-')?;
    Some(match (first.is_empty(), last.is_empty()) {
        (true, true) => return None,
        (true, false) => Spec::Suffix(position(last)?),
        (false, true) => Spec::From { first: position(first)?, last: None },
        (false, false) => {
            let (first, last) = (position(first)?, position(last)?);
            // "An int-range is invalid if the last-pos value is present and less than the first" (§14.1.1).
            if last < first {
                return None;
            }
            Spec::From { first, last: Some(last) }
        }
    })
}

/// Digits only. More than 2^64 means "beyond the end" and does not have to be exact.
fn position(text: &[u8]) -> Option<u64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let more = |number: u64, &byte: &u8| Some(number.saturating_mul(10).saturating_add(digit(byte)?));
    if text.is_empty() { None } else { text.iter().try_fold(0, more) }
}

enum Coalesced {
    Nothing,
    One(Range<u64>),
    Many,
}

fn coalesce(mut parts: Few<Range<u64>>) -> Coalesced {
    parts.sort_by_key(|part| part.start);
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else { return Coalesced::Nothing };
    for part in parts {
        if part.start > whole.end.saturating_add(MAX_GAP) {
            return Coalesced::Many;
        }
        whole.end = whole.end.max(part.end);
    }
    Coalesced::One(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(text: &str, length: u64) -> Requested {
        resolve(Some(&HeaderValue::from_str(text).unwrap()), length)
    }

    #[test]
    fn content_range_has_room_for_the_longest_numbers() {
        for (part, length, text) in [
            (0..1, 1, "bytes 0-0/1"),
            (1_200..41_200, 1_100_000, "bytes 1200-41199/1100000"),
            (
                u64::MAX - 1..u64::MAX,
                u64::MAX,
                "bytes 18446744073709551614-18446744073709551614/18446744073709551615",
            ),
        ] {
            assert_eq!(content_range(&part, length), text);
        }
    }

    #[test]
    fn ranges_that_lie_together_are_one_before_the_length_is_known() {
        let from = |first, last| Some(Spec::From { first, last: Some(last) });
        for (text, part) in [
            ("bytes=0-0", from(0, 0)),
            ("bytes=0-0,2-2", from(0, 2)),
            ("bytes=5-9,0-0", from(0, 9)),
            ("bytes=0-0,1000-1000", None),
            ("bytes=0-0,-1", None),
            ("bytes=0-,0-", None),
            ("bytes=7-", Some(Spec::From { first: 7, last: None })),
            ("bytes=1-18446744073709551615,0-0", from(0, u64::MAX - 1)),
            (
                "bytes=18446744073709551615-18446744073709551615,18446744073709551615-18446744073709551615",
                None,
            ),
        ] {
            assert_eq!(together(&HeaderValue::from_str(text).unwrap()), part, "{text}");
        }
    }

    #[test]
    fn one_range() {
        use Requested::{Part, Unsatisfiable, Whole};
        for (text, length, requested) in [
            ("bytes=0-499", 10_000, Part(0..500)),
            ("bytes=500-999", 10_000, Part(500..1_000)),
            ("bytes=-500", 10_000, Part(9_500..10_000)),
            ("bytes=9500-", 10_000, Part(9_500..10_000)),
            ("bytes=0-0", 10_000, Part(0..1)),
            ("bytes=-1", 10_000, Part(9_999..10_000)),
            ("BYTES=0-0", 10, Part(0..1)),
            ("bytes= 0-0 ", 10, Part(0..1)),
            // §14.1.2: beyond the end is cut to the end.
            ("bytes=5-99999", 10, Part(5..10)),
            ("bytes=-99999", 10, Part(0..10)),
            ("bytes=0-99999999999999999999999", 10, Part(0..10)),
            // §15.5.17
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=99999999999999999999999-", 10, Unsatisfiable),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=0-", 0, Unsatisfiable),
            // Nothing to say in a Content-Range: all of nothing is the whole.
            ("bytes=-5", 0, Whole),
            // §14.2: what is not understood is ignored.
            ("bytes=5-4", 10, Whole),
            ("bytes=", 10, Whole),
            ("bytes=,", 10, Whole),
            ("bytes=-", 10, Whole),
            ("bytes=a-b", 10, Whole),
            ("bytes=+1-2", 10, Whole),
            ("bytes=1-2-3", 10, Whole),
            ("bytes=0x1-2", 10, Whole),
            ("bytes 0-1", 10, Whole),
            ("lines=0-1", 10, Whole),
            ("bytes=0-1;q=1", 10, Whole),
        ] {
            assert_eq!(asked(text, length), requested, "{text} of {length}");
        }
        assert_eq!(resolve(None, 10), Whole);
    }

    #[test]
    fn several_ranges_are_one_part_or_ignored() {
        use Requested::{Part, Unsatisfiable, Whole};
        let many = (0..17).map(|n| format!("{n}-{n}")).collect::<Vec<_>>().join(",");
        for (text, length, requested) in [
            ("bytes=0-9,10-19", 1_000, Part(0..20)),
            ("bytes=10-19, 0-9", 1_000, Part(0..20)),
            ("bytes=0-9,5-7,,-1000", 1_000, Part(0..1_000)),
            ("bytes=0-9,60-69", 1_000, Part(0..70)),
            ("bytes=0-9,500-509", 1_000, Whole),
            ("bytes=0-9,5000-", 1_000, Part(0..10)),
            ("bytes=5000-,6000-", 1_000, Unsatisfiable),
            ("bytes=0-9,x", 1_000, Whole),
            (&format!("bytes={many}"), 1_000, Whole),
        ] {
            assert_eq!(asked(text, length), requested, "{text}");
        }
    }

    #[test]
    fn content_ranges() {
        assert_eq!(content_range(&(0..500), 1_234), "bytes 0-499/1234");
        assert_eq!(unsatisfied_range(1_234), "bytes */1234");
    }

    #[test]
    fn one_range_is_told_from_several() {
        for (text, spec) in [
            ("bytes=3-6", Some(Spec::From { first: 3, last: Some(6) })),
            ("bytes=3-", Some(Spec::From { first: 3, last: None })),
            ("bytes=-3", Some(Spec::Suffix(3))),
            ("bytes=0-1, 3-4", None),
            ("bytes=6-3", None),
            ("pages=3-6", None),
        ] {
            assert_eq!(single(&HeaderValue::from_static(text)), spec, "{text}");
        }
        assert_eq!(
            (request(&(3..7)), request_suffix(3)),
            ("bytes=3-6".parse().unwrap(), "bytes=-3".parse().unwrap())
        );
    }

    #[test]
    fn attacks_54_and_55_many_or_overlapping_or_reversed_ranges_are_one_part_or_the_whole() {
        let overlapping = vec!["0-"; 1_000].join(",");
        assert_eq!(asked(&format!("bytes={overlapping}"), 1_000), Requested::Whole);
        assert_eq!(asked("bytes=0-,0-,0-,0-", 1_000), Requested::Part(0..1_000));
        assert_eq!(asked("bytes=900-999,0-99", 1_000), Requested::Whole);
        assert_eq!(asked("bytes=20-29,10-19,0-9", 1_000), Requested::Part(0..30));
    }

    proptest! {
        #[test]
        fn a_part_is_never_empty_nor_beyond_the_end(text in "bytes=[0-9,-]{0,40}", length: u64) {
            if let Requested::Part(part) = asked(&text, length) {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }

        #[test]
        fn what_is_asked_for_together_holds_the_part_whatever_the_length(
            text in "bytes=[0-9]{1,2}-[0-9]{1,3}(,[0-9]{1,3}-[0-9]{1,3}){0,3}", length in 0..1_000_u64,
        ) {
            let field = HeaderValue::from_str(&text).unwrap();
            if let (Some(spec), Requested::Part(part)) = (together(&field), asked(&text, length)) {
                let within = spec.within(length);
                prop_assert!(within.is_some_and(|whole| whole.start <= part.start && part.end <= whole.end));
            }
        }

        #[test]
        fn any_text_is_read(text in "\\PC{0,60}", length: u64) {
            if let Ok(value) = HeaderValue::from_str(&text) {
                let _ = resolve(Some(&value), length);
            }
        }
    }
}
