//! Tables by hand: what a receiver finds where.

use super::text::text;
use super::time::{clock, utc};
use super::*;
use crate::guide::{Event, Guide, Service};
use mpegts::checksum;

pub(crate) fn service() -> Service {
    Service {
        transport_stream: 1,
        network: 0x22f0,
        service: 7,
        name: "空中课堂".to_owned(),
        provider: "Airclass".to_owned(),
        language: *b"chi",
        country: *b"CHN",
        utc_offset_minutes: 480,
    }
}

#[test]
fn times_are_those_of_the_standard() {
    // Annex C: 1993-10-13 12:45:00 is 0xC079124500.
    assert_eq!(utc(750_516_300), [0xc0, 0x79, 0x12, 0x45, 0x00]);
    // Table 18: 01:45:30 is 0x014530.
    assert_eq!(clock(3_600 + 45 * 60 + 30), [0x01, 0x45, 0x30]);
    assert_eq!(clock(u64::MAX), [0x99, 0x59, 0x59]);
}

#[test]
fn texts_are_cut_between_characters() {
    for (given, most, want) in [
        ("maths", 10, &b"maths"[..]),
        ("maths", 3, b"mat"),
        ("数学", 10, "\u{15}数学".as_bytes()),
        ("数学", 6, "\u{15}数".as_bytes()),
        ("a\nb\u{86}", 9, b"\x15a b "),
        ("数", 0, b""),
    ] {
        assert_eq!(text(given, most), want, "{given} in {most}");
    }
}

#[test]
fn every_section_sums_up_to_nothing() {
    let guide =
        Guide::new(3, vec![Event { start: 10, segments: 250, title: "一".into(), text: "二".into() }]);
    let mut sections = vec![programs(&service()), map(&service()), services(&service())];
    sections.extend(present_and_following(&guide, 20, &service()));
    sections.extend(schedule(&guide, 20, &service()));
    sections.push(date_and_offset(1, &service())[1].clone());
    for section in sections {
        assert_eq!(checksum(&section), 0, "{section:02x?}");
        let told = usize::from(u16::from_be_bytes([section[1] & 0x0f, section[2]]));
        assert_eq!(told + 3, section.len());
    }
    assert_eq!(date_and_offset(0, &service())[0], [0x70, 0x70, 5, 0x9e, 0x8b, 0, 0, 0]);
}

#[test]
fn what_is_on_is_the_first_section_and_what_follows_the_second() {
    let event = |start, title: &str| Event { start, segments: 5, title: title.into(), text: String::new() };
    let guide = Guide::new(0, vec![event(10, "A"), event(15, "B"), event(30, "C")]);
    for (segment, present, following) in [
        (9, None, Some("A")),
        (10, Some("A"), Some("B")),
        (14, Some("A"), Some("B")),
        (15, Some("B"), Some("C")),
        (20, None, Some("C")),
        (34, Some("C"), None),
        (35, None, None),
    ] {
        let sections = present_and_following(&guide, segment, &service());
        for (section, want) in sections.iter().zip([present, following]) {
            let name = section.get(32..33).filter(|_| section.len() > 20);
            assert_eq!(name, want.map(str::as_bytes), "segment {segment}");
        }
    }
}

#[test]
fn a_change_of_what_is_on_changes_the_version() {
    let event = |start, segments| Event { start, segments, title: "x".into(), text: String::new() };
    // Two days with a change at nearly every segment of an hour, one alone, and one without any.
    let day = 18_000;
    let mut events: Vec<Event> = (0..90).map(|index| event(day + 5_000 + index * 7, 5)).collect();
    events.push(event(3 * day, 4));
    for edition in [0, 31, 77] {
        let guide = Guide::new(edition, events.clone());
        let at = |segment| {
            let (present, following) = guide.present_and_following(segment);
            ((present.cloned(), following.cloned()), guide.present_version(segment, &service()))
        };
        for segment in 0..5 * day {
            let (before, now) = (at(segment), at(segment + 1));
            assert!(before.0 == now.0 || before.1 != now.1, "{segment}: {}", now.1);
        }
    }
    let versions =
        [4, 5].map(|edition| Guide::new(edition, events.clone()).present_version(20_000, &service()));
    assert_ne!(versions[0], versions[1]);
}

#[test]
fn a_schedule_is_cut_at_every_third_hour() {
    // Three hours are 2,250 segments; long texts make a part need more sections than one.
    let long = "讲".repeat(60);
    let event = |start| Event { start, segments: 50, title: long.clone(), text: long.clone() };
    let midnight = 18_000 * 20_000;
    let mut events: Vec<Event> = (0..20).map(|index| event(midnight + 2_250 + index * 60)).collect();
    events.push(event(midnight + 3 * 2_250));
    events.push(event(midnight - 10));
    events.push(event(midnight + 32 * 2_250));
    let guide = Guide::new(0, events);
    let numbers = |segment| -> Vec<(u8, u8, u8)> {
        schedule(&guide, segment, &service())
            .iter()
            .map(|section| (section[6], section[7], section[12]))
            .collect()
    };
    let mut all = vec![(0, 24, 0)];
    // As even as eight sections allow.
    all.extend((8..15).map(|number| (number, 24, 14)));
    all.extend([(16, 24, 16), (24, 24, 24)]);
    assert_eq!(numbers(midnight), all);
    assert_eq!(numbers(midnight + 2_250), all[1..], "what is past is told no more");
    // A day later the last event is in the 24th part, and all parts up to it are told.
    assert_eq!(numbers(midnight + 18_000).len(), 25);
    assert_eq!(numbers(midnight + 10 * 18_000), []);
}
