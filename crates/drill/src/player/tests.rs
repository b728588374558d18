//! A player against a script, under a clock that stands still.

use super::*;
use crate::fetch::Failure;
use crate::ladder::tests::MAIN;
use crate::tally::Group;
use bytes::Bytes;
use http::StatusCode;
use std::collections::BTreeMap;
use std::fmt::Write;
use tokio::task::LocalSet;

/// What a path answers: how long it takes, and what comes.
type Reply = (Duration, Result<Answer, Failure>);

/// A node: what it answers to `path`, asked for the `nth` time, `at` after the beginning.
type Node = dyn Fn(&str, usize, Duration) -> Reply;

struct Script {
    node: Rc<Node>,
    asked: Rc<RefCell<Vec<(Duration, String)>>>,
    begin: Instant,
}

impl Fetch for Script {
    async fn get(&mut self, ask: Ask<'_>) -> Result<Answer, Failure> {
        let at = self.begin.elapsed();
        let path = ask.path.as_str().to_owned();
        let nth = self.asked.borrow().iter().filter(|(_, asked)| *asked == path).count();
        self.asked.borrow_mut().push((at, path.clone()));
        let (takes, answer) = (self.node)(&path, nth, at);
        sleep(takes).await;
        answer.map(|answer| Answer { took: takes, ..answer })
    }
}

const MS: Duration = Duration::from_millis(1);

fn manners() -> Manners {
    Manners {
        speed: Speed::REAL,
        ahead: Duration::from_secs(30),
        watch: Duration::MAX,
        start: StartRung::Lowest,
        max_height: u32::MAX,
        patience: Duration::from_secs(900),
    }
}

/// One player, and what came of it: its group, what it asked for and when, and how long it stayed.
fn play(
    manners: Manners,
    limit: Duration,
    node: impl Fn(&str, usize, Duration) -> Reply + 'static,
) -> (Group, Vec<(Duration, String)>, Duration) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let world = World::new(manners, 1, Arc::default());
        let (node, asked, begin): (Rc<Node>, _, _) =
            (Rc::new(node), Rc::<RefCell<Vec<_>>>::default(), Instant::now());
        let line = || Script { node: Rc::clone(&node), asked: Rc::clone(&asked), begin };
        let viewer = Viewer { group: 0, path: "/p/x/main.m3u8".parse().unwrap(), av1: false };
        let _ = tokio::time::timeout(limit, watch(Rc::clone(&world), viewer, [line(), line()])).await;
        let group = world.tally.borrow().groups[0].clone();
        let asked = asked.borrow().clone();
        (group, asked, begin.elapsed())
    })
}

fn text(text: &str) -> Answer {
    Answer { text: Bytes::copy_from_slice(text.as_bytes()), bytes: text.len() as u64, ..Answer::default() }
}

fn status(code: u16, retry_after_s: Option<u64>) -> Answer {
    let retry_after = retry_after_s.map(Duration::from_secs);
    Answer { status: StatusCode::from_u16(code).unwrap(), retry_after, ..Answer::default() }
}

fn lesson(segments: usize) -> String {
    let list = (0..segments).fold(String::new(), |mut list, number| {
        let _ = write!(list, "#EXTINF:4.800,\n{number:05}.m4s\n");
        list
    });
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-MAP:URI=\"init.mp4\"\n{list}#EXT-X-ENDLIST\n")
}

/// A node with a lesson on a line of `bits` a second, and 5 ms to it.
fn node(bits: u64, segments: usize) -> impl Fn(&str) -> Reply {
    let list = lesson(segments);
    move |path| {
        let answer = if path == "/p/x/main.m3u8" {
            text(MAIN)
        } else if path.ends_with("index.m3u8") {
            text(&list)
        } else {
            let rate = match path.split('/').nth(3) {
                Some("s0") => 148_000,
                Some("s2") => 636_000,
                Some("s4") => 1_936_000,
                Some("audio") if path.contains("/lo/") => 32_000,
                _ => 64_000,
            };
            let bytes = if path.ends_with("init.mp4") { 800 } else { rate * 48 / 80 };
            Answer { bytes, ..Answer::default() }
        };
        (5 * MS + Duration::from_micros(answer.bytes * 8_000_000 / bits), Ok(answer))
    }
}

fn count(asked: &[(Duration, String)], part: &str) -> usize {
    asked.iter().filter(|(_, path)| path.contains(part)).count()
}

