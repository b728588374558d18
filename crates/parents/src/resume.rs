//! How a body that broke off goes on: the rest of the same bytes, from whoever has them, or nothing.
//!
//! Only a strong validator says that two servers' bytes are the same (RFC 9110 §8.8.1), so without one there is no
//! resuming. The rest is asked for with Range and If-Range (§13.1.5), and what comes is held to every word of the first
//! answer: tag, coding, place and length.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use httpcache::etag::Etag;

/// What an answer promised about its body.
#[derive(Debug, Clone)]
pub struct Promise {
    etag: Etag,
    coding: Option<HeaderValue>,
    /// Where in the representation the body begins.
    first: u64,
    /// Where it ends: one beyond its last byte. `None` until somebody says.
    end: Option<u64>,
    /// The representation's length.
    total: Option<u64>,
}

/// An answer that carries on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// Bytes of it that are there already and must be left out: it begins at the beginning.
    pub skip: u64,
}

/// Why an answer does not carry on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Neither 206 nor 200.
    Status,
    /// Another representation, or none that can be told apart.
    Validator,
    /// Coded otherwise.
    Coding,
    /// Not the bytes that were asked for.
    Place,
}

impl Unfit {
    /// As logs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Validator => "validator",
            Self::Coding => "coding",
            Self::Place => "place",
        }
    }
}

impl Promise {
    /// What the answer to a `method` request promised; `None` when nobody else can be held to it.
    pub fn of(method: &Method, status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        if method != Method::GET {
            return None;
        }
        let etag = strong(headers)?;
        let coding = headers.get(header::CONTENT_ENCODING).cloned();
        let stated = content_length(headers)?;
        let (first, end, total) = match status {
            StatusCode::OK => (0, stated, stated),
            StatusCode::PARTIAL_CONTENT => {
                let part = Part::of(headers)?;
                if stated.is_some_and(|length| length != part.end - part.first) {
                    return None;
                }
                (part.first, Some(part.end), part.total)
            }
            _ => return None,
        };
        Some(Self { etag, coding, first, end, total })
    }

    /// Bytes the body has in all, where known.
    pub fn length(&self) -> Option<u64> {
        self.end.map(|end| end - self.first)
    }

    /// Puts into a request what asks for the rest behind `received` bytes.
    pub fn ask_for_rest(&self, received: u64, request: &mut HeaderMap) {
        httpcache::validation::strip_conditions(request);
        let from = self.first + received;
        let range = match self.end {
            Some(end) => format!("bytes={from}-{}", end.saturating_sub(1)),
            None => format!("bytes={from}-"),
        };
        if let Ok(range) = HeaderValue::try_from(range) {
            request.insert(header::RANGE, range);
            request.insert(header::IF_RANGE, self.etag.value().clone());
        }
    }

