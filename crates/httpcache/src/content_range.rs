//! Content-Range of a 206 (RFC 9110 §14.4): which part of how much.

use http::{HeaderMap, HeaderValue, header};
use std::ops::Range;

/// A part of a representation of known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRange {
    /// The bytes it says it holds; never empty.
    pub part: Range<u64>,
    /// Of so many.
    pub length: u64,
}

/// What `headers` say that they are of. `None` also where several lines say it, as the one or the other may be meant (RFC 9110 §5.3).
pub fn of(headers: &HeaderMap) -> Option<ContentRange> {
    let mut lines = headers.get_all(header::CONTENT_RANGE).iter();
    let only = lines.next().filter(|_| lines.next().is_none())?;
    parse(only)
}

/// Reads `bytes first-last/length`. `None` when it is malformed, means no bytes, lies beyond the length, or does not know
/// it: a part of unknown length cannot be combined with anything that comes later.
pub fn parse(value: &HeaderValue) -> Option<ContentRange> {
    let text = value.to_str().ok()?;
    let (unit, range) = text.split_once(' ')?;
    let (span, length) = range.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let (first, last, length) = (position(first)?, position(last)?, position(length)?);
    let sound = unit.eq_ignore_ascii_case("bytes") && first <= last && last < length;
    sound.then(|| ContentRange { part: first..last + 1, length })
}

fn position(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<ContentRange> {
        parse(&HeaderValue::from_str(text).ok()?)
    }

    #[test]
    fn what_is_said_twice_is_not_said() {
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers), None);
        headers.append(header::CONTENT_RANGE, HeaderValue::from_static("bytes 0-4/10"));
        assert_eq!(of(&headers), read("bytes 0-4/10"));
        headers.append(header::CONTENT_RANGE, HeaderValue::from_static("bytes 5-9/10"));
        assert_eq!(of(&headers), None);
    }

    #[test]
    fn only_what_makes_sense_is_read() {
        assert_eq!(read("bytes 0-499/1234"), Some(ContentRange { part: 0..500, length: 1_234 }));
        assert_eq!(read("BYTES 9-9/10"), Some(ContentRange { part: 9..10, length: 10 }));
        for text in [
            "bytes 0-499/*",
            "bytes */1234",
            "bytes 5-4/10",
            "bytes 0-10/10",
            "bytes 0-18446744073709551615/18446744073709551615",
            "bytes 0-99999999999999999999/999999999999999999999",
            "bytes +0-4/10",
            "bytes 0-4",
            "bytes=0-4/10",
            "lines 0-4/10",
            "bytes 0-4/10 ",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "bytes [0-9*/ -]{0,40}") {
            if let Some(ContentRange { part, length }) = read(&text) {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }
    }
}
