use super::*;
use crate::overload::Caps;
use bytes::Bytes;
use std::future::poll_fn;
use std::time::Duration;
use telemetry::Telemetry;
use units::ByteCount;

const RATE: BitRate = BitRate(8_000_000);

fn overload() -> Overload {
    let metrics = Arc::new(Metrics::register(&Telemetry::new("test")));
    Overload::new(
        Caps { bandwidth: None, ram: ByteCount::mib(64), memory: None, cores: 2, shed: true },
        &metrics,
    )
}

fn caps(rate: BitRate, at_once: usize) -> ResourceCaps {
    ResourceCaps { rate: Some(rate), at_once: Some(at_once), cap: None }
}

fn resources(at_once: usize) -> Resources {
    Resources::new(caps(RATE, at_once), &Arc::new(Metrics::register(&Telemetry::new("test"))))
}

/// Downloads `bytes` in blocks, as a stored body gives them.
async fn download(place: Place, bytes: usize) {
    let mut paced = Paced::new(place);
    let mut left = bytes;
    while left > 0 {
        let block = left.min(256 << 10);
        paced.take(Bytes::from(vec![0; block]));
        left -= block;
        while let Some(piece) = poll_fn(|cx| paced.poll_piece(cx)).await {
            assert!(piece.unwrap().len() <= 64 << 10);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_downloads_together_take_the_line_and_no_more() {
    let (resources, overload) = (resources(100), overload());
    let began = Instant::now();
    let all: Vec<_> =
        (0..50).map(|_| tokio::spawn(download(resources.admit(&overload).unwrap(), 1_000_000))).collect();
    for one in all {
        one.await.unwrap();
    }
    // 50 MB at 8 Mbit/s; the last piece goes when its turn begins.
    let took = began.elapsed();
    assert!((49_500..=50_000).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_more_the_node_is_pressed_the_less_they_get_and_never_nothing() {
    let overload = overload();
    let mut before = Duration::ZERO;
    for (level, times) in [(Level::Calm, 1), (Level::Busy, 2), (Level::High, 8), (Level::Critical, 32)] {
        overload.press(level);
        let resources = resources(1);
        let began = Instant::now();
        download(resources.admit(&overload).unwrap(), 1_000_000).await;
        let took = began.elapsed();
        assert!(took > before && took <= Duration::from_secs(times), "{level:?}: {took:?}");
        before = took;
    }
}

#[test]
fn places_are_counted_and_given_back() {
    let (resources, overload) = (resources(2), overload());
    let (one, two) = (resources.admit(&overload), resources.admit(&overload));
    assert_eq!(resources.admit(&overload).err(), Some(Full));
    drop(one);
    assert!(resources.admit(&overload).is_ok());
    drop(two);
}

/// Of a place that nobody takes anything by, nobody has anything: whoever comes has it.
#[tokio::test(start_paused = true)]
async fn who_takes_nothing_loses_its_place_when_another_wants_it() {
    for begins in [true, false] {
        is_lost(begins).await;
    }
}

async fn is_lost(begins: bool) {
    let (resources, overload) = (resources(2), overload());
    let next = async |paced: &mut Paced| {
        paced.take(Bytes::from(vec![0; 64 << 10]));
        poll_fn(|cx| paced.poll_piece(cx)).await.is_some_and(|piece| piece.is_ok())
    };
    let mut stands = Paced::new(resources.admit(&overload).unwrap());
    let mut goes = Paced::new(resources.admit(&overload).unwrap());
    assert!(!begins || next(&mut stands).await);
    for _ in 0..12 {
        assert!(next(&mut goes).await);
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    let came = resources.admit(&overload).unwrap();
    assert_eq!(resources.admit(&overload).err(), Some(Full));
    assert_eq!(resources.0.metrics.places_lost(PlaceFor::Download), 1);
    assert!(next(&mut goes).await && !next(&mut stands).await);
    drop(stands);
    assert_eq!(resources.admit(&overload).err(), Some(Full), "its place is another's");
    drop((came, goes));
    assert!([(); 2].map(|()| resources.admit(&overload)).iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn a_reload_changes_the_line_under_downloads_that_run() {
    let (resources, overload) = (resources(1), overload());
    let place = resources.admit(&overload).unwrap();
    // A megabyte a second, and from here on ten.
    let began = Instant::now();
    resources.keep_to(&caps(BitRate(80_000_000), 2));
    download(place, 1_000_000).await;
    assert!(began.elapsed() < Duration::from_millis(101), "{:?}", began.elapsed());
    let both = (resources.admit(&overload).unwrap(), resources.admit(&overload).unwrap());
    resources.keep_to(&caps(RATE, 1));
    drop(both.0);
    assert_eq!(resources.admit(&overload).err(), Some(Full), "who has a place keeps it");
    drop(both.1);
    assert!(resources.admit(&overload).is_ok());
}

#[test]
fn a_line_that_was_idle_saves_nothing_up() {
    let (mut line, now) = (Line::default(), Instant::now());
    let later = now + Duration::from_secs(60);
    assert_eq!(line.turn(1_000_000, RATE.0, now), now);
    assert_eq!(line.turn(1_000_000, RATE.0, now), now + Duration::from_secs(1));
    assert_eq!(line.turn(1_000_000, RATE.0, later), later);
    assert_eq!(line.turn(1_000_000, RATE.0, later), later + Duration::from_secs(1));
}

#[test]
fn what_is_theirs_is_a_fifth_where_nobody_says_otherwise() {
    let resolve = |rate, at_once, cap| {
        ResourceCaps::resolve(rate, at_once, cap).map(|caps| (caps.rate().0, caps.places()))
    };
    // As many as get 256 kB/s each.
    assert_eq!(resolve(None, None, Some(BitRate(10_000_000_000))).unwrap(), (2_000_000_000, 976));
    assert_eq!(resolve(None, None, None).unwrap(), (200_000_000, 97));
    assert_eq!(resolve(None, None, Some(BitRate(5_000_000))).unwrap(), (1_000_000, 4));
    assert_eq!(resolve(Some(BitRate(100_000_000_000)), None, None).unwrap(), (100_000_000_000, 2_048));
    assert_eq!(resolve(Some(BitRate(5)), Some(7), None).unwrap(), (5, 7));
    assert!(resolve(Some(BitRate(0)), None, None).unwrap_err().to_string().contains("resource_rate"));
    assert!(resolve(None, Some(0), None).unwrap_err().to_string().contains("resources_at_once"));
}

#[test]
fn only_what_lies_below_its_prefix_is_one() {
    for (path, is_one) in [
        ("/r/0123.pdf", true),
        ("/r", false),
        ("/p/r/x.m4s", false),
        ("/resources/index.json", false),
        ("/R/x", false),
    ] {
        assert_eq!(Resources::is_one(path), is_one, "{path}");
    }
}
