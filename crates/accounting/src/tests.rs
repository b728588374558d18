//! Golden values, and months lived through by clocks that jump.

use crate::*;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::time::Duration;
use units::BitRate;

const SEPTEMBER: &str = "2026-09";

fn identity(site: &str) -> Identity {
    Identity {
        owner: "bofei".into(),
        province: Identity::province("湖北").unwrap(),
        carrier: "dianxin".parse().unwrap(),
        site: site.into(),
    }
}

#[test]
fn golden_percentiles() {
    for (month, place) in [("2026-09", 433), ("2026-10", 447), ("2027-02", 404)] {
        let month: Month = month.parse().unwrap();
        let samples: Vec<u64> = (1..=month.samples() as u64).collect();
        let billed = Billing::Month95.rate(&samples);
        assert_eq!(samples.len() as u64 - billed + 1, place, "{month}");
    }
    let day: Vec<u64> = (1..=288).collect();
    // 288 samples, 14 dropped.
    assert_eq!(Billing::Day95Mean.rate(&day), 288 - 14);
    assert_eq!(Billing::DayPeakMean.rate(&[day.clone(), vec![0; 288]].concat()), 144);
    assert_eq!(Billing::Month95.rate(&[]), 0);
    assert_eq!(samples_of_minutes(&[5, 5, 5, 5, 5, 10]), [5, 10]);
}

proptest! {
    /// The percentile against taking the highest away one by one.
    #[test]
    fn percentile_is_what_taking_away_gives(samples in proptest::collection::vec(0u64..1_000, 1..400)) {
        let mut left = samples.clone();
        for _ in 0..samples.len() * 5 / 100 {
            let most = left.iter().enumerate().max_by_key(|(_, rate)| **rate).unwrap().0;
            left.remove(most);
        }
        prop_assert_eq!(Billing::Month95.rate(&samples), left.into_iter().max().unwrap());
    }

    /// Whatever the clock does, every byte is counted, and once.
    #[test]
    fn no_byte_is_lost_or_counted_twice(
        looks in proptest::collection::vec((0u64..200_000, -90_000i64..90_000, 0u64..1 << 40, 0u64..1 << 40), 1..40),
    ) {
        let mut at = readings("2026-09-01T00:00:00Z", 0, [7, 11]);
        let mut meter = Meter::begin(at);
        let (mut minutes, mut sent) = (Vec::new(), [0, 0]);
        for (span_ms, jump_ms, v4, v6) in looks {
            at.elapsed += Duration::from_millis(span_ms);
            at.now += SignedDuration::from_millis(span_ms.cast_signed() + jump_ms);
            at.sent = [at.sent[0] + v4, at.sent[1] + v6];
            sent = [sent[0] + v4, sent[1] + v6];
            minutes.extend(meter.read(at));
        }
        let covered = at.elapsed.as_millis() as u64;
        minutes.extend(meter.end());
        prop_assert_eq!(minutes.iter().map(|minute| minute.sent[0]).sum::<u64>(), sent[0]);
        prop_assert_eq!(minutes.iter().map(|minute| minute.sent[1]).sum::<u64>(), sent[1]);
        prop_assert_eq!(minutes.iter().map(|minute| minute.covered_ms).sum::<u64>(), covered);
    }

    /// What is written is read; what is cut off or changed is passed over, and nothing else with it.
    #[test]
    fn a_damaged_line_costs_itself(cut in 1usize..200, flip in 0usize..200) {
        let lines = [
            Entry::Run(RunId(1), identity("武汉-1")),
            Entry::Minute(RunId(1), Minute { number: 29_000_000, covered_ms: 60_000, sent: [1, 2] }),
            Entry::Minute(RunId(1), Minute { number: 29_000_001, covered_ms: 60_000, sent: [3, 4] }),
        ];
        let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        prop_assert_eq!(read(text.as_bytes()), Journal { entries: lines.to_vec(), damaged: 0 });
        let cut = read(&text.as_bytes()[..text.len().saturating_sub(cut)]);
        prop_assert!(lines.starts_with(&cut.entries) && cut.damaged <= 1);
        let mut bytes = text.into_bytes();
        let at = flip % bytes.len();
        bytes[at] ^= 1;
        let flipped = read(&bytes);
        prop_assert!(flipped.entries.iter().all(|entry| lines.contains(entry)));
        // A damaged line's end takes the next line along.
        prop_assert!(!flipped.entries.is_empty() && flipped.damaged >= 1, "{flipped:?}");
    }
}

