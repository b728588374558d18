//! Whether a request's conditions hold for a representation (RFC 9110 §13).

use crate::etag::{Etag, is_etag};
use crate::{date, fields};
use http::{HeaderMap, HeaderName, Method, header};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the conditions ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Answer as if there were none.
    Proceed,
    /// 304: the client has it.
    NotModified,
    /// 412: the client meant another state of the thing.
    PreconditionFailed,
}

/// Evaluates all conditions but If-Range, in the order of RFC 9110 §13.2.2.
///
/// For a representation that exists and would be answered with a 2xx: conditions on errors are not to be evaluated
/// (§13.2.1). `last_modified` counts in whole seconds, as HTTP dates do.
pub fn evaluate(
    method: &Method,
    request: &HeaderMap,
    etag: Option<&Etag>,
    last_modified: Option<SystemTime>,
) -> Verdict {
    let last_modified = last_modified.map(whole_seconds);
    let safe = matches!(*method, Method::GET | Method::HEAD);

    // Steps 1 and 2: is it still what the client means?
    let meant = match tags(request, &header::IF_MATCH, |tag| etag.is_some_and(|etag| etag.is_strongly(tag))) {
        Some(matches) => matches,
        None => match (last_modified, single_date(request, &header::IF_UNMODIFIED_SINCE)) {
            (Some(modified), Some(date)) => modified <= date,
            _ => true,
        },
    };
    if !meant {
        return Verdict::PreconditionFailed;
    }

    // Steps 3 and 4: does the client have it?
    match tags(request, &header::IF_NONE_MATCH, |tag| etag.is_some_and(|etag| etag.is_weakly(tag))) {
        Some(true) if safe => Verdict::NotModified,
        Some(true) => Verdict::PreconditionFailed,
        // If-None-Match is the better question: with it, If-Modified-Since is ignored (§13.1.3).
        Some(false) => Verdict::Proceed,
        None => match (last_modified, single_date(request, &header::IF_MODIFIED_SINCE)) {
            (Some(modified), Some(date)) if safe && modified <= date => Verdict::NotModified,
            _ => Verdict::Proceed,
        },
    }
}

/// Whether a Range is to be honoured: true without If-Range, else when the client's part is of these very bytes (§13.1.5).
///
/// `date` is when the response was made (its `Date`; now for an origin), read where it matters alone. Last-Modified is a strong
/// validator only from the second after it (§8.8.2.2): within one second, a thing may change twice.
pub fn range_applies(
    request: &HeaderMap,
    etag: Option<&Etag>,
    last_modified: Option<SystemTime>,
    date: impl FnOnce() -> SystemTime,
) -> bool {
    let mut conditions = request.get_all(header::IF_RANGE).iter();
    let Some(condition) = conditions.next() else { return true };
    // It is no list: of two, nobody knows which is meant.
    if conditions.next().is_some() {
        return false;
    }
    if is_etag(condition.as_bytes()) {
        return etag.is_some_and(|etag| etag.is_strongly(condition.as_bytes()));
    }
    let asked = condition.to_str().ok().and_then(date::parse);
    match (asked, last_modified.map(whole_seconds)) {
        (Some(asked), Some(modified)) => {
            asked == modified
                && date().duration_since(modified).is_ok_and(|age| age >= Duration::from_secs(1))
        }
        _ => false,
    }
}

/// Whether one of the listed tags matches, or `*`; `None` when the field is absent.
fn tags(request: &HeaderMap, name: &HeaderName, matches: impl Fn(&[u8]) -> bool) -> Option<bool> {
    if !request.contains_key(name) {
        return None;
    }
    Some(fields::tags(request, name).any(|tag| tag == b"*" || matches(tag)))
}

