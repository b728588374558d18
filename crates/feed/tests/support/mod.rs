//! A store with two small lessons in it, and a signed plan for a day of one channel.

#[path = "../../../mpegts/src/tests/made.rs"]
mod made;

use grid::{FrameRate, SegmentCount};
use jiff::Timestamp;
use jiff::civil::date;
use package::{AudioSlot, PackageId, Slot};
use signing::SigningKey;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use timetable::plan::{Channel, Clip, Media, Plan, PlanKind, PlannedLesson, Programme, Rung, Show, Sound};
use timetable::{AirSegment, Kind, Place, SignedPlan, Zone, plan_path};

/// Segments of both lessons and of the clip.
pub(crate) const LESSON: u32 = 10;

/// All that a feed needs.
pub(crate) struct School {
    folder: TempDir,
}

pub(crate) fn moment(time: &str) -> Timestamp {
    format!("2026-09-01T{time}+08:00").parse().unwrap()
}

fn package(number: u32) -> PackageId {
    format!("{number:040x}").parse().unwrap()
}

fn media(number: u32, peak: u64) -> Media {
    let rung = |slot: Slot, peak_bps, alias_of| Rung {
        slot,
        width: slot.width(),
        height: slot.height(),
        codecs: "avc1.64001f".into(),
        peak_bps,
        average_bps: peak_bps / 2,
        audio: slot.audio(),
        alias_of,
        thinning: std::num::NonZeroU32::MIN,
    };
    let sound = |slot: AudioSlot| Sound {
        slot,
        codecs: "mp4a.40.2".into(),
        channels: slot.channels(),
        peak_bps: 66_000,
        average_bps: 64_000,
    };
    Media {
        package: package(number),
        segments: SegmentCount(LESSON),
        bytes: 1_000_000,
        frame_rate: FrameRate::Fps25,
        // What the source cannot fill stands in for by the rung below.
        video: vec![
            rung(Slot::S0, 60_000, None),
            rung(Slot::S2, peak, None),
            rung(Slot::S3, peak, Some(Slot::S2)),
            rung(Slot::A3, 100_000, None),
        ],
        audio: vec![sound(AudioSlot::Hi), sound(AudioSlot::Lo)],
        subtitles: vec![],
        pictures: None,
    }
}

fn programme(start: u32, end: u32, kind: Kind, title: &str, show: Show) -> Programme {
    let lesson = match &show {
        Show::Lesson(lesson) => Some(lesson.clone()),
        _ => None,
    };
    Programme { item: None, start, segments: end - start, kind, title: title.into(), lesson, show }
}

fn lesson(name: &str, title: &str, bell: &str, media: Media) -> PlannedLesson {
    PlannedLesson {
        lesson: name.parse().unwrap(),
        bell: moment(bell),
        release: moment(bell),
        kind: Kind::Lesson,
        grades: vec![package::Grade::try_from(7).unwrap()],
        exam: false,
        title: title.into(),
        subject: Some("数学".into()),
        edition: Some("人教版".into()),
        volume: None,
        segments: SegmentCount(LESSON),
        media: Some(media),
    }
}

/// 08:30 is segment 6,375 of the day: a lesson, nothing, a clip twice, and the other lesson.
fn plan(peak: u64) -> Plan {
    let show = |name: &str| name.parse().unwrap();
    Plan {
        kind: PlanKind::Plan1,
        date: date(2026, 9, 1),
        zone: Zone::CHINA,
        place: Place::Nation,
        edition: 3,
        made_at: moment("00:00:00"),
        valid_from: moment("00:00:00"),
        valid_until: "2026-09-03T00:00:00+08:00".parse().unwrap(),
        first_segment: AirSegment::at(moment("00:00:00")),
        lessons: vec![
            lesson("maths-1", "一元一次方程", "08:30:00", media(1, peak)),
            lesson("maths-2", "Maths 2", "08:33:00", media(2, 300_000)),
        ],
        clips: vec![Clip { clip: show("eyes"), title: "眼保健操".into(), media: media(10, 300_000) }],
        fill: vec![],
        slots: vec![],
        channels: vec![Channel {
            channel: "junior".parse().unwrap(),
            title: "初中频道".into(),
            grades: vec![],
            discontinuities_before: 0,
            programmes: vec![
                programme(0, 6_375, Kind::Gap, "", Show::Nothing),
                programme(6_375, 6_385, Kind::Lesson, "", Show::Lesson(show("maths-1"))),
                programme(6_385, 6_387, Kind::Gap, "", Show::Nothing),
                programme(6_387, 6_402, Kind::EyeExercise, "眼保健操", Show::Clip(show("eyes"))),
                programme(6_402, 6_412, Kind::Lesson, "", Show::Lesson(show("maths-2"))),
                programme(6_412, 18_000, Kind::Gap, "", Show::Nothing),
            ],
        }],
        policies: vec![],
        documents: vec![],
    }
}

impl School {
    pub(crate) fn new() -> Self {
        Self::with_peak(300_000)
    }

    /// Its first lesson has a largest segment of as many bits a second.
    pub(crate) fn with_peak(peak: u64) -> Self {
        let school = Self { folder: TempDir::new().unwrap() };
        for number in [1, 2, 10] {
            school.write_package(number);
        }
        let key = SigningKey::generate().unwrap();
        let trust = format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public());
        fs::write(school.path("keys.toml"), trust).unwrap();
        let plan = plan(peak);
        school.put(plan_path(plan.date).as_str(), &SignedPlan::by(&plan, &[&key]).to_bytes());
        school
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What `airclass-feed` is told in any case.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let folder = self.folder.path().to_str().unwrap();
        let keys = format!("{folder}/keys.toml");
        ["--channel", "junior", "--plan", folder, "--from", folder, "--keys", &keys]
            .map(str::to_owned)
            .to_vec()
    }

    /// The file of segment `segment` of a lesson's pictures.
    pub(crate) fn pictures(number: u32, segment: u32) -> String {
        format!("p/{}/s2/{segment:05}.m4s", package(number))
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let file = self.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }

    fn write_package(&self, number: u32) {
        let package = package(number);
        self.put(&format!("p/{package}/s2/init.mp4"), &made::video_init());
        self.put(&format!("p/{package}/audio/hi/init.mp4"), &made::audio_init());
        for segment in 0..LESSON {
            let size =
                |index: u32| if index == 0 { 20_000 } else { 300 + ((index * 131 + number) % 700) as usize };
            let picture = |index| {
                // I, then P before two B pictures that are shown before it.
                let offset =
                    if index == 0 || index > 117 { 0 } else { [-3_600, 7_200, -3_600][index as usize % 3] };
                (3_600, offset, made::picture(if index == 0 { 0x65 } else { 0x41 }, size(index)))
            };
            let frame = |index: u32| (1_024, 0, vec![number as u8; 150 + (index % 40) as usize]);
            let pictures: Vec<made::Sample> = (0..120).map(picture).collect();
            let sound: Vec<made::Sample> = (0..225).map(frame).collect();
            let video = made::segment(u64::from(segment) * 432_000, &pictures);
            self.put(&Self::pictures(number, segment), &video);
            let audio = made::segment(u64::from(segment) * 230_400, &sound);
            self.put(&format!("p/{package}/audio/hi/{segment:05}.m4s"), &audio);
        }
    }
}
