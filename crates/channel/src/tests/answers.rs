//! What goes over the wire.

use super::sample::two_days;
use super::*;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use std::cell::Cell;
use std::io::Read;

const PATH: &str = "/channels/junior/s2.m3u8";

fn request(fields: &[(HeaderName, &str)]) -> HeaderMap {
    fields.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
}

#[test]
fn a_playlist_is_made_once_for_all_who_ask_within_a_segment() {
    let plans = two_days();
    let (kept, made) = (Kept::default(), Cell::new(0));
    let ask = |edition, moment| {
        let days = || {
            made.set(made.get() + 1);
            days_of(&plans)
        };
        let Some(Answer::Playlist(answer)) =
            kept.answer((&Method::GET, PATH, &HeaderMap::new()), edition, days, moment)
        else {
            panic!("no playlist")
        };
        answer
    };
    let first = ask(1, at("08:30:00"));
    assert_eq!(first.headers()[header::CACHE_CONTROL], "public, max-age=4");
    assert_eq!(first.headers()[header::CONTENT_TYPE], "application/vnd.apple.mpegurl");
    assert_eq!(first.headers()[header::LAST_MODIFIED], "Tue, 01 Sep 2026 00:30:00 GMT");
    let later = ask(1, at("08:30:04.799"));
    assert_eq!(later.headers()[header::CACHE_CONTROL], "public, max-age=0");
    assert_eq!((first.body(), made.get()), (later.body(), 1));
    assert_ne!(first.body(), ask(1, at("08:30:04.800")).body());
    assert_eq!(made.get(), 2);
    // Another edition of the plan: at once.
    ask(2, at("08:30:04.900"));
    assert_eq!(made.get(), 3);
}

#[test]
fn conditions_methods_and_codings() {
    let plans = two_days();
    let kept = Kept::default();
    let ask = |method: &Method, fields: &[(HeaderName, &str)]| match kept.answer(
        (method, PATH, &request(fields)),
        1,
        || days_of(&plans),
        at("08:30:01"),
    )? {
        Answer::Playlist(answer) => Some(answer),
        Answer::Ahead(_) => None,
    };
    let plain = ask(&Method::GET, &[]).unwrap();
    let gzip = ask(&Method::GET, &[(header::ACCEPT_ENCODING, "gzip")]).unwrap();
    assert_eq!(gzip.headers()[header::CONTENT_ENCODING], "gzip");
    assert_ne!(gzip.headers()[header::ETAG], plain.headers()[header::ETAG]);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&gzip.body()[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body()[..]);
    assert!(gzip.body().len() * 8 < plain.body().len(), "{} of {}", gzip.body().len(), plain.body().len());
    let tag = plain.headers()[header::ETAG].to_str().unwrap();
    let same = ask(&Method::GET, &[(header::IF_NONE_MATCH, tag)]).unwrap();
    assert_eq!((same.status(), same.body().len()), (StatusCode::NOT_MODIFIED, 0));
    let head = ask(&Method::HEAD, &[]).unwrap();
    assert_eq!(
        (head.body().len(), &head.headers()[header::CONTENT_LENGTH]),
        (0, &plain.headers()[header::CONTENT_LENGTH])
    );
    assert!(ask(&Method::POST, &[]).is_none());
}

#[test]
fn what_the_plan_does_not_know_is_somebody_elses() {
    let plans = two_days();
    let kept = Kept::default();
    let ask = |path: &str| {
        kept.answer((&Method::GET, path, &HeaderMap::new()), 1, || days_of(&plans), at("08:00:00"))
    };
    assert!(ask("/channels/other/s2.m3u8").is_none());
    assert!(ask("/lessons/maths/main.m3u8").is_none());
    let ahead = ask("/channels/junior/programmes/2026-09-01/maths/main.m3u8");
    assert!(matches!(ahead, Some(Answer::Ahead(begins)) if begins == at("08:30:00")));
}