#[test]
fn a_lesson_is_watched_to_its_end() {
    let lesson = node(20_000_000, 25);
    let (group, asked, stayed) = play(manners(), Duration::MAX, move |path, _, _| lesson(path));
    assert_eq!((group.arrived, group.finished, group.gave_up, group.stalls), (1, 1, 0, 0));
    assert_eq!(group.errors.iter().sum::<u64>(), 0);
    assert_eq!(group.requests as usize, asked.len());
    assert!(group.startups_ms[0] < 250, "{:?}", group.startups_ms);
    // 25 segments of 4.8 s, behind the start.
    assert!((120_000..120_400).contains(&stayed.as_millis()), "{stayed:?}");
    assert_eq!(group.watched, Duration::from_secs(120));
    // It starts on the lowest rung and goes up as soon as it has measured the line; its sound follows.
    assert_eq!((count(&asked, "/s0/0"), count(&asked, "/s4/0")), (1, 24));
    assert_eq!(
        (count(&asked, "/audio/lo/0") + count(&asked, "/audio/hi/0"), count(&asked, "init.mp4")),
        (25, 4)
    );
    // The buffer is filled at once, and then a segment at a time.
    let pictures = asked.iter().filter(|(_, path)| path.contains("/s4/0"));
    let soon = pictures.filter(|(at, _)| *at < Duration::from_secs(10)).count();
    assert!((6..=9).contains(&soon), "{soon}");
}

#[test]
fn ten_times_as_fast_takes_a_tenth() {
    let lesson = node(200_000_000, 25);
    let speed = "10".parse().unwrap();
    let (group, _, stayed) =
        play(Manners { speed, ..manners() }, Duration::MAX, move |path, _, _| lesson(path));
    assert_eq!((group.finished, group.stalls, group.watched), (1, 0, Duration::from_secs(120)));
    assert!((12_000..12_400).contains(&stayed.as_millis()), "{stayed:?}");
}

#[test]
fn a_player_that_wants_a_part_leaves_after_it() {
    let lesson = node(20_000_000, 250);
    let watch = Duration::from_secs(12);
    let (group, asked, stayed) =
        play(Manners { watch, ..manners() }, Duration::MAX, move |path, _, _| lesson(path));
    assert_eq!((group.finished, count(&asked, "/audio/")), (1, count(&asked, "/audio/")));
    // Three segments hold it.
    assert_eq!(count(&asked, "/s0/0") + count(&asked, "/s4/0"), 3);
    assert!(stayed < Duration::from_secs(15), "{stayed:?}");
}

#[test]
fn a_line_that_gets_worse_costs_rungs_and_no_picture() {
    let (good, bad) = (node(20_000_000, 50), node(500_000, 50));
    let cut = Duration::from_secs(20);
    let (group, asked, _) =
        play(manners(), Duration::MAX, move |path, _, at| if at < cut { good(path) } else { bad(path) });
    assert_eq!((group.finished, group.stalls), (1, 0));
    let last = asked.iter().rev().find(|(_, path)| path.ends_with("m4s") && path.contains("/s"));
    assert!(last.is_some_and(|(_, path)| path.contains("/s0/")), "{last:?}");
}

#[test]
fn a_line_that_is_cut_is_a_stall_of_its_length() {
    let lesson = node(20_000_000, 50);
    // For 60 s nothing is answered; then what was asked for comes.
    let (from, to) = (Duration::from_secs(20), Duration::from_secs(80));
    let (group, ..) = play(manners(), Duration::MAX, move |path, _, at| {
        let (takes, answer) = lesson(path);
        if at >= from && at < to { (to - at + takes, answer) } else { (takes, answer) }
    });
    assert_eq!((group.finished, group.stalls, group.disturbed), (1, 1, 1));
    // It had 30 s ahead at least, less a segment.
    assert!((25..=35).contains(&group.stalled.as_secs()), "{:?}", group.stalled);
}

#[test]
fn errors_are_counted_and_got_over() {
    let lesson = node(20_000_000, 10);
    let (group, _, _) = play(manners(), Duration::MAX, move |path, nth, _| match path {
        "/p/x/s0/00000.m4s" if nth < 2 => (MS, Err(Failure { kind: ErrorKind::Truncated, bytes: 10 })),
        "/p/x/main.m3u8" if nth == 0 => (MS, Ok(status(500, None))),
        path => lesson(path),
    });
    assert_eq!((group.finished, group.retries), (1, 3));
    assert_eq!(group.errors[ErrorKind::Truncated.index()], 2);
    assert_eq!(group.errors[ErrorKind::Server.index()], 1);
    // 1 s before the second try of the main playlist, 1 s and 2 s before those of the segment.
    assert!((4_000..4_300).contains(&group.startups_ms[0]), "{:?}", group.startups_ms);
}

#[test]
fn what_is_not_there_ends_a_player() {
    let lesson = node(20_000_000, 10);
    let (group, asked, _) = play(manners(), Duration::MAX, move |path, _, _| match path {
        path if path.contains("/audio/") && path.ends_with("00003.m4s") => (MS, Ok(status(404, None))),
        path => lesson(path),
    });
    assert_eq!((group.finished, group.gave_up, count(&asked, "00003.m4s")), (0, 1, 1));
    assert_eq!(group.errors.iter().sum::<u64>(), 1);
}

