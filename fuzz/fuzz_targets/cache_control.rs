//! Any fields of a response: its rules can be read, and what forbids keeping or reuse is never talked away.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use httpcache::directives::{RequestDirectives, ResponseDirectives};
use httpcache::freshness::{Freshness, State};
use httpcache::policy::Policy;
use httpcache::storable::{Asked, storable};
use httpcache::{content_range, hop, validation, vary};
use libfuzzer_sys::fuzz_target;
use std::time::{Duration, UNIX_EPOCH};

/// The fields that the rules look at.
const NAMES: [&str; 14] = [
    "cache-control",
    "cdn-cache-control",
    "expires",
    "date",
    "age",
    "last-modified",
    "etag",
    "vary",
    "set-cookie",
    "connection",
    "content-range",
    "pragma",
    "accept-language",
    "content-language",
];

fuzz_target!(|input: (u16, u32, Vec<(u8, Vec<u8>)>)| {
    let (status, resident, fields) = input;
    let Ok(status) = StatusCode::from_u16(status) else { return };
    let mut headers = HeaderMap::new();
    for (name, value) in &fields {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(NAMES[usize::from(*name) % NAMES.len()]), value);
        }
    }
    hop::strip(&mut headers);
    let policy = Policy::default();
    let directives = ResponseDirectives::targeted(&headers, &policy.targets);
    let plain = ResponseDirectives::read(&headers);
    let asked = Asked {
        method: &Method::GET,
        located: false,
        part: false,
        authorized: false,
        directives: RequestDirectives::read(&headers),
    };
    let kept = storable(&asked, status, &headers, &directives, &policy).is_ok();
    assert!(!kept || !directives.private);
    assert!(!kept || !directives.no_store || directives.must_understand);
    assert!(!kept || !plain.private || directives.targeted);
    assert!(!kept || !headers.contains_key("set-cookie"));
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let freshness = Freshness::of(status, &headers, &directives, now, Duration::ZERO, &policy);
    let resident = Duration::from_secs(resident.into());
    if freshness.state(resident) == State::Fresh {
        assert!(freshness.age(resident) < freshness.lifetime);
        assert!(!directives.no_cache);
    }
    if directives.must_revalidate {
        assert!(!freshness.may_serve_on_error(resident, Duration::ZERO));
    }
    if let Some(names) = vary::names(&headers) {
        let key = names.secondary_key(&headers);
        assert_eq!(key, names.secondary_key(&headers));
        let _ = (names.own_language_key(&headers), names.written_language_key(&headers, &headers));
    }
    let _ = headers.get("content-range").map(content_range::parse);
    let _ = validation::freshen(&headers, &headers);
});
