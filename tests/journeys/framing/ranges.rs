//! Attacks 50 and 53 to 58: what is large and asked for in parts.

use crate::Scene;
use crate::caching::{KEPT, ask};
use journeys::process::metric;
use journeys::raw::{Heard, Loose};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What of an object lies in one piece.
const BLOCK: u64 = 256 * 1_024;
/// More of a body than anybody should want is not even made.
const MOST: u64 = 8 * 1_024 * 1_024;

/// What an origin says that has an object of `length` bytes, all of them `byte`; and how many of them it says.
fn part(request: &Heard, length: u64, byte: u8) -> (Vec<u8>, u64) {
    let range = request.values("range").concat();
    let wanted = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let (first, last, status) = match wanted {
        Some(("", suffix)) => (length - suffix.parse::<u64>().unwrap_or(0).min(length), length - 1, "206"),
        Some((first, "")) => (first.parse().unwrap_or(0), length - 1, "206"),
        Some((first, last)) => {
            (first.parse().unwrap_or(0), last.parse().unwrap_or(u64::MAX).min(length - 1), "206")
        }
        None => (0, length - 1, "200"),
    };
    let wanted = last + 1 - first;
    let place = if status == "206" {
        format!("Content-Range: bytes {first}-{last}/{length}\r\n")
    } else {
        String::new()
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\n{KEPT}ETag: \"{byte}\"\r\nAccept-Ranges: bytes\r\n{place}Content-Length: {wanted}\r\n\r\n"
    );
    let body = if request.method == "HEAD" { 0 } else { wanted.min(MOST) };
    ([head.into_bytes(), vec![byte; usize::try_from(body).expect("bounded")]].concat(), body)
}

/// RangeAmp, one small range of what is large: the origin sends two blocks at most.
#[test]
fn attack_53_one_byte_of_a_gigabyte_costs_the_origin_two_blocks() {
    const GIGABYTE: u64 = 1_000_000_000;
    let sent = Arc::new(AtomicU64::new(0));
    let all = Arc::clone(&sent);
    let scene = Scene::before(Loose::start(move |request| {
        let (bytes, body) = part(request, GIGABYTE, b'1');
        all.fetch_add(body, Ordering::SeqCst);
        bytes
    }));
    let before = || sent.swap(0, Ordering::SeqCst);
    for (number, (range, length)) in [
        ("bytes=0-0", 1),
        ("bytes=-1", 1),
        ("bytes=262143-262144", 2),
        ("bytes=500000000-500000000", 1),
        ("bytes=999999999-18446744073709551615", 1),
    ]
    .iter()
    .enumerate()
    {
        let answered = ask(&scene, &format!("/{number}"), format!("Range: {range}\r\n"));
        assert_eq!((answered.status, answered.body.len()), (206, *length), "{range}: {}", answered.head);
        let cost = before();
        assert!(cost <= 2 * BLOCK, "{range} costs {cost}");
    }
}

/// RangeAmp at an origin that ignores Range: no more of a body comes than somebody wants of it, and a crowd wants no more than one.
#[test]
fn attack_53_one_byte_of_an_origin_without_ranges_costs_it_two_blocks() {
    const CROWD: usize = 20;
    let scene = Scene::before(Loose::start(|request| {
        let length = if request.target.contains("long") { 100_000_000 } else { 20_000_000 };
        let tag = if request.target.contains("tagged") { "ETag: \"1\"\r\n" } else { "" };
        let head = format!("HTTP/1.1 200 OK\r\n{KEPT}{tag}Content-Length: {length}\r\n\r\n");
        [head.into_bytes(), vec![b'1'; length]].concat()
    }));
    let fetched = || metric(scene.edge.admin, "edge_fill_bytes_total");
    let ask = |target: &str, range: &str, length: usize| {
        let answered = ask(&scene, target, format!("Range: bytes={range}\r\n"));
        assert_eq!((answered.status, answered.body.len()), (206, length), "{target}: {}", answered.head);
    };
    for (target, range, length) in [
        ("/x", "0-0", 1),
        ("/tagged", "0-0", 1),
        ("/long", "0-0", 1),
        ("/border", "262143-262144", 2),
        ("/together", "0-0,2-2", 3),
    ] {
        for askers in [1, CROWD] {
            let before = fetched();
            std::thread::scope(|scope| {
                for _ in 0..askers {
                    scope.spawn(|| ask(target, range, length));
                }
            });
            while metric(scene.edge.admin, "edge_fills_in_flight") > 0.0 {}
            // Who comes when the others have theirs asks anew.
            let asked = scene.origin.take().len() as f64;
            let cost = (fetched() - before) / asked;
            assert!(cost <= 2.0 * BLOCK as f64, "{target} costs {askers} {cost}, {asked} times");
        }
    }
}

