//! Two days: a slate, a lesson at 08:30, an eye exercise that comes round once, a lesson at 09:10, an hour without anything.

use crate::Days;
use grid::{FrameRate, SegmentCount};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use package::{AudioSlot, Grade, LessonId, PackageId, Slot};
use std::num::NonZeroU32;
use timetable::plan::{
    Channel, Clip, Media, Pictures, Plan, PlanKind, PlannedLesson, Programme, Rung, Show, Sound,
};
use timetable::{AirSegment, Kind, Place, Zone};

pub(super) fn at(text: &str) -> Timestamp {
    let text = if text.contains('T') { text.to_owned() } else { format!("2026-09-01T{text}+08:00") };
    text.parse().unwrap()
}

pub(super) fn package(number: u32) -> PackageId {
    format!("{number:040x}").parse().unwrap()
}

fn id(text: &str) -> LessonId {
    text.parse().unwrap()
}

/// The largest size of the second lesson is the smaller one's twin, as ingest makes it of a small source; it has no pictures for
/// seeking, and the first lesson alone has subtitles.
fn shown(number: u32, segments: u32) -> Media {
    let rung = |slot: Slot, average_bps: u64, alias_of| Rung {
        slot,
        width: slot.width(),
        height: slot.height(),
        codecs: format!("avc1.6400{:02x}", 0x15 + slot.height() / 360),
        peak_bps: average_bps * 2,
        average_bps: average_bps + u64::from(number),
        audio: slot.audio(),
        alias_of,
        thinning: if slot == Slot::S0 { NonZeroU32::new(2).unwrap() } else { NonZeroU32::MIN },
    };
    let sound = |slot: AudioSlot, average_bps| Sound {
        slot,
        codecs: "mp4a.40.2".into(),
        channels: slot.channels(),
        peak_bps: average_bps + 2_000,
        average_bps,
    };
    Media {
        package: package(number),
        segments: SegmentCount(segments),
        bytes: u64::from(segments) * 300_000,
        frame_rate: if number == 2 { FrameRate::Fps30 } else { FrameRate::Fps25 },
        video: vec![
            rung(Slot::S0, 60_000, None),
            rung(Slot::S2, 200_000, None),
            rung(Slot::S3, 400_000, (number == 2).then_some(Slot::S2)),
        ],
        audio: vec![sound(AudioSlot::Hi, 64_000), sound(AudioSlot::Lo, 32_000)],
        subtitles: if number == 1 { vec!["zh-CN".parse().unwrap(), "ug".parse().unwrap()] } else { vec![] },
        pictures: (number != 2).then(|| Pictures {
            slot: None,
            codecs: "avc1.641016".into(),
            width: 640,
            height: 360,
            bytes: (0..segments).map(|segment| 6_000 + segment).collect(),
        }),
    }
}

fn lesson(name: &str, bell: Timestamp, number: u32) -> PlannedLesson {
    PlannedLesson {
        lesson: id(name),
        bell,
        release: bell,
        kind: Kind::Lesson,
        grades: vec![Grade::try_from(7).unwrap()],
        exam: false,
        title: format!("课 {name}"),
        subject: None,
        edition: None,
        volume: None,
        segments: SegmentCount(250),
        media: Some(shown(number, 250)),
    }
}

/// The day `date`, which has had `before` discontinuities.
pub(super) fn plan(day: Date, before: u64) -> Plan {
    let midnight = Zone::CHINA.midnight(day).unwrap();
    let bell = |minutes| midnight + SignedDuration::from_mins(minutes);
    let clip = |name: &str| Show::Clip(id(name));
    let programme = |start: u32, end: u32, kind: Kind, item: &str, show: Show| {
        let lesson = match &show {
            Show::Lesson(lesson) => Some(lesson.clone()),
            _ => None,
        };
        let title = if item.is_empty() { String::new() } else { format!("{} {item}", kind.name()) };
        let item = (!item.is_empty()).then(|| item.parse().unwrap());
        Programme { item, start, segments: end - start, kind, title, lesson, show }
    };
    let plan = Plan {
        kind: PlanKind::Plan1,
        date: day,
        zone: Zone::CHINA,
        place: Place::Nation,
        edition: 1,
        made_at: midnight,
        valid_from: midnight - SignedDuration::from_hours(24),
        valid_until: midnight + SignedDuration::from_hours(48),
        first_segment: AirSegment::at(midnight),
        lessons: vec![lesson("maths", bell(8 * 60 + 30), 1), lesson("words", bell(9 * 60 + 10), 2)],
        clips: vec![
            Clip { clip: id("eyes"), title: "眼保健操".into(), media: shown(10, 40) },
            Clip { clip: id("slate"), title: "稍候".into(), media: shown(11, 10) },
        ],
        fill: Vec::new(),
        slots: Vec::new(),
        channels: vec![Channel {
            channel: "junior".parse().unwrap(),
            title: "初中".into(),
            grades: Vec::new(),
            discontinuities_before: before,
            programmes: vec![
                programme(0, 6_375, Kind::Gap, "", clip("slate")),
                programme(6_375, 6_625, Kind::Lesson, "maths", Show::Lesson(id("maths"))),
                programme(6_625, 6_687, Kind::EyeExercise, "eyes", clip("eyes")),
                programme(6_687, 6_875, Kind::Gap, "", clip("slate")),
                programme(6_875, 7_125, Kind::Lesson, "words", Show::Lesson(id("words"))),
                programme(7_125, 7_875, Kind::Gap, "", Show::Nothing),
                programme(7_875, 18_000, Kind::Gap, "", clip("slate")),
            ],
        }],
        policies: Vec::new(),
        documents: Vec::new(),
    };
    plan.check().unwrap();
    plan
}

/// The first of September and the day behind it.
pub(super) fn two_days() -> [Plan; 2] {
    let first = plan(date(2026, 9, 1), 5_000);
    let before = first.discontinuities_after(first.channel("junior").unwrap());
    [first, plan(date(2026, 9, 2), before)]
}

pub(super) fn days_of(plans: &[Plan]) -> Days<'_> {
    Days::new(plans)
}
