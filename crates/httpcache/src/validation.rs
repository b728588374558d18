//! Asking whether a stored response still holds, and bringing it up to date (RFC 9111 §4.3, §3.2).

use crate::freshness;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::time::Duration;

/// Puts the stored validators into a request for the same thing (§4.3.1). The client's own conditions are gone
/// before: they are answered from what comes back.
///
/// `false` when the stored response has none, so that asking means fetching.
pub fn add_conditions(stored: &HeaderMap, request: &mut HeaderMap) -> bool {
    strip_conditions(request);
    let mut any = false;
    for (from, to) in
        [(header::ETAG, header::IF_NONE_MATCH), (header::LAST_MODIFIED, header::IF_MODIFIED_SINCE)]
    {
        if let Some(value) = stored.get(from) {
            request.insert(to, value.clone());
            any = true;
        }
    }
    any
}

/// Takes a client's conditions and ranges out of a request that is to fetch the whole.
pub fn strip_conditions(request: &mut HeaderMap) {
    for name in [
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
        header::IF_RANGE,
        header::RANGE,
    ] {
        request.remove(name);
    }
}

/// Whether a 304 speaks of the stored response (§4.3.4). One that names another ETag speaks of another
/// response, and the stored one must not be freshened by it. Where the 304 has a strong one and the stored one is weak, another
/// strong validator must be the same: servers that compress weaken the ETag of what they send, and not that of a 304.
pub fn selects(stored: &HeaderMap, not_modified: &HeaderMap) -> bool {
    match (not_modified.get(header::ETAG), stored.get(header::ETAG)) {
        (Some(new), Some(old)) if opaque(new) != opaque(old) => false,
        (Some(new), Some(old)) => new == old || is_weak(new) || have_the_same_date(stored, not_modified),
        (Some(_), None) => false,
        (None, _) => match (not_modified.get(header::LAST_MODIFIED), stored.get(header::LAST_MODIFIED)) {
            (Some(new), Some(old)) => new == old,
            (Some(_), None) => false,
            // No validator in the 304: it answers the only question that was asked.
            (None, _) => true,
        },
    }
}

/// Whether both have the same Last-Modified, which is a strong validator of both.
fn have_the_same_date(one: &HeaderMap, other: &HeaderMap) -> bool {
    let both = [one, other];
    one.get(header::LAST_MODIFIED) == other.get(header::LAST_MODIFIED)
        && both.into_iter().all(has_strong_date)
}

/// Whether Last-Modified is a strong validator: older by a second than the response, which may have changed twice within one (RFC
/// 9110 §8.8.2.2). `headers` are those that came with the bytes: a 304 brings another Date and no bytes.
pub fn has_strong_date(headers: &HeaderMap) -> bool {
    let (modified, made) = (freshness::last_modified_of(headers), freshness::date_of(headers));
    let age = modified.zip(made).and_then(|(modified, made)| made.duration_since(modified).ok());
    age.is_some_and(|age| age >= Duration::from_secs(1))
}

fn is_weak(etag: &HeaderValue) -> bool {
    etag.as_bytes().starts_with(b"W/")
}

fn opaque(etag: &HeaderValue) -> &[u8] {
    etag.as_bytes().strip_prefix(b"W/").unwrap_or(etag.as_bytes())
}

/// Fields that describe the stored bytes or one connection, and so stay as they are (§3.2).
const NOT_UPDATED: [HeaderName; 7] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::ETAG,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Whether an answer to HEAD speaks of the stored response: every validator that it has is the stored one, and so is its
/// length (§4.3.5). `body` is the stored length.
pub fn head_selects(stored: &HeaderMap, head: &HeaderMap, body: Option<u64>) -> bool {
    let same = |name| head.get(name).is_none_or(|new| stored.get(name) == Some(new));
    let length = head.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    same(&header::ETAG) && same(&header::LAST_MODIFIED) && (length.is_none() || length == body)
}

