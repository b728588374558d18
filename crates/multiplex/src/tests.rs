//! Periods one after the other, read by an analyser that shares no code with them.

use crate::si::tests::service;
use crate::{Event, Guide, Media, Multiplexer, Overflow, PERIOD_90KHZ, PRESENTED, Rate, Sizes, slate};
use analyser::{Analyser, Fault, Report};
use mpegts::{Frame, Picture};
use proptest::prelude::*;

/// A segment at `rate` pictures a second, those of `size` in the order of showing; with `reordered` one B picture between
/// two others.
fn media(rate: u64, reordered: bool, size: impl Fn(u64) -> usize, sound: impl Fn(u64) -> usize) -> Media {
    let (start, step, count) = (7 * PERIOD_90KHZ, 90_000 / rate, rate * 24 / 5);
    let picture = |index: u64| {
        let shown = match (reordered, index % 2) {
            (true, 1) if index + 1 < count => index + 1,
            (true, 0) if index > 0 => index - 1,
            _ => index,
        };
        let (decoded, shown) = (start + index * step, start + shown * step);
        Picture { decoded, shown, idr: index == 0, bytes: vec![index as u8 | 1; size(index).max(1)] }
    };
    // Frames with a header of the length that they have.
    let frame = |index: u64| {
        let length = sound(index) + 7;
        let mut bytes = vec![0xff, 0xf1, 0x4c, 0x80 | (length >> 11) as u8, (length >> 3) as u8];
        bytes.extend([(length << 5) as u8 | 0x1f, 0xfc]);
        bytes.resize(length, 0x55);
        Frame { shown: start + index * 1_920, bytes }
    };
    Media::new(start, (0..count).map(picture).collect(), (0..225).map(frame).collect()).unwrap()
}

fn multiplexer(bits: u64) -> Multiplexer {
    Multiplexer::new(Rate::nearest(bits).unwrap(), service(), 0)
}

fn clean(report: &Report) -> &Report {
    assert!(report.is_clean(), "{report}");
    report
}

#[test]
fn an_hour_of_programmes_is_without_a_fault() {
    // Time stamps run over in the middle: 33 bits are 26.5 hours.
    let first = (1 << 33) * 18_737 / PERIOD_90KHZ - 300;
    let lessons = [
        slate(640, 360),
        media(25, true, |index| if index == 0 { 40_000 } else { 300 + index as usize * 7 % 500 }, |_| 170),
        media(50, false, |index| if index == 0 { 30_000 } else { 250 }, |index| 100 + index as usize % 90),
        media(30, true, |index| if index == 0 { 50_000 } else { 400 }, |_| 171),
    ];
    let on = |segment: u64| &lessons[(segment / 31 % 4) as usize];
    let events: Vec<Event> = (first / 31..(first + 760) / 31)
        .filter(|number| number % 4 != 0)
        .map(|number| Event {
            start: number * 31,
            segments: 31,
            title: format!("第{number}课 数学"),
            text: "人教版 三年级 上册".to_owned(),
        })
        .collect();
    let guide = Guide::new(1, events.clone());
    let multiplexer = multiplexer(1_000_000);
    let mut analyser = Analyser::new();
    let mut other = Vec::new();
    for number in first..first + 750 {
        let period = multiplexer.period(number, on(number - 1), on(number), &guide).unwrap();
        assert_eq!(period.len(), multiplexer.rate().packets() as usize * 188);
        if number == first + 500 {
            other = period.clone();
        }
        analyser.read(&period);
    }
    let report = analyser.report();
    let clock = &clean(&report).clock;
    assert!(clock.max_interval_ms <= 40.0 && clock.jitter_ns < 40.0, "{report}");
    assert!((clock.rate_bps / 1e6 - 1.0).abs() < 0.001, "{report}");
    assert_eq!((clock.references, clock.wraps), (750 * 128, 1));
    assert!((clock.seconds - 3_600.0).abs() < 0.1);
    let titles: Vec<&str> = report.tables.present.iter().map(|event| &event.title[..]).collect();
    let want = events.iter().filter(|event| event.end() > first && event.start < first + 750);
    assert_eq!(titles, want.map(|event| &event.title[..]).collect::<Vec<_>>());
    assert_eq!(report.tables.services[&7], ("Airclass".to_owned(), "空中课堂".to_owned()));
    assert_eq!(report.tables.schedule[0].duration_s, 149);
    assert!(report.streams[&0x100].min_ahead_ms > 0.0 && report.streams[&0x100].max_ahead_ms < 1_600.0);
    assert!(report.streams[&0x101].min_ahead_ms > 100.0, "{report}");
    // Another one, started later, sends the same.
    let number = first + 500;
    assert_eq!(
        self::multiplexer(1_000_000).period(number, on(number - 1), on(number), &guide).unwrap(),
        other
    );
}

#[test]
fn pictures_that_are_reordered_for_long_are_decoded_late() {
    // Five a second, one reordered: 200 ms, more than pictures are decoded ahead.
    let slow = media(5, true, |_| 500, |_| 85);
    let lessons = [slate(256, 144), slow];
    let multiplexer = multiplexer(800_000);
    let mut analyser = Analyser::new();
    for number in 1_000..1_012 {
        let on = |segment: u64| &lessons[(segment / 3 % 2) as usize];
        analyser.read(&multiplexer.period(number, on(number - 1), on(number), &Guide::default()).unwrap());
    }
    clean(&analyser.report());
}

