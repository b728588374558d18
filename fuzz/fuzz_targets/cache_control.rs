//! Any fields of a response: its rules can be read, and what forbids keeping or reuse is never talked away.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use httpcache::directives::{RequestDirectives, ResponseDirectives};
use httpcache::freshness::{Freshness, State};
use httpcache::policy::{Policy, UnreadableAge};
use httpcache::storable::{Asked, storable};
use httpcache::{content_range, hop, vary};
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

/// The largest time that a directive can say (RFC 9111 §1.2.2), and the last HTTP date of all.
const MOST: Duration = Duration::from_secs(1 << 31);
const LAST_DATE: u64 = 253_402_300_799;

fuzz_target!(|input: (u16, u64, u64, u32, Vec<(u8, Vec<u8>)>)| {
    let (status, resident, now, delay, fields) = input;
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
        authorized: status.as_u16() % 2 == 0,
        cookie: status.as_u16() % 3 == 0,
        directives: RequestDirectives::read(&headers),
    };
    let kept = storable(&asked, status, &headers, &directives, &policy).is_ok();
    assert!(!kept || !directives.private);
    assert!(!kept || !directives.no_store || directives.must_understand);
    assert!(!kept || !plain.private || directives.targeted);
    assert!(!kept || !headers.contains_key("set-cookie"));
    said(&headers, &directives, &plain);
    let now = UNIX_EPOCH + Duration::from_secs(now % LAST_DATE);
    let delay = Duration::from_millis(delay.into());
    let freshness = Freshness::of(status, &headers, &directives, now, delay, &policy);
    let resident = Duration::from_secs(resident);
    assert!(freshness.lifetime <= Duration::from_secs(LAST_DATE));
    assert!(freshness.age(resident) >= resident);
    let doubtful = Policy { unreadable_age: UnreadableAge::Stale, ..policy };
    let doubted = Freshness::of(status, &headers, &directives, now, delay, &doubtful);
    assert!(doubted.lifetime == freshness.lifetime || doubted.lifetime.is_zero());
    // What a client asks for makes nothing fresher, except by `max-stale`, which says by how much.
    if freshness.suits(&asked.directives, resident) && !freshness.immutable {
        assert!(!asked.directives.no_cache);
        assert!(asked.directives.max_age.is_none_or(|limit| freshness.age(resident) <= limit));
    }
    if freshness.is_stale_enough_for(&asked.directives, resident) {
        assert!(asked.directives.max_stale.is_some() && !directives.forbids_stale());
    }
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
});

/// What holds of the directives themselves.
fn said(headers: &HeaderMap, directives: &ResponseDirectives, plain: &ResponseDirectives) {
    for read in [directives, plain] {
        let times = [read.max_age, read.s_maxage, read.stale_while_revalidate, read.stale_if_error];
        assert!(times.into_iter().flatten().all(|time| time <= MOST));
    }
    assert!(!plain.targeted);
    assert!(directives.targeted || directives == plain, "without a targeted field, Cache-Control holds");
    assert!(!directives.targeted || headers.contains_key("cdn-cache-control"));
    // Said once more, whatever forbids still does, and no time grows.
    let mut more = headers.clone();
    more.append(
        "cache-control",
        HeaderValue::from_static("no-store, max-age=60, private=\"x, y\", NO-CACHE"),
    );
    let more = ResponseDirectives::read(&more);
    assert!(more.no_store && more.private && more.no_cache);
    assert!(more.max_age <= Some(Duration::from_secs(60)));
    assert!(plain.max_age.is_none_or(|before| more.max_age <= Some(before)));
    // One that is malformed counts as if it were not there (RFC 9213 §2.2).
    let mut spoilt = headers.clone();
    spoilt.append("cdn-cache-control", HeaderValue::from_static("max-age=\"60"));
    let targets = Policy::default().targets;
    assert_eq!(ResponseDirectives::targeted(&spoilt, &targets), *plain);
}