/// RangeAmp, many ranges that overlap: no answer is much larger than the object.
#[test]
fn attacks_54_to_57_ranges_that_overlap_stand_on_their_head_or_are_none() {
    const LENGTH: u64 = 100_000;
    let scene = Scene::before(Loose::start(|request| part(request, LENGTH, b'1').0));
    assert_eq!(ask(&scene, "/x", "").body.len() as u64, LENGTH);
    for (range, status) in [
        (format!("bytes=0-{}", ",0-".repeat(1_000)), None),
        (format!("bytes={}", vec!["0-99999"; 1_000].join(",")), None),
        ("bytes=900-999,0-99".to_owned(), None),
        ("bytes=18446744073709551615-".to_owned(), Some(416)),
        ("bytes=18446744073709551616-".to_owned(), None),
        ("bytes=-0".to_owned(), Some(416)),
        ("bytes=5-4".to_owned(), Some(200)),
    ] {
        let answered = ask(&scene, "/x", format!("Range: {range}\r\n"));
        let shown = &range[..range.len().min(60)];
        assert!(matches!(answered.status, 200 | 206 | 416), "{shown}: {}", answered.head);
        assert!(status.is_none_or(|status| status == answered.status), "{shown}: {}", answered.head);
        assert!(answered.body.len() as u64 <= LENGTH + 1_000, "{shown}: {}", answered.body.len());
    }
    assert_eq!(scene.origin.targets(), ["/x"]);
}

#[test]
fn attack_58_a_range_of_what_was_another_object_is_the_whole_of_this() {
    const LENGTH: u64 = 1_000;
    let scene = Scene::before(Loose::start(|request| part(request, LENGTH, b'1').0));
    for (condition, status) in [("\"50\"", 200), ("W/\"49\"", 200), ("\"49\"", 206), ("x", 200)] {
        for target in ["/warm".to_owned(), format!("/{}", condition.len())] {
            let answered = ask(&scene, &target, format!("Range: bytes=0-9\r\nIf-Range: {condition}\r\n"));
            let length = if answered.status == 206 { 10 } else { LENGTH };
            assert_eq!((answered.status, answered.body.len() as u64), (status, length), "{condition}");
        }
    }
}

/// Half of it is held when it becomes another: nobody is given a part of each.
#[test]
fn attack_50_an_object_that_changes_between_its_blocks_is_one_or_the_other() {
    const LENGTH: u64 = 4 * BLOCK;
    let changed = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&changed);
    let scene = Scene::before(Loose::start(move |request| {
        let byte = if other.load(Ordering::SeqCst) { b'2' } else { b'1' };
        part(request, LENGTH, byte).0
    }));
    for number in 0..4 {
        let target = format!("/{number}");
        changed.store(false, Ordering::SeqCst);
        let first = number * BLOCK;
        let held = ask(&scene, &target, format!("Range: bytes={first}-{first}\r\n"));
        assert_eq!((held.status, held.body.as_str()), (206, "1"), "{}", held.head);
        changed.store(true, Ordering::SeqCst);
        // The answer has begun when it is found out, or not; and then it is known.
        let found = ask(&scene, &target, "");
        let bytes = found.body.as_bytes();
        assert!(bytes.iter().all(|byte| Some(byte) == bytes.first()), "{}", found.head);
        let again = ask(&scene, &target, "");
        assert_eq!((again.status, again.body.len() as u64), (200, LENGTH), "{}", again.head);
        assert!(again.body.bytes().all(|byte| byte == b'2'), "{}", again.head);
    }
}
