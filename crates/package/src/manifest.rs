//! The paper that makes a package: what it consists of, byte for byte.
//!
//! Its bytes are canonical (one order, one spelling) because their hash is the package's name: the same media always
//! gets the same name. Titles and other words are not in it, so correcting one does not make a new package.

mod check;
mod sections;

pub use check::{MAX_BUNDLE_BYTES, MAX_MANIFEST_BYTES, MAX_OBJECT_BYTES, MAX_OBJECTS, ManifestError};
pub use sections::{Loudness, Slides, Spending, Subtitles, Thumbs, Trick, TsRung};

use crate::digest::Digest;
use crate::layout::{AudioSlot, PackageId, Slot};
use crate::media_type::MediaType;
use crate::path::ObjectPath;
use grid::{FrameRate, SegmentCount};
use serde::{Deserialize, Serialize};

/// The edition of the manifest this code writes: 2, with AV1, I-frame playlists and the papers beside the media.
pub const FORMAT: u32 = 2;
/// The oldest edition this code reads. What was published stays published, and a roll-back may go back to it: edition 1
/// is edition 2 with less in it.
pub const OLDEST_FORMAT: u32 = 1;

/// What a package consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`OLDEST_FORMAT`] to [`FORMAT`].
    pub format: u32,
    /// How it was made.
    pub recipe: Recipe,
    /// Of what it was made.
    pub source: Source,
    /// Segments in every rendition.
    pub segments: SegmentCount,
    /// Length of a segment: [`grid::SEGMENT_MS`].
    pub segment_ms: u64,
    /// Pictures a second in every rung.
    pub frame_rate: FrameRate,
    /// Rungs, in order of their slots.
    pub video: Vec<VideoRung>,
    /// Sound.
    pub audio: Vec<AudioRendition>,
    /// Single pictures for quick seeking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trick: Option<Trick>,
    /// Subtitles, in order of their languages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subtitles: Vec<Subtitles>,
    /// Chapters: how many; 0 means that there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub chapters: u32,
    /// The storyboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbs: Option<Thumbs>,
    /// Slides as pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slides: Option<Slides>,
    /// Rungs that are there as MPEG-TS too, in order of their slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ts: Vec<TsRung>,
    /// The same media as a DASH presentation.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dash: bool,
    /// One file for where there is no network, made of this rung.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Slot>,
    /// How loud the source was and what was done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
    /// Every object but the manifest, in order of its path.
    pub objects: Vec<Object>,
}

/// How a package was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// For people.
    pub name: String,
    /// Of everything in the recipe that changes the output.
    pub sha256: Digest,
    /// Version and build of FFmpeg and its encoders.
    pub ffmpeg: String,
}

/// The teacher's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Of the whole file.
    pub sha256: Digest,
    /// Its length.
    pub bytes: u64,
}

/// One rung of the picture ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoRung {
    /// Its place.
    pub slot: Slot,
    /// Pixels in a row of what is really encoded.
    pub width: u32,
    /// Rows of what is really encoded.
    pub height: u32,
    /// RFC 6381 name of the picture's format: `avc1.64001f`, `av01.0.04M.08`.
    pub codecs: String,
    /// Bits a second at most, picture alone (measured as `hls::bitrate` does).
    pub peak_bps: u64,
    /// Bits a second over the whole, picture alone.
    pub average_bps: u64,
    /// The sound that plays with it.
    pub audio: AudioSlot,
    /// The lower rung whose objects stand in, where the source cannot fill the place: nothing is ever scaled up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<Slot>,
    /// Every how manieth picture of the lesson's rate the rung shows: 1, unless the lesson is slides and the rung small.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub thinning: u32,
    /// What the rung was given after trials on the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<Spending>,
}

/// One series of sound segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioRendition {
    /// Its kind.
    pub slot: AudioSlot,
    /// RFC 6381 name: `mp4a.40.2`.
    pub codecs: String,
    /// Channels.
    pub channels: u32,
    /// Bits a second at most.
    pub peak_bps: u64,
    /// Bits a second over the whole.
    pub average_bps: u64,
}