fn readings(now: &str, elapsed_s: u64, sent: [u64; 2]) -> Readings {
    Readings { now: now.parse().unwrap(), elapsed: Duration::from_secs(elapsed_s), sent }
}

/// Looks once a second for `seconds`, with `rate` bytes a second over IPv4 and the clock ahead of itself by `ahead` at each.
fn live(begin: &str, seconds: u64, rate: u64, ahead: impl Fn(u64) -> i64) -> Vec<Minute> {
    let begin: Timestamp = begin.parse().unwrap();
    let at = |second: u64| Readings {
        now: begin + SignedDuration::from_secs(second.cast_signed() + ahead(second)),
        elapsed: Duration::from_secs(second),
        sent: [second * rate, 0],
    };
    let mut meter = Meter::begin(at(0));
    let mut minutes: Vec<_> = (1..=seconds).flat_map(|second| meter.read(at(second))).collect();
    minutes.extend(meter.end());
    minutes
}

fn rates(minutes: &[Minute]) -> Vec<u64> {
    let mut entries = vec![Entry::Run(RunId(1), identity("a"))];
    entries.extend(minutes.iter().map(|minute| Entry::Minute(RunId(1), *minute)));
    let month: Month = SEPTEMBER.parse().unwrap();
    accounts(&month, &entries).remove(&identity("a")).unwrap().totals()
}

#[test]
fn a_slow_download_is_in_each_of_its_minutes() {
    // Ten minutes at 100 kB/s, from 08:30 in Beijing.
    let minutes = live("2026-09-01T00:30:00Z", 600, 100_000, |_| 0);
    let whole: Vec<u64> = minutes.iter().map(|minute| minute.sent[0]).filter(|bytes| *bytes > 0).collect();
    assert_eq!(whole, [6_000_000; 10]);
    let rates = rates(&minutes);
    assert_eq!(rates[8 * 12 + 6..8 * 12 + 9], [800_000, 800_000, 0]);
}

#[test]
fn a_clock_that_jumps_invents_no_bandwidth() {
    for (name, ahead) in [
        ("back by an hour", (|second| if second > 900 { -3_600 } else { 0 }) as fn(u64) -> i64),
        ("back by a quarter of a minute", |second| if second > 900 { -15 } else { 0 }),
        ("forwards by an hour", |second| if second > 900 { 3_600 } else { 0 }),
        ("forwards and back", |second| if (300..600).contains(&second) { 86_400 } else { 0 }),
        ("to and fro", |second| if second % 2 == 0 { 30 } else { -30 }),
    ] {
        let minutes = live("2026-09-02T01:00:00Z", 1_800, 100_000, ahead);
        assert_eq!(minutes.iter().map(|minute| minute.sent[0]).sum::<u64>(), 180_000_000, "{name}");
        let most = rates(&minutes).into_iter().max().unwrap();
        assert!(most <= 800_000, "{name}: {most}");
    }
}

#[test]
fn a_jump_is_noted() {
    let at = readings("2026-09-01T00:00:00Z", 10, [0; 2]);
    let mut meter = Meter::begin(at);
    meter.read(readings("2026-09-01T00:00:01Z", 11, [0; 2]));
    assert_eq!(meter.jumps(), 0);
    meter.read(readings("2026-09-01T01:00:02Z", 12, [0; 2]));
    meter.read(readings("2026-09-01T00:00:03Z", 13, [0; 2]));
    assert_eq!(meter.jumps(), 2);
}

