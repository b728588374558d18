//! Any conditions, validators and digests: evaluated in their order, by strong or weak comparison, and a 304 never changes what
//! describes the stored bytes.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use httpcache::conditional::{Verdict, evaluate};
use httpcache::etag::Etag;
use httpcache::{digest, freshness, hop, validation};
use libfuzzer_sys::fuzz_target;

const ASKED: [&str; 5] =
    ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "want-repr-digest"];

const SAID: [&str; 14] = [
    "etag",
    "last-modified",
    "date",
    "age",
    "content-length",
    "content-encoding",
    "content-range",
    "content-md5",
    "content-digest",
    "repr-digest",
    "connection",
    "transfer-encoding",
    "cache-control",
    "x-other",
];

/// What no 304 may change (RFC 9111 §3.2): it describes the stored bytes.
const OF_BYTES: [&str; 7] = [
    "content-length",
    "content-encoding",
    "content-range",
    "etag",
    "content-md5",
    "content-digest",
    "repr-digest",
];

type Lines = Vec<(u8, Vec<u8>)>;

fuzz_target!(|input: (Lines, Lines, Lines)| {
    let (request, stored, fresh) = input;
    let (request, stored, mut fresh) =
        (headers(&request, &ASKED), headers(&stored, &SAID), headers(&fresh, &SAID));
    conditions(&request, &stored);
    digests(&request, &stored);

    hop::strip(&mut fresh);
    assert!(!fresh.contains_key(header::CONNECTION) && !fresh.contains_key(header::TRANSFER_ENCODING));
    let _ = (validation::selects(&stored, &fresh), validation::head_selects(&stored, &fresh, Some(5)));
    let merged = validation::freshen(&stored, &fresh);
    for name in OF_BYTES {
        assert!(merged.get_all(name).iter().eq(stored.get_all(name).iter()), "{name}");
    }
    for name in ["cache-control", "x-other", "date", "last-modified"] {
        let from = if fresh.contains_key(name) { &fresh } else { &stored };
        assert!(merged.get_all(name).iter().eq(from.get_all(name).iter()), "{name}");
    }
    assert!(merged.get_all("age").iter().eq(fresh.get_all("age").iter()));
    assert_eq!(validation::freshen(&merged, &fresh), merged, "the same 304 again says nothing new");

    let mut question = request.clone();
    let asks = validation::add_conditions(&stored, &mut question);
    assert_eq!(asks, stored.contains_key("etag") || stored.contains_key("last-modified"));
    assert_eq!(question.get("if-none-match"), stored.get("etag"));
    assert_eq!(question.get("if-modified-since"), stored.get("last-modified"));
});

fn headers(lines: &Lines, names: &[&'static str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().take(64) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(names[usize::from(*name) % names.len()]), value);
        }
    }
    headers
}

fn conditions(request: &HeaderMap, stored: &HeaderMap) {
    let etag = stored.get("etag").and_then(Etag::parse);
    let modified = freshness::last_modified_of(stored);
    let verdict = |method: &Method, request: &HeaderMap| evaluate(method, request, etag.as_ref(), modified);
    let (get, put) = (verdict(&Method::GET, request), verdict(&Method::PUT, request));
    assert_eq!(verdict(&Method::HEAD, request), get);
    assert_ne!(put, Verdict::NotModified, "for GET and HEAD alone");
    match get {
        Verdict::NotModified => {
            assert!(request.contains_key("if-none-match") || request.contains_key("if-modified-since"));
        }
        Verdict::PreconditionFailed => {
            assert!(request.contains_key("if-match") || request.contains_key("if-unmodified-since"));
            assert_eq!(put, get);
        }
        Verdict::Proceed => {}
    }
    // Each says nothing beside the better question (RFC 9110 §13.1.3, §13.1.4).
    for (better, worse) in [("if-none-match", "if-modified-since"), ("if-match", "if-unmodified-since")] {
        if request.contains_key(better) {
            let mut without = request.clone();
            without.remove(worse);
            assert_eq!((verdict(&Method::GET, &without), verdict(&Method::PUT, &without)), (get, put));
        }
    }
    // The stored tag itself is always known again, wherever in a list; strongly only where it is strong.
    let Some(etag) = &etag else { return };
    for (name, matched) in [("if-none-match", Verdict::NotModified), ("if-match", Verdict::Proceed)] {
        let mut asked = HeaderMap::new();
        for line in request.get_all(name) {
            asked.append(HeaderName::from_static(name), line.clone());
        }
        asked.append(HeaderName::from_static(name), etag.value().clone());
        let star = request.get_all(name).iter().any(|line| line.as_bytes().contains(&b'*'));
        let expected =
            if name == "if-match" && etag.is_weak() { Verdict::PreconditionFailed } else { matched };
        assert!(star || verdict(&Method::GET, &asked) == expected, "{asked:?}");
    }
}

fn digests(request: &HeaderMap, stored: &HeaderMap) {
    let wanted = digest::is_wanted(request);
    assert!(!wanted || request.contains_key("want-repr-digest"));
    if let Some(sha256) = digest::stated(stored) {
        let mut again = HeaderMap::new();
        again.insert("repr-digest", digest::field(&sha256).expect("32 bytes can be written"));
        assert_eq!(digest::stated(&again), Some(sha256));
    }
}
