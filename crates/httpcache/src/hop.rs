//! Fields that belong to one connection and go no further (RFC 9110 §7.6.1).

use crate::fields;
use http::{HeaderMap, HeaderName, header};

/// Removed whether or not Connection names them.
const ALWAYS: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// Names that Connection may not take away: without them the message means something else, to this cache or to who gets it from
/// there. They are for all recipients, and Connection is not to name any that is (RFC 9110 §7.6.1).
const KEPT: [HeaderName; 12] = [
    header::HOST,
    header::CACHE_CONTROL,
    header::CONTENT_LENGTH,
    header::AUTHORIZATION,
    // By which a loop is known (RFC 8586 §2).
    header::VIA,
    HeaderName::from_static("cdn-loop"),
    // Whose it is, how old, and for how long it holds.
    header::VARY,
    header::SET_COOKIE,
    header::AGE,
    header::EXPIRES,
    // Which bytes they are.
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
];

/// Meant for the next proxy alone, or naming fields behind a body, which are not kept (RFC 9111 §3.1, RFC 9110 §6.5.1).
const NOT_STORED: [HeaderName; 4] = [
    header::TRAILER,
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    header::PROXY_AUTHORIZATION,
];

/// Takes out what a stored response must not have, of fields without those of the connection.
pub fn strip_unstored(headers: &mut HeaderMap) {
    for name in &NOT_STORED {
        headers.remove(name);
    }
}

/// Takes out what belongs to the connection `headers` came over.
pub fn strip(headers: &mut HeaderMap) {
    strip_named(headers);
    for name in &ALWAYS {
        headers.remove(name);
    }
}

/// Takes out the fields that Connection names, which nobody else is to know of (RFC 9110 §7.6.1), and leaves itself.
pub fn strip_named(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CONNECTION) {
        return;
    }
    let named: Vec<HeaderName> =
        fields::members(headers, &header::CONNECTION).filter_map(|name| name.parse().ok()).collect();
    for name in named.iter().filter(|name| !KEPT.contains(name) && **name != header::CONNECTION) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn what_connection_names_goes_with_it() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Trace, host, cdn-loop"),
            ("cdn-loop", "a"),
            ("x-trace", "1"),
            ("host", "a"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("x-other", "2"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        strip(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cdn-loop", "host", "x-other"]);
    }

    /// What varies was given to all without Vary, as fresh as it was not without Age, and coded bytes as plain ones.
    #[test]
    fn what_a_cache_goes_by_stays_whatever_connection_names() {
        let kept = [
            ("cache-control", "private"),
            ("vary", "cookie"),
            ("set-cookie", "sid=1"),
            ("age", "700"),
            ("expires", "0"),
            ("content-encoding", "gzip"),
            ("content-range", "bytes 0-1/9"),
        ];
        let mut headers = fields::headers(&kept);
        let named: Vec<_> = kept.iter().map(|(name, _)| *name).collect();
        headers.insert(header::CONNECTION, HeaderValue::try_from(named.join(", ")).unwrap());
        strip(&mut headers);
        assert_eq!(headers, fields::headers(&kept));
    }
}