#[test]
fn being_put_off_is_no_error_and_no_part_of_starting() {
    let lesson = node(20_000_000, 10);
    let (group, asked, _) = play(manners(), Duration::MAX, move |path, nth, _| match path {
        "/p/x/main.m3u8" if nth == 0 => (MS, Ok(status(403, Some(30)))),
        "/p/x/main.m3u8" if nth < 3 => (MS, Ok(status(503, Some(20)))),
        path => lesson(path),
    });
    assert_eq!((group.finished, group.holds, group.errors.iter().sum::<u64>()), (1, [2, 1], 0));
    assert_eq!(count(&asked, "main.m3u8"), 4);
    assert!((70_000..70_100).contains(&group.held_ms[0]), "{:?}", group.held_ms);
    assert!(group.startups_ms[0] < 250, "{:?}", group.startups_ms);
}

#[test]
fn patience_ends() {
    let (group, asked, stayed) = play(manners(), Duration::MAX, |_, _, _| (MS, Ok(status(503, Some(400)))));
    assert_eq!((group.gave_up, count(&asked, "main"), group.errors[ErrorKind::Patience.index()]), (1, 3, 1));
    assert!(stayed < Duration::from_secs(900));
}

#[test]
fn whoever_watches_and_is_refused_has_an_error() {
    let lesson = node(20_000_000, 20);
    let (group, ..) = play(manners(), Duration::MAX, move |path, nth, _| match path {
        path if path.ends_with("00008.m4s") && nth == 0 => (MS, Ok(status(503, Some(5)))),
        path => lesson(path),
    });
    assert_eq!((group.finished, group.holds, group.stalls), (1, [0, 0], 0));
    assert_eq!(group.errors[ErrorKind::Unavailable.index()], 2);
}

/// A channel of two programmes that change at segment 110: six segments of 4.8 s, the last of them on air since `at`.
fn window(at: Duration) -> String {
    let last = 105 + at.as_millis() as u64 / 4_800;
    let first = last - 5;
    let mut list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    for number in first..=last {
        let programme = if number < 110 { "a" } else { "b" };
        if number == first || number == 110 {
            let _ = write!(list, "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"{programme}/init.mp4\"\n");
        }
        let _ = write!(list, "#EXTINF:4.800,\n{programme}/{number:05}.m4s\n");
    }
    list
}

fn channel(path: &str, at: Duration) -> Reply {
    let answer = match path {
        "/p/x/main.m3u8" => text(MAIN),
        path if path.ends_with("index.m3u8") => text(&window(at)),
        _ => Answer { bytes: 50_000, ..Answer::default() },
    };
    (20 * MS, Ok(answer))
}

#[test]
fn a_channel_is_followed_over_a_change_of_programme() {
    let (group, asked, _) = play(manners(), Duration::from_secs(120), |path, _, at| channel(path, at));
    assert_eq!((group.stalls, group.gave_up, group.errors.iter().sum::<u64>()), (0, 0, 0));
    // Every segment of both tracks once, from three before the end on.
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for (_, path) in asked.iter().filter(|(_, path)| path.ends_with(".m4s")) {
        *numbers.entry(path[path.len() - 9..].to_owned()).or_default() += 1;
    }
    assert_eq!(numbers.keys().next().map(String::as_str), Some("00103.m4s"));
    assert!(numbers.len() > 24 && numbers.values().all(|&times| times == 2), "{numbers:?}");
    // No more often than each target duration or so.
    let lists =
        count(&asked, "/s0/index.m3u8") + count(&asked, "/s4/index.m3u8") + count(&asked, "/s2/index.m3u8");
    assert!((20..=50).contains(&lists), "{lists}");
}

#[test]
fn a_player_that_slept_comes_back_into_the_window() {
    // One playlist takes a minute to come.
    let (group, ..) = play(manners(), Duration::from_secs(180), |path, _, at| {
        let (takes, answer) = channel(path, at);
        let slow = (30..31).contains(&at.as_secs()) || (60..62).contains(&at.as_secs());
        if slow && path.ends_with("m4s") { (Duration::from_secs(60), answer) } else { (takes, answer) }
    });
    assert!(group.errors[ErrorKind::Behind.index()] >= 1 && group.stalls >= 1, "{group:?}");
    assert_eq!(group.gave_up, 0);
}

#[test]
fn a_gap_is_not_asked_for() {
    let list = lesson(3).replacen("#EXTINF", "#EXT-X-GAP\n#EXTINF", 2);
    let (group, asked, _) = play(manners(), Duration::MAX, move |path, _, _| match path {
        "/p/x/main.m3u8" => (MS, Ok(text(MAIN))),
        path if path.ends_with("index.m3u8") => (MS, Ok(text(&list))),
        _ => (MS, Ok(Answer { bytes: 1_000, ..Answer::default() })),
    });
    assert_eq!(
        (group.finished, count(&asked, "00000.m4s"), group.watched),
        (1, 0, 3 * Duration::from_millis(4_800))
    );
}