/// The stored fields brought up to date by a 304's: each field that it has replaces the stored one (§3.2). Hop-by-hop
/// fields are gone from `fresh` before.
pub fn freshen(stored: &HeaderMap, fresh: &HeaderMap) -> HeaderMap {
    let mut merged = stored.clone();
    // An Age that was stored says nothing of the freshened response.
    merged.remove(header::AGE);
    for name in fresh.keys().filter(|name| !NOT_UPDATED.contains(name)) {
        let mut values = fresh.get_all(name).iter();
        if let Some(first) = values.next() {
            merged.insert(name, first.clone());
        }
        for value in values {
            merged.append(name, value.clone());
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::headers;

    #[test]
    fn stored_validators_replace_the_clients_conditions() {
        let mut request =
            headers(&[("if-none-match", "\"client\""), ("range", "bytes=0-1"), ("accept", "*/*")]);
        assert!(add_conditions(&headers(&[("etag", "\"stored\"")]), &mut request));
        assert_eq!(request[header::IF_NONE_MATCH], "\"stored\"");
        assert!(!request.contains_key(header::RANGE) && request.contains_key(header::ACCEPT));
        assert!(!add_conditions(&headers(&[]), &mut request));
        assert!(!request.contains_key(header::IF_NONE_MATCH));
    }

    #[test]
    fn a_304_with_another_validator_does_not_freshen() {
        // RFC 9111 §4.3.4
        let stored = headers(&[("etag", "\"a\""), ("last-modified", "x")]);
        assert!(selects(&stored, &headers(&[("etag", "\"a\"")])));
        assert!(selects(&stored, &headers(&[("etag", "W/\"a\"")])));
        assert!(!selects(&stored, &headers(&[("etag", "\"b\"")])));
        assert!(!selects(&stored, &headers(&[("last-modified", "y")])));
        assert!(selects(&stored, &headers(&[])));
    }

    #[test]
    fn a_304_with_a_strong_validator_speaks_of_what_has_the_same_one() {
        // RFC 9111 §4.3.4: "if none of the initial set contains at least one of the same strong validators", none is updated.
        const LATER: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:38 GMT");
        const MODIFIED: (&str, &str) = ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
        const AT_ONCE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let (weak, strong) = (("etag", "W/\"a\""), ("etag", "\"a\""));
        for (stored, new, selected) in [
            (&[strong][..], &[weak][..], true),
            (&[weak], &[weak], true),
            (&[weak], &[strong], false),
            // As servers say it that compress: their 304 is of what they have compressed.
            (&[weak, MODIFIED, LATER], &[strong, MODIFIED, LATER], true),
            (&[weak, MODIFIED, AT_ONCE], &[strong, MODIFIED, LATER], false),
            (&[weak, MODIFIED, LATER], &[strong, LATER], false),
        ] {
            assert_eq!(selects(&headers(stored), &headers(new)), selected, "{stored:?} {new:?}");
        }
    }

    #[test]
    fn attack_52_a_head_speaks_of_the_stored_response_only_with_the_same_validators() {
        // RFC 9111 §4.3.5
        let stored = headers(&[("etag", "\"a\""), ("last-modified", "x")]);
        for (head, selects) in [
            (&[][..], true),
            (&[("etag", "\"a\"")], true),
            (&[("etag", "\"b\"")], false),
            (&[("last-modified", "y")], false),
            (&[("content-length", "5")], true),
            (&[("content-length", "6")], false),
        ] {
            assert_eq!(head_selects(&stored, &headers(head), Some(5)), selects, "{head:?}");
        }
    }

    #[test]
    fn a_304_replaces_fields_but_not_those_of_the_bytes() {
        // RFC 9111 §3.2
        let stored =
            headers(&[("x-a", "1"), ("x-a", "2"), ("content-length", "5"), ("age", "9"), ("x-b", "b")]);
        let fresh = headers(&[("x-a", "3"), ("content-length", "0"), ("x-c", "c"), ("content-md5", "z")]);
        let merged = freshen(&stored, &fresh);
        let all: Vec<_> = merged.get_all("x-a").iter().collect();
        assert_eq!(all, ["3"]);
        assert_eq!(merged["content-length"], "5");
        // Not stored before, and not of the stored bytes.
        assert!(!merged.contains_key("content-md5"));
        assert!(merged.contains_key("x-b") && merged.contains_key("x-c") && !merged.contains_key("age"));
    }
}
