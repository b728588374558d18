//! Where everything lies: names of packages, lessons and rungs, and the paths made of them.

use crate::digest::{Digest, read_hex, write_hex};
use crate::path::{ObjectPath, StorePath};
use grid::SegmentNumber;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The manifest's name in its package.
pub const MANIFEST: &str = "manifest.json";
/// The multivariant playlist's name, in a package and behind a pointer.
pub const MAIN: &str = "main.m3u8";
/// The multivariant playlist of sound alone.
pub const AUDIO_ONLY: &str = "audio.m3u8";

/// A package's name: the first 20 bytes of the SHA-256 of its manifest, written as 40 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageId([u8; 20]);

/// A lesson's name: 1 to 64 of `a-z 0-9 - _ .`, not starting with a dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LessonId(String);

/// A text that names no package or lesson.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Of a package.
    #[error("`{0}` is no package: 40 digits of 0-9 a-f")]
    Package(String),
    /// Of a lesson.
    #[error("`{0}` is no lesson name: 1 to 64 of a-z 0-9 - _ . and not a dot first")]
    Lesson(String),
}

/// A place on the ladder of pictures. Places are fixed so that any lesson can follow any other on a channel; what a
/// lesson spends on each is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// 256x144, at most 192 kbit/s with its sound (Apple 9.21).
    S0,
    /// 416x234.
    S1,
    /// 640x360.
    S2,
    /// 960x540.
    S3,
    /// 1280x720.
    S4,
    /// 1920x1080.
    S5,
}

/// A kind of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioSlot {
    /// Stereo, 64 kbit/s, with `s1` to `s5`.
    Hi,
    /// Mono, 32 kbit/s, with `s0`.
    Lo,
}

/// One series of segments: pictures or sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rendition {
    /// Pictures.
    Video(Slot),
    /// Sound.
    Audio(AudioSlot),
}

impl PackageId {
    /// The name of the package whose manifest is `manifest`, byte for byte.
    pub fn of(manifest: &[u8]) -> Self {
        let mut id = [0; 20];
        id.copy_from_slice(&Digest::of(manifest).0[..20]);
        Self(id)
    }

    /// `p/<package>/<object>`.
    pub fn object(&self, object: &ObjectPath) -> StorePath {
        StorePath::known(format!("p/{self}/{object}"))
    }

    /// `p/<package>/manifest.json`.
    pub fn manifest(&self) -> StorePath {
        StorePath::known(format!("p/{self}/{MANIFEST}"))
    }

    /// `p/<package>/main.m3u8`.
    pub fn main(&self) -> StorePath {
        StorePath::known(format!("p/{self}/{MAIN}"))
    }

    /// What goes in front of the package's own relative URLs to mean the same from a lesson's folder.
    pub fn seen_from_lesson(&self) -> String {
        format!("../../p/{self}/")
    }
}

impl LessonId {
    /// A name made of what can be kept of `stem`: a file's name becomes a lesson's where none is given.
    ///
    /// Letters become small, runs of anything else one hyphen. `None` when nothing is left, as with a name all in
    /// Chinese.
    pub fn from_stem(stem: &str) -> Option<Self> {
        let mut name = String::new();
        for c in stem.chars().map(|c| c.to_ascii_lowercase()) {
            match c {
                'a'..='z' | '0'..='9' | '_' => name.push(c),
                '.' if !name.is_empty() => name.push('.'),
                _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
                _ => {}
            }
        }
        name.truncate(64);
        name.trim_end_matches(['-', '.']).parse().ok()
    }

    /// As in paths.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `lessons/<lesson>/main.m3u8`.
    pub fn pointer(&self) -> StorePath {
        StorePath::known(format!("lessons/{self}/{MAIN}"))
    }

    /// `lessons/<lesson>/lesson.json`.
    pub fn description(&self) -> StorePath {
        StorePath::known(format!("lessons/{self}/lesson.json"))
    }
}

impl Slot {
    /// From the smallest picture to the largest.
    pub const ALL: [Self; 6] = [Self::S0, Self::S1, Self::S2, Self::S3, Self::S4, Self::S5];

    /// The place's name, which is its folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S0 => "s0",
            Self::S1 => "s1",
            Self::S2 => "s2",
            Self::S3 => "s3",
            Self::S4 => "s4",
            Self::S5 => "s5",
        }
    }

    /// Pixels in a row of a 16:9 picture.
    pub const fn width(self) -> u32 {
        match self {
            Self::S0 => 256,
            Self::S1 => 416,
            Self::S2 => 640,
            Self::S3 => 960,
            Self::S4 => 1280,
            Self::S5 => 1920,
        }
    }

    /// Rows of a 16:9 picture.
    pub const fn height(self) -> u32 {
        match self {
            Self::S0 => 144,
            Self::S1 => 234,
            Self::S2 => 360,
            Self::S3 => 540,
            Self::S4 => 720,
            Self::S5 => 1080,
        }
    }

    /// The sound that plays with it: the smallest picture gets the small one, to stay within 192 kbit/s.
    pub const fn audio(self) -> AudioSlot {
        match self {
            Self::S0 => AudioSlot::Lo,
            _ => AudioSlot::Hi,
        }
    }
}