/// A single valid date; anything else is as good as absent (§13.1.3, §13.1.4).
fn single_date(request: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let mut lines = request.get_all(name).iter();
    let (first, more) = (lines.next()?, lines.next());
    if more.is_some() {
        return None;
    }
    date::parse(first.to_str().ok()?)
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn request(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for &(name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn then() -> SystemTime {
        // The store's clock is finer than HTTP's.
        httpdate::parse_http_date(THEN).unwrap() + Duration::from_millis(700)
    }

    #[test]
    fn conditions_in_the_order_of_rfc_9110_13_2_2() {
        use Verdict::{NotModified, PreconditionFailed, Proceed};
        let tag = Etag::strong("a").unwrap();
        type Case = (&'static str, Method, &'static [(&'static str, &'static str)], Verdict);
        let cases: &[Case] = &[
            ("no condition", Method::GET, &[], Proceed),
            ("§13.1.1 matching", Method::GET, &[("if-match", "\"b\", \"a\"")], Proceed),
            ("§13.1.1 any", Method::GET, &[("if-match", "*")], Proceed),
            ("§13.1.1 not matching", Method::GET, &[("if-match", "\"b\"")], PreconditionFailed),
            ("§13.1.1 strong comparison", Method::GET, &[("if-match", "W/\"a\"")], PreconditionFailed),
            ("§13.1.1 empty matches nothing", Method::GET, &[("if-match", "")], PreconditionFailed),
            ("§13.1.4 unmodified", Method::GET, &[("if-unmodified-since", THEN)], Proceed),
            ("§13.1.4 modified", Method::GET, &[("if-unmodified-since", BEFORE)], PreconditionFailed),
            ("§13.1.4 no date", Method::GET, &[("if-unmodified-since", "yesterday")], Proceed),
            (
                "§13.1.4 ignored beside If-Match",
                Method::GET,
                &[("if-match", "\"a\""), ("if-unmodified-since", BEFORE)],
                Proceed,
            ),
            ("§13.1.2 has it", Method::GET, &[("if-none-match", "\"a\"")], NotModified),
            ("§13.1.2 weak comparison", Method::HEAD, &[("if-none-match", "\"b\", W/\"a\"")], NotModified),
            ("§13.1.2 any", Method::GET, &[("if-none-match", "*")], NotModified),
            ("§13.1.2 has another", Method::GET, &[("if-none-match", "\"b\"")], Proceed),
            (
                "§13.1.2 over two lines",
                Method::GET,
                &[("if-none-match", "\"b\""), ("if-none-match", "\"a\"")],
                NotModified,
            ),
            ("§13.1.2 unsafe method", Method::PUT, &[("if-none-match", "*")], PreconditionFailed),
            ("§13.1.3 has it", Method::GET, &[("if-modified-since", THEN)], NotModified),
            ("§13.1.3 has a later one", Method::GET, &[("if-modified-since", LATER)], NotModified),
            ("§13.1.3 has an older one", Method::GET, &[("if-modified-since", BEFORE)], Proceed),
            (
                "§13.1.3 two dates",
                Method::GET,
                &[("if-modified-since", THEN), ("if-modified-since", THEN)],
                Proceed,
            ),
            ("§13.1.3 unsafe method", Method::PUT, &[("if-modified-since", THEN)], Proceed),
            (
                "§13.1.3 ignored beside If-None-Match",
                Method::GET,
                &[("if-none-match", "\"b\""), ("if-modified-since", LATER)],
                Proceed,
            ),
            (
                "§13.2.2 If-Match first",
                Method::GET,
                &[("if-match", "\"b\""), ("if-none-match", "\"a\"")],
                PreconditionFailed,
            ),
            (
                "§13.2.2 then If-None-Match",
                Method::GET,
                &[("if-match", "\"a\""), ("if-none-match", "\"a\"")],
                NotModified,
            ),
        ];
        for (case, method, fields, verdict) in cases {
            assert_eq!(evaluate(method, &request(fields), Some(&tag), Some(then())), *verdict, "{case}");
        }
    }

    #[test]
    fn without_validators_only_the_star_says_something() {
        for (fields, verdict) in [
            (("if-none-match", "\"a\""), Verdict::Proceed),
            (("if-none-match", "*"), Verdict::NotModified),
            (("if-match", "\"a\""), Verdict::PreconditionFailed),
            (("if-match", "*"), Verdict::Proceed),
            (("if-modified-since", THEN), Verdict::Proceed),
            (("if-unmodified-since", BEFORE), Verdict::Proceed),
        ] {
            assert_eq!(evaluate(&Method::GET, &request(&[fields]), None, None), verdict, "{fields:?}");
        }
    }

    #[test]
    fn a_range_of_other_bytes_is_not_honoured() {
        let (strong, weak) =
            (Etag::strong("a").unwrap(), Etag::parse(&HeaderValue::from_static("W/\"a\"")).unwrap());
        let (now, at_once) = (then() + Duration::from_secs(60), then());
        for (case, condition, etag, date, applies) in [
            ("same bytes", "\"a\"", Some(&strong), now, true),
            ("other bytes", "\"b\"", Some(&strong), now, false),
            ("weak tags never", "W/\"a\"", Some(&weak), now, false),
            ("a weak one here", "\"a\"", Some(&weak), now, false),
            ("no tag here", "\"a\"", None, now, false),
            ("same date", THEN, Some(&strong), now, true),
            ("later date is not the same", LATER, Some(&strong), now, false),
            ("too fresh to be strong, §8.8.2.2", THEN, Some(&strong), at_once, false),
            ("neither", "a", Some(&strong), now, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_RANGE, HeaderValue::from_static(condition));
            assert_eq!(range_applies(&headers, etag, Some(then()), || date), applies, "{case}");
        }
        assert!(range_applies(&HeaderMap::new(), None, None, || now));
        let two = request(&[("if-range", "\"a\""), ("if-range", "\"b\"")]);
        assert!(!range_applies(&two, Some(&strong), None, || now), "it is no list");
    }
}
