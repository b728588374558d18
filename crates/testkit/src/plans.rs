//! A small day for tests: two lessons at 08:30 and 09:10, two clips, one channel; and the parts to make others of.

use bytes::Bytes;
use grid::{FrameRate, SegmentCount};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use package::{AudioSlot, LessonId, PackageId, Slot};
use signing::{SigningKey, Trust};
use std::path::Path;
use std::sync::LazyLock;
use timetable::plan::{
    Channel, Clip, Fill, Lane, Media, PlanKind, PlannedLesson, Programme, Rung, Show, Sound,
};
use timetable::{AirSegment, Kind, Place, Plan, SignedPlan, Zone};

/// Who signs.
pub static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate().expect("the system has randomness"));

/// Who is to be believed: [`KEY`].
pub fn trust() -> Trust {
    Trust::parse(&entry(&KEY), Path::new("keys.toml")).expect("our own entry")
}

/// A key as a file of trusted keys has it.
pub fn entry(key: &SigningKey) -> String {
    format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public())
}

/// A moment of 2026-09-01 in China, or a whole timestamp.
pub fn moment(text: &str) -> Timestamp {
    let text = if text.contains('T') { text.to_owned() } else { format!("2026-09-01T{text}+08:00") };
    text.parse().expect("a test's moment")
}

/// A package of this number, which is nowhere.
pub fn package(number: u32) -> PackageId {
    format!("{number:040x}").parse().expect("40 digits")
}

/// A plan signed by [`KEY`], as it is sent.
pub fn envelope(plan: &Plan) -> Bytes {
    SignedPlan::by(plan, &[&KEY]).to_bytes().into()
}

/// The plan of 2026-09-01.
pub fn plan() -> Plan {
    plan_of("2026-09-01")
}

/// The same on another day.
pub fn plan_of(date: &str) -> Plan {
    let date: Date = date.parse().expect("a test's date");
    let at = |time: &str| moment(&format!("{date}T{time}+08:00"));
    let midnight = at("00:00:00");
    let day = SEGMENTS;
    Plan {
        kind: PlanKind::Plan1,
        date,
        zone: Zone::CHINA,
        place: Place::Nation,
        edition: 3,
        made_at: midnight,
        valid_from: midnight - SignedDuration::from_hours(24),
        valid_until: midnight + SignedDuration::from_hours(48),
        first_segment: AirSegment::at(midnight),
        lessons: vec![
            lesson("maths-7", at("09:10:00"), media(2, 250)),
            lesson("maths-9", at("08:30:00"), media(1, 250)),
        ],
        clips: vec![clip("eyes", media(10, 62)), clip("slate", media(11, 10))],
        fill: vec![fill(&media(1, 250), at("08:30:00")), fill(&media(2, 250), at("09:10:00"))],
        slots: vec![],
        channels: vec![Channel {
            channel: "junior".parse().expect("a name"),
            title: "初中".into(),
            grades: vec![],
            discontinuities_before: 0,
            programmes: vec![
                programme(0, 6_375, Kind::Gap, Show::Clip(id("slate"))),
                programme(6_375, 6_625, Kind::Lesson, Show::Lesson(id("maths-9"))),
                programme(6_625, day, Kind::Gap, Show::Nothing),
            ],
        }],
        policies: vec![],
        documents: vec![],
    }
}

const SEGMENTS: u32 = 18_000;

/// What a channel shows from one segment of the day to another.
pub fn programme(start: u32, end: u32, kind: Kind, show: Show) -> Programme {
    let lesson = match &show {
        Show::Lesson(lesson) => Some(lesson.clone()),
        _ => None,
    };
    let item = lesson.as_ref().map(|lesson: &LessonId| lesson.as_str().parse().expect("a lesson's name"));
    Programme { item, start, segments: end - start, kind, title: String::new(), lesson, show }
}

/// What package `number` is, which is nowhere.
pub fn media(number: u32, segments: u32) -> Media {
    let rung = Rung {
        slot: Slot::S0,
        width: 256,
        height: 144,
        codecs: "avc1.42c00c".into(),
        peak_bps: 120_000,
        average_bps: 60_000,
        audio: AudioSlot::Lo,
        alias_of: None,
        thinning: std::num::NonZeroU32::MIN,
    };
    let sound = Sound {
        slot: AudioSlot::Lo,
        codecs: "mp4a.40.2".into(),
        channels: 1,
        peak_bps: 34_000,
        average_bps: 32_000,
    };
    Media {
        package: package(number),
        segments: SegmentCount(segments),
        bytes: u64::from(segments) * 60_000,
        frame_rate: FrameRate::Fps25,
        video: vec![rung],
        audio: vec![sound],
        subtitles: vec![],
        pictures: None,
    }
}

/// A lesson for the first time, open from its bell.
pub fn lesson(name: &str, bell: Timestamp, media: Media) -> PlannedLesson {
    PlannedLesson {
        lesson: id(name),
        bell,
        release: bell,
        kind: Kind::Lesson,
        grades: vec![9.try_into().expect("a grade")],
        exam: true,
        title: format!("课 {name}"),
        subject: None,
        edition: None,
        volume: None,
        segments: SegmentCount(media.segments.0),
        media: Some(media),
    }
}

/// A clip.
pub fn clip(name: &str, media: Media) -> Clip {
    Clip { clip: id(name), title: name.to_owned(), media }
}

/// Fetched from midnight of the day at which it is needed to seven, pinned until the day ends.
pub fn fill(media: &Media, needed_at: Timestamp) -> Fill {
    let date = Zone::CHINA.local(needed_at).date();
    let midnight = Zone::CHINA.midnight(date).expect("a day of ours");
    Fill {
        package: media.package,
        lane: Lane::Night,
        from: midnight,
        until: midnight + SignedDuration::from_hours(7),
        needed_at,
        pin_until: midnight + SignedDuration::from_hours(24),
        bytes: media.bytes,
    }
}

fn id(name: &str) -> LessonId {
    name.parse().expect("a name")
}
