//! A small day for tests: two lessons at 08:30 and 09:10, an eye exercise between them, one channel.

use crate::plan::{
    AdmissionSlot, Channel, Clip, Document, Fill, Lane, Limit, Limits, Media, Plan, PlanKind, PlannedLesson,
    Policy, Programme, Rung, Show, Sound,
};
use crate::{AirSegment, Band, Class, Kind, Place, Region, Zone};
use grid::{FrameRate, SegmentCount};
use jiff::Timestamp;
use jiff::civil::date;
use package::{AudioSlot, Grade, LessonId, PackageId, Slot};

pub(crate) fn moment(text: &str) -> Timestamp {
    let text = if text.contains('T') { text.to_owned() } else { format!("2026-09-01T{text}+08:00") };
    text.parse().unwrap()
}

pub(crate) fn grade(year: u8) -> Grade {
    Grade::try_from(year).unwrap()
}

pub(crate) fn lesson_id(text: &str) -> LessonId {
    text.parse().unwrap()
}

pub(crate) fn package(number: u32) -> PackageId {
    format!("{number:040x}").parse().unwrap()
}

pub(crate) fn media(number: u32, segments: u32) -> Media {
    let rung = |slot: Slot, average_bps, alias_of| Rung {
        slot,
        width: slot.width(),
        height: slot.height(),
        codecs: "avc1.64001f".into(),
        peak_bps: average_bps * 2,
        average_bps,
        audio: slot.audio(),
        alias_of,
        thinning: std::num::NonZeroU32::MIN,
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
        frame_rate: FrameRate::Fps25,
        video: vec![
            rung(Slot::S0, 60_000, None),
            rung(Slot::S2, 200_000, None),
            rung(Slot::S3, 200_000, Some(Slot::S2)),
        ],
        audio: vec![sound(AudioSlot::Hi, 64_000), sound(AudioSlot::Lo, 32_000)],
        subtitles: vec![],
        pictures: None,
    }
}

fn lesson(name: &str, bell: &str, grades: &[u8], number: u32) -> PlannedLesson {
    PlannedLesson {
        lesson: lesson_id(name),
        bell: moment(bell),
        release: moment(bell),
        kind: Kind::Lesson,
        grades: grades.iter().map(|&year| grade(year)).collect(),
        exam: grades.contains(&9),
        title: format!("课 {name}"),
        subject: Some("数学".into()),
        edition: None,
        volume: None,
        segments: SegmentCount(250),
        media: Some(media(number, 250)),
    }
}

fn programme(start: u32, end: u32, kind: Kind, item: &str, show: Show) -> Programme {
    let item = (!item.is_empty()).then(|| item.parse().unwrap());
    let lesson = match &show {
        Show::Lesson(lesson) => Some(lesson.clone()),
        _ => None,
    };
    let title = if item.is_some() { kind.name().to_owned() } else { String::new() };
    Programme { item, start, segments: end - start, kind, title, lesson, show }
}

pub(crate) fn plan() -> Plan {
    let slate = || Show::Clip(lesson_id("slate"));
    let slot = |place: Place, class, grades: &[u8], after_s| AdmissionSlot {
        place,
        class,
        band: Band::Junior,
        grades: grades.iter().map(|&year| grade(year)).collect(),
        after_s,
        window_s: 900,
        term_start: Some(date(2026, 9, 7)),
        soft: true,
    };
    let fill = |number, needed_at| Fill {
        package: package(number),
        lane: Lane::Night,
        from: moment("00:00:00"),
        until: moment("07:00:00"),
        needed_at: moment(needed_at),
        pin_until: moment("2026-09-02T00:00:00+08:00"),
        bytes: 75_000_000,
    };
    let limit = |value| Some(Limit { value, place: Place::Nation, document: Some("moe".parse().unwrap()) });
    Plan {
        kind: PlanKind::Plan1,
        date: date(2026, 9, 1),
        zone: Zone::CHINA,
        place: Place::Nation,
        edition: 3,
        made_at: moment("2026-08-31T18:00:00+08:00"),
        valid_from: moment("2026-08-31T00:00:00+08:00"),
        valid_until: moment("2026-09-03T00:00:00+08:00"),
        first_segment: AirSegment::at(moment("00:00:00")),
        lessons: vec![lesson("maths-7", "09:10:00", &[7, 8], 2), lesson("maths-9", "08:30:00", &[9], 1)],
        clips: vec![
            Clip { clip: lesson_id("eyes"), title: "眼保健操".into(), media: media(10, 62) },
            Clip { clip: lesson_id("slate"), title: "稍候".into(), media: media(11, 10) },
        ],
        fill: vec![fill(1, "08:30:00"), fill(2, "09:10:00")],
        slots: vec![
            slot(Place::Nation, Class::Exam, &[9], 0),
            slot(Place::Nation, Class::Usual, &[7, 8], 900),
            slot(Place::Region(Region::Hubei), Class::Usual, &[7, 8], 1_800),
        ],
        channels: vec![Channel {
            channel: "junior".parse().unwrap(),
            title: "初中".into(),
            grades: vec![grade(7), grade(8), grade(9)],
            discontinuities_before: 1_000,
            programmes: vec![
                programme(0, 6_375, Kind::Gap, "", slate()),
                programme(6_375, 6_625, Kind::Lesson, "maths-9", Show::Lesson(lesson_id("maths-9"))),
                programme(6_625, 6_687, Kind::EyeExercise, "eyes-0850", Show::Clip(lesson_id("eyes"))),
                programme(6_687, 6_875, Kind::Gap, "", slate()),
                programme(6_875, 7_125, Kind::Lesson, "maths-7", Show::Lesson(lesson_id("maths-7"))),
                programme(7_125, 18_000, Kind::Gap, "", slate()),
            ],
        }],
        policies: vec![Policy {
            place: Place::Nation,
            band: Band::Junior,
            grades: vec![grade(7), grade(8), grade(9)],
            limits: Limits { day_minutes: limit(180), sitting_minutes: limit(30), ..Limits::default() },
        }],
        documents: vec![Document {
            id: "moe".parse().unwrap(),
            title: "限时".into(),
            authority: "教育部".into(),
            issued: "2020-08-27".into(),
            source: "S67".into(),
        }],
    }
}
