//! Where everything lies: names of packages and lessons, and the paths made of them; [`object`] within a package.

pub mod object;
mod slot;

pub use object::*;
pub use slot::{AudioSlot, Codec, Slot};

use crate::digest::Digest;
use crate::path::{ObjectPath, StorePath};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use units::hex;

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

    /// `p/<package>/manifest.sig`: beside the manifest and not in it, so that the name does not depend on the key.
    pub fn signatures(&self) -> StorePath {
        StorePath::known(format!("p/{self}/{SIGNATURES}"))
    }

    /// `p/<package>`, the folder of all its objects.
    pub fn folder(&self) -> StorePath {
        StorePath::known(format!("p/{self}"))
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

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

impl fmt::Debug for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

impl FromStr for PackageId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        hex::read(text).map(Self).ok_or_else(|| InvalidName::Package(text.chars().take(80).collect()))
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
    use grid::SegmentNumber;

    #[test]
    fn paths_are_those_of_the_design() {
        let package: PackageId = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
        let lesson: LessonId = "maths-3.1".parse().unwrap();
        let segment = Rendition::Video(Slot::S2).segment(SegmentNumber(17));
        for (path, text) in [
            (package.manifest(), "p/0123456789abcdef0123456789abcdef01234567/manifest.json"),
            (package.signatures(), "p/0123456789abcdef0123456789abcdef01234567/manifest.sig"),
            (package.object(&segment), "p/0123456789abcdef0123456789abcdef01234567/s2/00017.m4s"),
            (lesson.pointer(), "lessons/maths-3.1/main.m3u8"),
            (lesson.description(), "lessons/maths-3.1/lesson.json"),
        ] {
            assert_eq!(path.as_str(), text);
        }
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
