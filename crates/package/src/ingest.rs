//! The record that lets ingesting twice do no work.

use crate::digest::{Digest, Hasher};
use crate::layout::PackageId;
use crate::manifest::FORMAT;
use crate::path::StorePath;
use serde::{Deserialize, Serialize};

/// What determines a package: the source's bytes, what lies beside it, the recipe, and the FFmpeg that did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IngestKey(Digest);

/// What `ingests/<key>.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestRecord {
    /// The package that came of it.
    pub package: PackageId,
}

impl IngestKey {
    /// SHA-256 of both digests, the manifest's edition and the build's name. What comes first is of fixed length, so
    /// nothing is ambiguous.
    pub fn of(source: &Digest, recipe: &Digest, ffmpeg: &str) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(&source.0);
        hasher.update(&recipe.0);
        hasher.update(&FORMAT.to_be_bytes());
        hasher.update(ffmpeg.as_bytes());
        Self(hasher.finish())
    }

    /// The first 40 digits: names the folder where the package is being made.
    pub fn short(&self) -> String {
        let mut digits = self.0.to_string();
        digits.truncate(40);
        digits
    }

    /// The key of the same with what lies beside the source: subtitles, chapters, the language spoken.
    pub fn beside(self, papers: &Digest) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(&self.0.0);
        hasher.update(&papers.0);
        Self(hasher.finish())
    }

    /// `ingests/<key>.json`.
    pub fn path(&self) -> StorePath {
        StorePath::known(format!("ingests/{}.json", self.0))
    }
}

impl IngestRecord {
    /// As stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::manifest::json(self)
    }

    /// Reads a record; `None` when it is none, which costs an ingest and nothing else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_build_is_another_key() {
        let (source, recipe) = (Digest::of(b"source"), Digest::of(b"recipe"));
        let key = IngestKey::of(&source, &recipe, "5.1.9");
        assert_eq!(key, IngestKey::of(&source, &recipe, "5.1.9"));
        assert_ne!(key, IngestKey::of(&source, &recipe, "5.1.10"));
        assert_ne!(key, IngestKey::of(&recipe, &source, "5.1.9"));
        assert_ne!(key, key.beside(&Digest::of(b"subtitles")));
        assert_eq!(key.path().as_str().len(), "ingests/.json".len() + 64);
    }

    #[test]
    fn a_record_is_read_back() {
        let record = IngestRecord { package: PackageId::of(b"manifest") };
        assert_eq!(IngestRecord::parse(&record.to_bytes()), Some(record));
        assert_eq!(IngestRecord::parse(b"{}"), None);
    }
}
