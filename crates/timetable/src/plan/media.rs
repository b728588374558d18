//! Lessons and clips: what is shown, how many bits it is, when it is needed.

use super::Pictures;
use crate::school::Kind;
use grid::{FrameRate, SegmentCount};
use jiff::Timestamp;
use package::manifest::{AudioRendition, VideoRung};
use package::{AudioSlot, Grade, Language, LessonId, Manifest, PackageId, Sealed, Slot};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// One lesson of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLesson {
    /// Its name; the pointer is `/lessons/<lesson>/main.m3u8`.
    pub lesson: LessonId,
    /// Its start as the timetable writes it.
    pub bell: Timestamp,
    /// When its pointer opens: the bell, and the stagger of its grades. A lesson that the day only shows again is open from
    /// the day's beginning.
    pub release: Timestamp,
    /// `lesson`, or `replay` for one that the day only shows again.
    pub kind: Kind,
    /// For whom, in order.
    pub grades: Vec<Grade>,
    /// Whether one of them is before an examination.
    pub exam: bool,
    /// What the list shows.
    pub title: String,
    /// 学科.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// 版本.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// 册次.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// How long it lasts in the timetable.
    pub segments: SegmentCount,
    /// What is shown; `None` while the store does not have it: its pointer stays shut all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
}

/// What a channel shows beside lessons: an eye exercise, a slate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clip {
    /// Its name in the store, where it is a lesson like any other.
    pub clip: LessonId,
    /// What the list shows.
    pub title: String,
    /// What is shown.
    pub media: Media,
}

impl Clip {
    /// A recording that has been on air and whose lesson is another one by now. It is called by its package: no name in the store
    /// leads to it any more.
    pub fn earlier(title: String, media: Media) -> Self {
        Self { clip: earlier_name(media.package), title, media }
    }

    /// Whether it is that, and no clip of the store.
    pub fn is_earlier(&self) -> bool {
        self.clip == earlier_name(self.media.package)
    }
}

fn earlier_name(package: PackageId) -> LessonId {
    package.to_string().parse().expect("40 digits are a name")
}

/// A package, as far as filling, forecasting and airing need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// The package's name, the part after `/p/`.
    pub package: PackageId,
    /// Segments in every rendition.
    pub segments: SegmentCount,
    /// All objects of the package and its manifest.
    pub bytes: u64,
    /// Pictures a second.
    pub frame_rate: FrameRate,
    /// Rungs in order of their slots, aliases among them.
    pub video: Vec<Rung>,
    /// Sounds in order of their slots.
    pub audio: Vec<Sound>,
    /// Languages that it has subtitles in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subtitles: Vec<Language>,
    /// Pictures for quick seeking; `None` where the package has none that all devices decode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<Pictures>,
}

/// One rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Its place.
    pub slot: Slot,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// RFC 6381 name of the pictures' format.
    pub codecs: String,
    /// Bits a second at most, pictures alone.
    pub peak_bps: u64,
    /// Bits a second over the whole, pictures alone.
    pub average_bps: u64,
    /// The sound that plays with it.
    pub audio: AudioSlot,
    /// The rung whose objects stand in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<Slot>,
    /// One of so many of the lesson's pictures is in it.
    #[serde(default = "every", skip_serializing_if = "is_every")]
    pub thinning: NonZeroU32,
}

/// All pictures.
const fn every() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn is_every(thinning: &NonZeroU32) -> bool {
    *thinning == every()
}

/// One kind of sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sound {
    /// Its kind.
    pub slot: AudioSlot,
    /// RFC 6381 name.
    pub codecs: String,
    /// Channels.
    pub channels: u32,
    /// Bits a second at most.
    pub peak_bps: u64,
    /// Bits a second over the whole.
    pub average_bps: u64,
}

/// One package that nodes fetch beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Which.
    pub package: PackageId,
    /// How urgent.
    pub lane: Lane,
    /// Fetching begins.
    pub from: Timestamp,
    /// Fetching in this lane should be over.
    pub until: Timestamp,
    /// The first moment at which somebody may ask for it.
    pub needed_at: Timestamp,
    /// It stays pinned until here.
    pub pin_until: Timestamp,
    /// All objects of the package and its manifest.
    pub bytes: u64,
}

/// How urgent a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// It came when the window was open already: before all others, until the moment it is needed.
    Express,
    /// In the night's window.
    Night,
}

impl Lane {
    /// As files and metrics write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Express => "express",
            Self::Night => "night",
        }
    }
}

impl Media {
    /// What `sealed` says of its package.
    pub fn of(sealed: &Sealed) -> Self {
        let Manifest { segments, frame_rate, video, audio, .. } = sealed.manifest();
        let paper = u64::try_from(sealed.bytes().len()).unwrap_or(u64::MAX);
        Self {
            package: sealed.id(),
            segments: *segments,
            bytes: sealed.manifest().total_bytes().saturating_add(paper),
            frame_rate: *frame_rate,
            video: video.iter().map(Rung::from).collect(),
            audio: audio.iter().map(Sound::from).collect(),
            subtitles: sealed.manifest().subtitles.iter().map(|track| track.language.clone()).collect(),
            pictures: None,
        }
    }

    /// The same with the pictures that `list` lists, the text at [`Pictures::listed`]; without any where it lists others.
    #[must_use]
    pub fn with_pictures(self, sealed: &Sealed, list: &str) -> Self {
        Self { pictures: Pictures::read(sealed.manifest(), list), ..self }
    }

    /// Whether what is said of its segments is said of all of them.
    pub(super) fn is_whole(&self) -> bool {
        self.segments.0 > 0 && self.pictures.as_ref().is_none_or(|pictures| pictures.fits(self.segments))
    }

    /// Bits a second over the whole with `slot` and the sound that plays with it; `None` when there is no such rung.
    pub fn average_bps(&self, slot: Slot) -> Option<u64> {
        let rung = self.video.iter().find(|rung| rung.slot == slot)?;
        let sound = self.audio.iter().find(|sound| sound.slot == rung.audio)?;
        Some(rung.average_bps.saturating_add(sound.average_bps))
    }
}

impl From<&VideoRung> for Rung {
    fn from(rung: &VideoRung) -> Self {
        Self {
            slot: rung.slot,
            width: rung.width,
            height: rung.height,
            codecs: rung.codecs.clone(),
            peak_bps: rung.peak_bps,
            average_bps: rung.average_bps,
            audio: rung.audio,
            alias_of: rung.alias_of,
            thinning: NonZeroU32::new(rung.thinning).unwrap_or(every()),
        }
    }
}

impl From<&AudioRendition> for Sound {
    fn from(sound: &AudioRendition) -> Self {
        Self {
            slot: sound.slot,
            codecs: sound.codecs.clone(),
            channels: sound.channels,
            peak_bps: sound.peak_bps,
            average_bps: sound.average_bps,
        }
    }
}