    /// Whether an answer carries on behind `received` bytes. What it says of the length is part of the promise from then
    /// on.
    ///
    /// # Errors
    /// Why not.
    pub fn hold(&mut self, received: u64, status: StatusCode, headers: &HeaderMap) -> Result<Rest, Unfit> {
        if !matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
            return Err(Unfit::Status);
        }
        if !strong(headers).is_some_and(|etag| self.etag.is_strongly(etag.value().as_bytes())) {
            return Err(Unfit::Validator);
        }
        if headers.get(header::CONTENT_ENCODING) != self.coding.as_ref() {
            return Err(Unfit::Coding);
        }
        let stated = content_length(headers).ok_or(Unfit::Place)?;
        if status == StatusCode::OK {
            self.hold_whole(received, stated)
        } else {
            self.hold_part(received, stated, headers)
        }
    }

    /// Whether an answer says that nothing is behind `received` bytes, where nobody has said how many there are: a server that ends
    /// behind the last byte and before the last chunk has sent all of it. The answer has to be about the same bytes.
    pub fn ends(&self, received: u64, status: StatusCode, headers: &HeaderMap) -> bool {
        let same = strong(headers).is_some_and(|etag| self.etag.is_strongly(etag.value().as_bytes()));
        status == StatusCode::RANGE_NOT_SATISFIABLE
            && self.end.is_none()
            && same
            && unsatisfied_length(headers) == Some(self.first + received)
    }

    fn hold_part(&mut self, received: u64, stated: Option<u64>, headers: &HeaderMap) -> Result<Rest, Unfit> {
        let part = Part::of(headers).ok_or(Unfit::Place)?;
        let total_differs = matches!((self.total, part.total), (Some(ours), Some(theirs)) if ours != theirs);
        if part.first != self.first + received
            || stated.is_some_and(|length| length != part.end - part.first)
            || total_differs
            // Where the end is not known yet, only the end of all is an end.
            || Some(part.end) != self.end.or(part.total)
        {
            return Err(Unfit::Place);
        }
        self.end = Some(part.end);
        self.total = self.total.or(part.total);
        Ok(Rest { skip: 0 })
    }

    /// A server without ranges sends everything again: right where everything was wanted.
    fn hold_whole(&mut self, received: u64, stated: Option<u64>) -> Result<Rest, Unfit> {
        let whole_was_wanted = self.first == 0 && self.end == self.total;
        let length_differs = matches!((self.end, stated), (Some(ours), Some(theirs)) if ours != theirs);
        if !whole_was_wanted || length_differs || stated.is_some_and(|length| length < received) {
            return Err(Unfit::Place);
        }
        self.end = self.end.or(stated);
        self.total = self.end;
        Ok(Rest { skip: received })
    }
}

fn strong(headers: &HeaderMap) -> Option<Etag> {
    let mut lines = headers.get_all(header::ETAG).iter();
    let etag = lines.next().and_then(Etag::parse).filter(|etag| !etag.is_weak());
    if lines.next().is_some() { None } else { etag }
}

/// `None`: a length that is none. `Some(None)`: no length.
fn content_length(headers: &HeaderMap) -> Option<Option<u64>> {
    let Some(value) = headers.get(header::CONTENT_LENGTH) else { return Some(None) };
    value.to_str().ok().and_then(digits).map(Some)
}

/// How long the representation is, as the Content-Range of a 416 tells it (RFC 9110 §14.4).
fn unsatisfied_length(headers: &HeaderMap) -> Option<u64> {
    let (unit, length) = headers.get(header::CONTENT_RANGE)?.to_str().ok()?.split_once(' ')?;
    unit.eq_ignore_ascii_case("bytes").then(|| length.strip_prefix("*/")).flatten().and_then(digits)
}

/// One part, as Content-Range tells it (RFC 9110 §14.4).
struct Part {
    first: u64,
    end: u64,
    total: Option<u64>,
}

impl Part {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
        let (unit, rest) = text.split_once(' ')?;
        let (range, total) = rest.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (digits(first)?, digits(last)?);
        let total = if total == "*" { None } else { Some(digits(total)?) };
        let end = last.checked_add(1)?;
        let sound =
            unit.eq_ignore_ascii_case("bytes") && first < end && total.is_none_or(|total| end <= total);
        sound.then_some(Self { first, end, total })
    }
}

fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| {
                (header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    fn promised(status: u16, fields: &[(&'static str, &str)]) -> Option<Promise> {
        Promise::of(&Method::GET, StatusCode::from_u16(status).unwrap(), &headers(fields))
    }

    #[test]
    fn attack_49_only_a_strong_validator_is_a_promise() {
        assert!(promised(200, &[("etag", "\"a\"")]).is_some());
        for (status, fields) in [
            (200, &[][..]),
            (200, &[("etag", "W/\"a\"")]),
            (200, &[("etag", "a")]),
            (200, &[("etag", "\"a\""), ("content-length", "1, 1")]),
            (200, &[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")]),
            (404, &[("etag", "\"a\"")]),
            (206, &[("etag", "\"a\"")]),
            (206, &[("etag", "\"a\""), ("content-range", "bytes 5-4/10")]),
            (206, &[("etag", "\"a\""), ("content-range", "bytes 0-4/10"), ("content-length", "6")]),
        ] {
            assert!(promised(status, fields).is_none(), "{status} {fields:?}");
        }
        assert!(Promise::of(&Method::HEAD, StatusCode::OK, &headers(&[("etag", "\"a\"")])).is_none());
    }

    #[test]
    fn the_rest_is_asked_for() {
        let ask = |promise: &Promise, received| {
            let mut request =
                headers(&[("if-none-match", "\"b\""), ("range", "bytes=1-2"), ("accept", "*/*")]);
            promise.ask_for_rest(received, &mut request);
            assert!(!request.contains_key("if-none-match") && request.contains_key("accept"));
            assert_eq!(request["if-range"], "\"a\"");
            request["range"].to_str().unwrap().to_owned()
        };
        let whole = promised(200, &[("etag", "\"a\""), ("content-length", "10")]).unwrap();
        assert_eq!((ask(&whole, 4).as_str(), whole.length()), ("bytes=4-9", Some(10)));
        let unknown = promised(200, &[("etag", "\"a\"")]).unwrap();
        assert_eq!((ask(&unknown, 4).as_str(), unknown.length()), ("bytes=4-", None));
        let part = promised(206, &[("etag", "\"a\""), ("content-range", "bytes 100-199/1000")]).unwrap();
        assert_eq!((ask(&part, 4).as_str(), part.length()), ("bytes=104-199", Some(100)));
    }

    #[test]
    fn attack_50_what_is_not_the_rest_of_the_same_is_refused() {
        let known = [("etag", "\"a\""), ("content-length", "10")];
        let unknown = [("etag", "\"a\"")];
        let part = [("etag", "\"a\""), ("content-range", "bytes 0-9/1000")];
        for (status, promise, answer, held) in [
            (200, &known[..], (206, &[("etag", "\"a\""), ("content-range", "bytes 4-9/10")][..]), Ok(0)),
            (200, &known, (206, &[("etag", "\"a\""), ("content-range", "bytes 4-9/*")]), Ok(0)),
            (200, &known, (200, &[("etag", "\"a\""), ("content-length", "10")]), Ok(4)),
            (200, &known, (200, &[("etag", "\"a\"")]), Ok(4)),
            (200, &known, (200, &[("etag", "\"a\""), ("content-length", "11")]), Err(Unfit::Place)),
            (
                200,
                &known,
                (206, &[("etag", "\"b\""), ("content-range", "bytes 4-9/10")]),
                Err(Unfit::Validator),
            ),
            (
                200,
                &known,
                (206, &[("etag", "W/\"a\""), ("content-range", "bytes 4-9/10")]),
                Err(Unfit::Validator),
            ),
            (200, &known, (206, &[("content-range", "bytes 4-9/10")]), Err(Unfit::Validator)),
            (200, &known, (200, &[("etag", "\"b\""), ("content-length", "10")]), Err(Unfit::Validator)),
            (200, &known, (206, &[("etag", "\"a\""), ("content-range", "bytes 3-9/10")]), Err(Unfit::Place)),
            (200, &known, (206, &[("etag", "\"a\""), ("content-range", "bytes 5-9/10")]), Err(Unfit::Place)),
            (200, &known, (206, &[("etag", "\"a\""), ("content-range", "bytes 4-8/10")]), Err(Unfit::Place)),
            (200, &known, (206, &[("etag", "\"a\""), ("content-range", "bytes 4-9/11")]), Err(Unfit::Place)),
            (200, &known, (206, &[("etag", "\"a\"")]), Err(Unfit::Place)),
            (
                200,
                &known,
                (206, &[("etag", "\"a\""), ("content-range", "bytes 4-9/10"), ("content-length", "7")]),
                Err(Unfit::Place),
            ),
            (
                200,
                &known,
                (206, &[("etag", "\"a\""), ("content-range", "bytes 4-9/10"), ("content-encoding", "gzip")]),
                Err(Unfit::Coding),
            ),
            (200, &known, (416, &[("etag", "\"a\""), ("content-range", "bytes */10")]), Err(Unfit::Status)),
            (200, &known, (304, &[("etag", "\"a\"")]), Err(Unfit::Status)),
            (200, &unknown, (206, &[("etag", "\"a\""), ("content-range", "bytes 4-9/10")]), Ok(0)),
            (
                200,
                &unknown,
                (206, &[("etag", "\"a\""), ("content-range", "bytes 4-8/10")]),
                Err(Unfit::Place),
            ),
            (200, &unknown, (206, &[("etag", "\"a\""), ("content-range", "bytes 4-9/*")]), Err(Unfit::Place)),
            (200, &unknown, (200, &[("etag", "\"a\""), ("content-length", "10")]), Ok(4)),
            (200, &unknown, (200, &[("etag", "\"a\""), ("content-length", "3")]), Err(Unfit::Place)),
            (206, &part, (206, &[("etag", "\"a\""), ("content-range", "bytes 4-9/1000")]), Ok(0)),
            (
                206,
                &part,
                (206, &[("etag", "\"a\""), ("content-range", "bytes 4-999/1000")]),
                Err(Unfit::Place),
            ),
            (206, &part, (200, &[("etag", "\"a\""), ("content-length", "1000")]), Err(Unfit::Place)),
        ] {
            let mut promise = promised(status, promise).unwrap();
            let (code, fields) = answer;
            let rest = promise.hold(4, StatusCode::from_u16(code).unwrap(), &headers(fields));
            assert_eq!(rest.map(|rest| rest.skip), held, "{code} {fields:?}");
        }
    }

    #[test]
    fn what_nobody_has_measured_ends_where_the_same_is_no_longer() {
        let (unknown, known) = (
            promised(200, &[("etag", "\"a\"")]),
            promised(200, &[("etag", "\"a\""), ("content-length", "9")]),
        );
        for (promise, status, etag, says, ends) in [
            (&unknown, 416, "\"a\"", "bytes */4", true),
            (&unknown, 416, "\"a\"", "BYTES */4", true),
            (&known, 416, "\"a\"", "bytes */4", false),
            (&unknown, 200, "\"a\"", "bytes */4", false),
            (&unknown, 416, "\"b\"", "bytes */4", false),
            (&unknown, 416, "W/\"a\"", "bytes */4", false),
            (&unknown, 416, "\"a\"", "bytes */5", false),
            (&unknown, 416, "\"a\"", "bytes */*", false),
            (&unknown, 416, "\"a\"", "lines */4", false),
            (&unknown, 416, "\"a\"", "bytes 0-3/4", false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let fields = headers(&[("etag", etag), ("content-range", says)]);
            assert_eq!(promise.as_ref().unwrap().ends(4, status, &fields), ends, "{status} {etag} {says}");
        }
    }

    #[test]
    fn a_length_learned_later_is_held_to() {
        let mut promise = promised(200, &[("etag", "\"a\"")]).unwrap();
        let part = |range| headers(&[("etag", "\"a\""), ("content-range", range)]);
        promise.hold(4, StatusCode::PARTIAL_CONTENT, &part("bytes 4-9/10")).unwrap();
        assert_eq!(promise.length(), Some(10));
        let other = promise.hold(6, StatusCode::PARTIAL_CONTENT, &part("bytes 6-10/11"));
        assert_eq!(other, Err(Unfit::Place));
    }

    proptest! {
        #[test]
        fn any_content_range_is_read(text in "(bytes )?[0-9]{0,21}[- ]?[0-9]{0,21}/?[*0-9]{0,21}", received: u64) {
            let fields = headers(&[("etag", "\"a\""), ("content-range", &text)]);
            if let Some(mut promise) = Promise::of(&Method::GET, StatusCode::PARTIAL_CONTENT, &fields) {
                prop_assert!(promise.length().unwrap() > 0);
                // Never more than was promised can have come.
                let _ = promise.hold(received.min(promise.length().unwrap()), StatusCode::PARTIAL_CONTENT, &fields);
            }
        }
    }
}