impl AudioSlot {
    /// The better one first.
    pub const ALL: [Self; 2] = [Self::Hi, Self::Lo];

    /// The name, which is its folder under `audio/` and its GROUP-ID.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hi => "hi",
            Self::Lo => "lo",
        }
    }

    /// Channels.
    pub const fn channels(self) -> u32 {
        match self {
            Self::Hi => 2,
            Self::Lo => 1,
        }
    }

    /// Bits a second the encoder is asked for.
    pub const fn bit_rate(self) -> u32 {
        match self {
            Self::Hi => 64_000,
            Self::Lo => 32_000,
        }
    }
}

impl Rendition {
    /// `<folder>/init.mp4`.
    pub fn init(self) -> ObjectPath {
        ObjectPath::known(format!("{self}/init.mp4"))
    }

    /// `<folder>/00017.m4s`.
    pub fn segment(self, number: SegmentNumber) -> ObjectPath {
        ObjectPath::known(format!("{self}/{}", segment_name(number)))
    }

    /// `<folder>/index.m3u8`.
    pub fn playlist(self) -> ObjectPath {
        ObjectPath::known(format!("{self}/index.m3u8"))
    }
}

/// A segment's name in its folder: `00017.m4s`. Five digits hold more than a day.
pub fn segment_name(number: SegmentNumber) -> String {
    format!("{:05}.m4s", number.0)
}

/// A package's own multivariant playlist, within the package.
pub fn main_playlist() -> ObjectPath {
    ObjectPath::known(MAIN.to_owned())
}

/// A package's playlist of sound alone, within the package.
pub fn audio_playlist() -> ObjectPath {
    ObjectPath::known(AUDIO_ONLY.to_owned())
}

impl fmt::Display for Rendition {
    /// Its folder: `s2`, `audio/hi`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Video(slot) => f.write_str(slot.as_str()),
            Self::Audio(slot) => write!(f, "audio/{}", slot.as_str()),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for AudioSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl FromStr for PackageId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        read_hex(text).map(Self).ok_or_else(|| InvalidName::Package(text.chars().take(80).collect()))
    }
}

impl TryFrom<String> for PackageId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<PackageId> for String {
    fn from(id: PackageId) -> String {
        id.to_string()
    }
}

impl fmt::Display for LessonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LessonId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let valid = (1..=64).contains(&text.len())
            && !text.starts_with('.')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
        let name = || InvalidName::Lesson(text.chars().take(80).collect());
        valid.then(|| Self(text.to_owned())).ok_or_else(name)
    }
}

impl TryFrom<String> for LessonId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<LessonId> for String {
    fn from(id: LessonId) -> String {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_design() {
        let package: PackageId = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
        let lesson: LessonId = "maths-3.1".parse().unwrap();
        let segment = Rendition::Video(Slot::S2).segment(SegmentNumber(17));
        for (path, text) in [
            (package.manifest(), "p/0123456789abcdef0123456789abcdef01234567/manifest.json"),
            (package.object(&segment), "p/0123456789abcdef0123456789abcdef01234567/s2/00017.m4s"),
            (lesson.pointer(), "lessons/maths-3.1/main.m3u8"),
            (lesson.description(), "lessons/maths-3.1/lesson.json"),
        ] {
            assert_eq!(path.as_str(), text);
        }
        assert_eq!(Rendition::Audio(AudioSlot::Hi).init().as_str(), "audio/hi/init.mp4");
        assert_eq!(Rendition::Audio(AudioSlot::Lo).playlist().as_str(), "audio/lo/index.m3u8");
    }

    #[test]
    fn lessons_are_named_plainly() {
        let long = "a".repeat(65);
        for text in ["", "A", ".a", "a/b", "a b", "课", &long] {
            assert!(text.parse::<LessonId>().is_err(), "{text}");
        }
        for (stem, name) in [
            ("Maths 3 (final)", Some("maths-3-final")),
            ("第5课 KongYiji.v2", Some("5-kongyiji.v2")),
            ("孔乙己", None),
            ("..", None),
            ("_", Some("_")),
        ] {
            assert_eq!(LessonId::from_stem(stem).as_ref().map(LessonId::as_str), name, "{stem}");
        }
        assert_eq!(LessonId::from_stem(&long).unwrap().as_str().len(), 64);
    }
}