/// One object of the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Within the package.
    pub path: ObjectPath,
    /// Its length, at least 1.
    pub bytes: u64,
    /// Of the whole object.
    pub sha256: Digest,
    /// What it is; follows from its name.
    #[serde(rename = "type")]
    pub media_type: MediaType,
}

/// A manifest that has been checked, with its bytes and therefore its name. There is no other way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    id: PackageId,
    manifest: Manifest,
    bytes: Vec<u8>,
}

impl Manifest {
    /// A manifest of this edition with nothing in it yet.
    pub fn new(recipe: Recipe, source: Source, segments: SegmentCount, frame_rate: FrameRate) -> Self {
        Self {
            format: FORMAT,
            recipe,
            source,
            segments,
            segment_ms: grid::SEGMENT_MS,
            frame_rate,
            video: Vec::new(),
            audio: Vec::new(),
            trick: None,
            subtitles: Vec::new(),
            chapters: 0,
            thumbs: None,
            slides: None,
            ts: Vec::new(),
            dash: false,
            bundle: None,
            loudness: None,
            objects: Vec::new(),
        }
    }

    /// Puts lists into their canonical order, checks everything, and names the package.
    ///
    /// # Errors
    /// When it says something that no whole package can be; see [`ManifestError`].
    pub fn seal(mut self) -> Result<Sealed, ManifestError> {
        self.video.sort_by_key(|rung| rung.slot);
        self.audio.sort_by_key(|audio| audio.slot);
        self.subtitles.sort_by(|a, b| a.language.cmp(&b.language));
        self.ts.sort_by_key(|rung| rung.slot);
        self.objects.sort_by(|a, b| a.path.cmp(&b.path));
        check::check(&self)?;
        let bytes = json(&self);
        check::within(bytes.len())?;
        Ok(Sealed { id: PackageId::of(&bytes), manifest: self, bytes })
    }

    /// Reads a manifest from its bytes and checks it.
    ///
    /// # Errors
    /// When it is too large, no manifest of this format, or not the manifest of a whole package.
    pub fn parse(bytes: &[u8]) -> Result<Sealed, ManifestError> {
        check::within(bytes.len())?;
        // The format first: what follows it may mean anything in another edition.
        let Edition { format } = serde_json::from_slice(bytes)?;
        if !(OLDEST_FORMAT..=FORMAT).contains(&format) {
            return Err(ManifestError::Format(format));
        }
        let manifest: Self = serde_json::from_slice(bytes)?;
        check::check(&manifest)?;
        Ok(Sealed { id: PackageId::of(bytes), manifest, bytes: bytes.to_vec() })
    }

    /// The object at `path`.
    pub fn object(&self, path: &str) -> Option<&Object> {
        let place = self.objects.binary_search_by(|object| object.path.as_str().cmp(path)).ok()?;
        self.objects.get(place)
    }

    /// Length of the lesson in milliseconds, tail padding included.
    pub fn duration_ms(&self) -> u64 {
        self.segments.millis()
    }

    /// Bytes of all objects.
    pub fn total_bytes(&self) -> u64 {
        self.objects.iter().fold(0, |sum, object| sum.saturating_add(object.bytes))
    }
}

impl Sealed {
    /// The package's name.
    pub fn id(&self) -> PackageId {
        self.id
    }

    /// What it says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// `manifest.json`, byte for byte.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

const fn one() -> u32 {
    1
}

const fn is_one(value: &u32) -> bool {
    *value == 1
}

const fn is_zero(value: &u32) -> bool {
    *value == 0
}

const fn is_false(value: &bool) -> bool {
    !*value
}

#[derive(Deserialize)]
struct Edition {
    format: u32,
}

/// Compact JSON with a line break at its end. Field order is that of the struct, so equal values are equal bytes.
pub(crate) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).expect("our types have string keys and no failing serializer");
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests;