#[test]
fn what_does_not_fit_says_how_much_is_needed() {
    let large = media(25, false, |_| 4_000, |_| 170);
    let Overflow { needed, missing } =
        multiplexer(800_000).period(5, &large, &large, &Guide::default()).unwrap_err();
    let told = Rate::needed(Sizes { video_peak_bps: 800_000, audio_peak_bps: 68_000, pictures: 120 });
    assert!(missing > 0 && needed > 800_000 && told > 900_000, "{needed} {told}");
    multiplexer(told).period(5, &large, &large, &Guide::default()).unwrap();
    // An IDR picture that takes more than a second and a half.
    let sudden = media(25, false, |index| if index == 0 { 200_000 } else { 100 }, |_| 170);
    assert!(multiplexer(1_000_000).period(5, &sudden, &sudden, &Guide::default()).is_err());
}

#[test]
fn a_long_guide_is_told_by_turns() {
    let event = |index: u64| Event {
        start: 40_000 * 9_000 + index * 250,
        segments: 240,
        title: format!("第{index}课 {}", "课".repeat(40)),
        text: "文".repeat(30),
    };
    let guide = Guide::new(0, (0..160).map(event).collect());
    let multiplexer = multiplexer(1_000_000);
    let grey = slate(416, 234);
    let mut analyser = Analyser::new();
    let first = 40_000 * 9_000 + 10;
    for number in first..first + 40 {
        analyser.read(&multiplexer.period(number, &grey, &grey, &guide).unwrap());
    }
    let report = analyser.report();
    assert_eq!(clean(&report).tables.schedule.len(), 160);
    assert_eq!(report.tables.present.len(), 1);
    assert!(report.tables.max_intervals_ms["eit"] < 2_000, "{:?}", report.tables.max_intervals_ms);
}

#[test]
fn periods_without_anything_before_can_be_made() {
    let grey = slate(1280, 720);
    let period = multiplexer(2_000_000).period(77, &Media::default(), &grey, &Guide::default()).unwrap();
    let mut analyser = Analyser::new();
    analyser.read(&period);
    clean(&analyser.report());
}

/// The payload of PES packets on `pid`.
fn carried(periods: &[u8], pid: u16) -> Vec<u8> {
    let mut units: Vec<Vec<u8>> = Vec::new();
    for packet in periods.chunks(188) {
        if u16::from_be_bytes([packet[1] & 0x1f, packet[2]]) != pid || packet[3] & 0x10 == 0 {
            continue;
        }
        let field = if packet[3] & 0x20 != 0 { usize::from(packet[4]) + 1 } else { 0 };
        if packet[1] & 0x40 != 0 {
            units.push(Vec::new());
        }
        units.last_mut().unwrap().extend_from_slice(&packet[4 + field..]);
    }
    units.iter().flat_map(|unit| unit[9 + usize::from(unit[8])..].to_vec()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_sizes_within_the_rate_come_through(
        seed in prop::collection::vec(0_usize..3_000, 120),
        first in 0_usize..60_000,
        sound in prop::collection::vec(0_usize..220, 225),
        bits in 700_000_u64..4_000_000,
        number in 1_u64..440_000_000,
        reordered in any::<bool>(),
    ) {
        let size = |index: u64| if index == 0 { first } else { seed[index as usize] };
        let media = media(25, reordered, size, |index| sound[index as usize]);
        let multiplexer = multiplexer(bits);
        let periods: Result<Vec<Vec<u8>>, Overflow> =
            (number..number + 3).map(|number| multiplexer.period(number, &media, &media, &Guide::default())).collect();
        let bytes: usize = (0..120).map(size).sum();
        let sounds: usize = sound.iter().sum();
        let sizes = Sizes {
            video_peak_bps: bytes as u64 * 10 / 6,
            audio_peak_bps: sounds as u64 * 10 / 6,
            pictures: 120,
        };
        match periods {
            Ok(periods) => {
                let mut analyser = Analyser::new();
                periods.iter().for_each(|period| analyser.read(period));
                let mut report = analyser.report();
                // Sound that bursts is not what is asked about.
                report.faults.remove(&Fault::SoundBuffer);
                prop_assert!(report.is_clean(), "{}", report);
                let pictures: Vec<u8> = media.pictures.iter().flat_map(|picture| picture.bytes.clone()).collect();
                prop_assert_eq!(carried(&periods[1], 0x100), pictures);
                // What is heard in a period was sent in it or the one before.
                let heard: Vec<u8> = media.sound.iter().flat_map(|frame| frame.bytes.clone()).collect();
                let all = carried(&periods.concat(), 0x101);
                prop_assert!(all.windows(heard.len()).any(|part| part == heard));
            }
            Err(_) => {
                // Either the rate is too low for all of it, or for the first picture alone, or for a burst.
                let told = Rate::needed(sizes);
                let burst = seed.iter().sum::<usize>() / 120 < 1_400;
                prop_assert!(told > bits || first > 20_000 || burst, "{} {}", told, bits);
            }
        }
    }
}

#[test]
fn the_first_picture_is_shown_a_second_and_a_half_after_its_period_begins() {
    const { assert!(PRESENTED == 135_000) };
    let number = 3;
    let period =
        multiplexer(1_000_000).period(number, &slate(256, 144), &slate(256, 144), &Guide::default()).unwrap();
    let start = period.chunks(188).find(|packet| packet[1] == 0x41 && packet[2] == 0).unwrap();
    let header = &start[5 + usize::from(start[4])..];
    let stamp = header[9..14].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let stamp = (stamp >> 33 & 7) << 30 | (stamp >> 17 & 0x7fff) << 15 | stamp >> 1 & 0x7fff;
    assert_eq!(stamp, number * PERIOD_90KHZ + PRESENTED);
}
