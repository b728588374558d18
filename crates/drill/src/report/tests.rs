//! A report to look at, and what its numbers are.

use super::*;

/// Two bells on two nodes, 1,000 players in all.
pub(crate) fn sample() -> Report {
    let group = |startups: std::ops::Range<u32>, stalls, bytes: &[u64]| {
        let mut group = Group {
            arrived: 250,
            startups_ms: startups.collect(),
            stalls,
            disturbed: stalls,
            stalled: Duration::from_millis(500) * u32::try_from(stalls).unwrap(),
            watched: Duration::from_secs(1_000),
            requests: 5_000,
            connections: 500,
            bytes: vec![1_000, 300_000_000, 50_000_000],
            seconds: bytes.to_vec(),
            ..Group::default()
        };
        group.cache[CacheResult::Hit.index()] = 4_990;
        group.cache[CacheResult::Fill.index()] = 10;
        group
    };
    let second = [25_000_000, 50_000_000, 75_000_000, 0, 10_000_000];
    let mut groups = vec![
        group(20..270, 0, &second),
        group(30..280, 0, &second),
        group(40..290, 2, &second),
        group(100..350, 0, &second),
    ];
    groups[3].errors[ErrorKind::Upstream.index()] = 3;
    groups[3].holds[Hold::WaitingRoom.index()] = 40;
    groups[3].held_ms = vec![5_000; 40];
    let screens = (0..5).map(|n| Screens { starting: 5 - n, playing: 200 * n, waiting: n % 2 });
    let bell = |name: &str| Bell { name: name.to_owned(), at: Duration::ZERO, shows: Vec::new() };
    Report::of(Ended {
        began: "2026-02-17T00:30:00Z".to_owned(),
        lasted: Duration::from_secs(65),
        interrupted: false,
        speed: Speed::REAL,
        players: 1_000,
        bells: &[bell("08:30"), bell("09:10 <b>")],
        nodes: vec!["http://10.0.0.1:8080".to_owned(), "http://10.0.0.2:8080".to_owned()],
        names: ["playlists", "s2", "audio/hi"].map(str::to_owned).to_vec(),
        tally: Tally {
            groups,
            screens: screens.collect(),
            latest: Duration::from_millis(3),
            downloads: Taken { finished: 2, bytes: 5_000_000, put_off: 3, failed: 0 },
        },
        downloads: 4,
        origin: Some(Origin { sent: None, alive_before: false, alive_after: false }),
        threads: 2,
        cpu: Duration::from_secs(12),
    })
}

#[test]
fn figures_add_up_by_bell_and_by_node() {
    let report = sample();
    assert_eq!((report.total.arrived, report.total.started, report.total.rebuffers.count), (1_000, 1_000, 2));
    assert_eq!(report.bells.iter().map(|part| part.figures.rebuffers.count).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(report.nodes.iter().map(|part| part.figures.rebuffers.count).collect::<Vec<_>>(), [2, 0]);
    assert_eq!(report.nodes[1].figures.errors.get("upstream"), Some(&3));
    assert_eq!((report.errors(), report.total.bytes), (3, 1_400_004_000));
    assert_eq!(report.renditions[0].name, "s2");
    let (stalled, watched) = (1.0, 4_000.0);
    assert!((report.total.rebuffers.ratio - stalled / (stalled + watched)).abs() < 1e-9);
    assert_eq!(report.startups.iter().map(|bucket| bucket.players).sum::<u64>(), 1_000);
    assert_eq!(report.total.startup.unwrap().most_ms, 349);
}

#[test]
fn quantiles_are_values_that_were_measured() {
    let hundred: Vec<u32> = (1..=100).rev().collect();
    let quantiles = Quantiles::of(&hundred).unwrap();
    assert_eq!((quantiles.p50_ms, quantiles.p95_ms, quantiles.p99_ms, quantiles.most_ms), (50, 95, 99, 100));
    assert_eq!(Quantiles::of(&[7]).unwrap().p50_ms, 7);
    assert_eq!(Quantiles::of(&[]), None);
}

#[test]
fn rates_are_of_the_seconds_in_which_something_came() {
    assert_eq!(Rate::of(&[]), Rate::default());
    assert_eq!(Rate::of(&[0, 0]), Rate::default());
    assert_eq!(Rate::of(&[5_000]).peak_5s, 8_000);
    let rate = Rate::of(&[0, 1_000, 0, 3_000, 0, 0]);
    assert_eq!((rate.mean, rate.peak_1s, rate.peak_5s), (4_000 * 8 / 3, 24_000, 4_000 * 8 / 5));
}

#[test]
fn a_start_is_in_the_bucket_it_does_not_exceed() {
    let count = |time| buckets(&[time]).iter().position(|bucket| bucket.players == 1);
    assert_eq!((count(0), count(50), count(51), count(30_001)), (Some(0), Some(0), Some(1), Some(13)));
}