#[test]
fn two_processes_at_once_are_two_senders() {
    let minutes = live("2026-09-01T00:30:00Z", 300, 100_000, |_| 0);
    let month: Month = SEPTEMBER.parse().unwrap();
    let mut entries = vec![Entry::Run(RunId(1), identity("a")), Entry::Run(RunId(2), identity("a"))];
    for run in [1, 2] {
        entries.extend(minutes.iter().map(|minute| Entry::Minute(RunId(run), *minute)));
    }
    // Of whom nobody knows whose it is, nothing is billed to anybody.
    entries.extend(minutes.iter().map(|minute| Entry::Minute(RunId(3), *minute)));
    let account = accounts(&month, &entries).remove(&identity("a")).unwrap();
    assert_eq!(account.totals()[8 * 12 + 6], 1_600_000);
    assert_eq!(account.bytes[0][8 * 12 + 6], 60_000_000);
    let mut line = account.clone();
    line.join(&account);
    assert_eq!(line.totals()[8 * 12 + 6], 3_200_000);
}

#[test]
fn months_are_beijings() {
    let month: Month = SEPTEMBER.parse().unwrap();
    assert_eq!(Month::of("2026-08-31T16:00:00Z".parse().unwrap()), month);
    assert_eq!(Month::of("2026-08-31T15:59:59Z".parse().unwrap()), month.before());
    assert_eq!((month.samples(), month.to_string()), (8_640, SEPTEMBER.to_owned()));
    for (moment, passed) in [
        ("2026-08-31T15:00:00Z", 0),
        ("2026-08-31T16:04:59Z", 0),
        ("2026-08-31T16:05:00Z", 1),
        ("2026-10-05T00:00:00Z", 8_640),
    ] {
        assert_eq!(month.passed(moment.parse().unwrap()), passed, "{moment}");
    }
    assert!("2026-13".parse::<Month>().is_err() && "2026-9".parse::<Month>().is_err());
}

#[test]
fn free_hours_are_what_may_still_rise() {
    let month: Month = SEPTEMBER.parse().unwrap();
    let contract = Contract { billing: Billing::Month95, commit: Some(BitRate(1_000)), from_day: 1 };
    // Ten days, an hour of each at 5,000.
    let day = [vec![5_000; 12], vec![500; 276]].concat();
    let samples = [day.repeat(10), vec![0; 8_640 - 2_880]].concat();
    let bill = contract.bill(&month, &samples, 2_880);
    assert_eq!((bill.samples, bill.rate, bill.billed, bill.peak), (2_880, 500, 1_000, 5_000));
    let free = bill.free.unwrap();
    // 432 samples, 36 hours; 10 are gone.
    assert_eq!((free.level, free.used, free.left), (1_000, 120, 312));
    // Without a commitment more samples than are free have passed at 500 already, so it is billed at least.
    let free = Contract { commit: None, ..contract }.bill(&month, &samples, 2_880).free.unwrap();
    assert_eq!((free.level, free.used, free.left), (500, 120, 312));
    // A contract from the 21st: ten days of thirty, 144 samples free.
    let half = Contract { from_day: 21, ..contract };
    let bill = half.bill(&month, &vec![3_000; 8_640], 8_640);
    assert_eq!((bill.samples, bill.rate, bill.billed), (2_880, 3_000, 1_000));
    assert_eq!(bill.free.unwrap().left, 144);
    assert_eq!(half.bill(&month, &samples, 10).samples, 0);
}

#[test]
fn names_that_cannot_be_are_told_apart() {
    assert_eq!(Identity::name("博飞-1").unwrap(), "博飞-1");
    for bad in ["", "a b", "a=b", "a#b", &"x".repeat(65)] {
        assert!(Identity::name(bad).is_err(), "{bad}");
    }
    assert_eq!(Identity::province("hubei"), Identity::province("湖北"));
    assert!(Identity::province("hubai").unwrap_err().to_string().contains("pinyin"));
    assert!("电信".parse::<Carrier>().is_err() && "dianxin".parse::<Carrier>().is_ok());
    assert!(Carrier::KNOWN.iter().all(|known| known.parse::<Carrier>().is_ok()));
}
