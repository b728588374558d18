//! What HTTP/3 asks of heads beyond their encoding, both ways: what h2 and hyper see to for HTTP/2.

use super::frames::Wrong;
use crate::clock;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;

/// Fields that speak of one connection, of which HTTP/3 has no need and which would mean something to the server behind
/// us (RFC 9114 §4.2).
const OF_A_CONNECTION: [HeaderName; 5] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The length of the body that a request announces, if it does.
///
/// # Errors
/// [`Wrong::Malformed`] for a head that another server could understand otherwise (attack 33).
pub(super) fn judge<B>(request: &Request<B>) -> Result<Option<u64>, Wrong> {
    let headers = request.headers();
    let is_foreign = OF_A_CONNECTION.iter().any(|name| headers.contains_key(name));
    let is_te_fine = headers.get_all(header::TE).iter().all(|value| value == "trailers");
    if is_foreign || !is_te_fine || headers.get_all(header::HOST).iter().count() > 1 {
        return Err(Wrong::Malformed);
    }
    // A pseudo-header field is present or not, never empty (RFC 9114 §4.3.1); `*` is for OPTIONS.
    let path = request.uri().path_and_query().map(|path| path.as_str());
    let is_path_fine = match (request.method(), path) {
        (&Method::CONNECT, path) => path.is_none(),
        (&Method::OPTIONS, Some("*")) => true,
        (_, path) => path.is_some_and(|path| path.starts_with('/')),
    };
    if !is_path_fine {
        return Err(Wrong::Malformed);
    }
    announced(headers)
}

/// One number in digits, or several times the same (RFC 9110 §8.6).
fn announced(headers: &HeaderMap) -> Result<Option<u64>, Wrong> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(first) = lengths.next() else { return Ok(None) };
    if lengths.next().is_some() {
        return Err(Wrong::Malformed);
    }
    let digits = first.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).map(Some).ok_or(Wrong::Malformed)
}

/// Puts a response's head into the form that goes out.
pub(super) fn finish<B: Body>(response: &mut Response<B>, method: &Method) {
    let exact = response.body().size_hint().exact();
    let has_none = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || response.status().is_informational();
    let headers = response.headers_mut();
    for name in OF_A_CONNECTION {
        headers.remove(name);
    }
    if let Some(length) = exact.filter(|length| !has_none && (*length > 0 || method != Method::HEAD)) {
        headers.entry(header::CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    headers.entry(header::DATE).or_insert_with(date);
}

fn date() -> HeaderValue {
    let text = httpdate::fmt_http_date(clock::now());
    HeaderValue::from_str(&text).expect("a date is letters, digits, spaces and a colon")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Empty, Full};

    fn head(method: &str, uri: &str, fields: &[(&str, &str)]) -> Request<()> {
        let request = Request::builder().method(method).uri(uri);
        fields.iter().fold(request, |request, field| request.header(field.0, field.1)).body(()).unwrap()
    }

    #[test]
    fn attack_33_what_would_mean_something_else_behind_us_is_refused() {
        for (method, fields, fine) in [
            ("GET", &[][..], Ok(None)),
            ("POST", &[("content-length", "12")], Ok(Some(12))),
            ("GET", &[("te", "trailers"), ("host", "a")], Ok(None)),
            ("GET", &[("te", "gzip")], Err(Wrong::Malformed)),
            ("GET", &[("transfer-encoding", "chunked")], Err(Wrong::Malformed)),
            ("GET", &[("connection", "close")], Err(Wrong::Malformed)),
            ("GET", &[("upgrade", "h2c")], Err(Wrong::Malformed)),
            ("GET", &[("host", "a"), ("host", "a")], Err(Wrong::Malformed)),
            ("POST", &[("content-length", "1"), ("content-length", "2")], Err(Wrong::Malformed)),
            ("POST", &[("content-length", "+1")], Err(Wrong::Malformed)),
            ("POST", &[("content-length", "")], Err(Wrong::Malformed)),
            ("POST", &[("content-length", "18446744073709551616")], Err(Wrong::Malformed)),
        ] {
            assert_eq!(judge(&head(method, "https://a/", fields)), fine, "{fields:?}");
        }
        assert_eq!(judge(&head("OPTIONS", "*", &[])), Ok(None));
        assert_eq!(judge(&head("GET", "*", &[])), Err(Wrong::Malformed));
        assert_eq!(judge(&head("CONNECT", "a:443", &[])), Ok(None));
    }

    #[test]
    fn answers_say_how_long_they_are_and_nothing_of_a_connection() {
        let mut response = Response::new(Full::new(bytes::Bytes::from_static(b"hello")));
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        finish(&mut response, &Method::GET);
        assert_eq!(response.headers()[header::CONTENT_LENGTH], "5");
        assert!(!response.headers().contains_key(header::CONNECTION));
        assert!(response.headers()[header::DATE].to_str().unwrap().ends_with("GMT"));
        // The answer to HEAD says what GET would bring, or nothing.
        let mut response = Response::new(Empty::<bytes::Bytes>::new());
        finish(&mut response, &Method::HEAD);
        assert!(!response.headers().contains_key(header::CONTENT_LENGTH));
    }
}
