//! What there is: a short version file that lists immutable shards, one a stage and grade.
//!
//! A reader fetches `version.json`, then the shards it wants; a shard's name holds the hash of its bytes, so it may be
//! kept for ever and a version always lists shards that fit together.

mod line;
mod listed;
mod search;

pub use line::by_place;
pub use listed::Listed;

use crate::digest::Digest;
use crate::layout::LessonId;
use crate::lesson::{Grade, Stage};
use crate::manifest::json;
use crate::path::StorePath;
use crate::sections::Sections;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The largest version file or shard, written and read: 16 MiB, tens of thousands of lessons.
pub const MAX_CATALOGUE_BYTES: usize = 16 << 20;
/// The most shards a version lists; stages times grades are 52.
pub const MAX_SHARDS: usize = 1_000;

/// What `catalogue/version.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Version {
    /// Rises by one with every change.
    pub version: u64,
    /// `catalogue/sections-<hash8>.json`; [`crate::Sections`]. `None` in lists of older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sections: Option<StorePath>,
    /// In order of stage and grade.
    pub shards: Vec<ShardEntry>,
}

/// One shard, as the version lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// `catalogue/<name>-<hash8>.json`.
    pub path: StorePath,
    /// Stage of all lessons in it.
    pub stage: Stage,
    /// Grade of all lessons in it; `None` when they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// How many lessons are in it.
    pub lessons: usize,
    /// `catalogue/search-<name>-<hash8>.json`: what is searched, and how it is read. `None` in lists of older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<StorePath>,
}

/// All lessons, by shard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    version: u64,
    shards: BTreeMap<ShardKey, BTreeMap<LessonId, Listed>>,
    /// What somebody has published in place of those that come with the program.
    sections: Option<StorePath>,
}

type ShardKey = (Stage, Option<Grade>);

/// A catalogue as it is stored: shards first, version last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Path and bytes of every shard.
    pub shards: Vec<(StorePath, Vec<u8>)>,
    /// What is searched in each, and the sections where nobody has published others. Stored with the shards.
    pub beside: Vec<(StorePath, Vec<u8>)>,
    /// `version.json`.
    pub version: Vec<u8>,
}

/// Why stored bytes are no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Not JSON, or not of the right shape.
    #[error("{path} is no part of a catalogue: {source}")]
    Json {
        /// Which file.
        path: StorePath,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A shard's bytes are not those its name promises.
    #[error("{0} is not what its name says")]
    Altered(StorePath),
    /// More than [`MAX_SHARDS`].
    #[error("{0} shards are more than {MAX_SHARDS}")]
    TooManyShards(usize),
}

/// A list that would be longer than what is read of one.
#[derive(Debug, thiserror::Error)]
#[error("{path} would have {bytes} bytes, more than the {MAX_CATALOGUE_BYTES} that are read")]
pub struct NoRoom {
    /// Which file.
    pub path: StorePath,
    /// Its length.
    pub bytes: usize,
}

/// `catalogue/version.json`.
pub fn version_path() -> StorePath {
    StorePath::known("catalogue/version.json".to_owned())
}

impl Version {
    /// Reads `version.json`.
    ///
    /// # Errors
    /// When it is no such JSON or lists too many shards.
    pub fn parse(bytes: &[u8]) -> Result<Self, CatalogueError> {
        let version: Self = serde_json::from_slice(bytes)
            .map_err(|source| CatalogueError::Json { path: version_path(), source })?;
        if version.shards.len() > MAX_SHARDS {
            return Err(CatalogueError::TooManyShards(version.shards.len()));
        }
        Ok(version)
    }

    /// `version.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }

    /// Every file that it needs.
    pub fn files(&self) -> impl Iterator<Item = &StorePath> {
        let of_shards =
            self.shards.iter().flat_map(|entry| std::iter::once(&entry.path).chain(&entry.search));
        self.sections.iter().chain(of_shards)
    }

    /// The file that `sections` is, and itself with that in place of the sections before; `None` where they are the same.
    pub fn with_sections(&self, sections: &Sections) -> Option<(Self, StorePath, Vec<u8>)> {
        let (path, bytes) = sections_file(sections);
        let changed = self.sections.as_ref() != Some(&path);
        let version = Self { version: self.version + 1, sections: Some(path.clone()), ..self.clone() };
        changed.then_some((version, path, bytes))
    }
}

impl Catalogue {
    /// Puts a version's shards together. `shards` gives the bytes of each, in the version's order.
    ///
    /// # Errors
    /// When a shard is no list of lessons or not what its name says.
    pub fn assemble<Bytes: AsRef<[u8]>>(
        version: &Version,
        shards: impl IntoIterator<Item = Bytes>,
    ) -> Result<Self, CatalogueError> {
        let (shipped, _) = sections_file(&Sections::shipped());
        let sections = version.sections.clone().filter(|path| *path != shipped);
        let mut catalogue = Self { version: version.version, shards: BTreeMap::new(), sections };
        for (entry, bytes) in version.shards.iter().zip(shards) {
            for lesson in shard(&entry.path, bytes.as_ref())? {
                catalogue.place(lesson);
            }
        }
        Ok(catalogue)
    }

    /// Adds `lesson`, or puts it in place of what was said about it before, in whatever shard that was.
    ///
    /// Whether anything changed. The version rises only then: publishing again, or another package with the same words, makes
    /// no new catalogue.
    pub fn upsert(&mut self, lesson: impl Into<Listed>) -> bool {
        let lesson = lesson.into();
        if self.lesson(&lesson.lesson) == Some(&lesson) {
            return false;
        }
        self.take(&lesson.lesson);
        self.place(lesson);
        self.version += 1;
        true
    }

    /// Takes a lesson out of the list; whether it was there.
    pub fn remove(&mut self, lesson: &LessonId) -> bool {
        let was_there = self.take(lesson);
        self.version += u64::from(was_there);
        was_there
    }

    /// What is said about `lesson`.
    pub fn lesson(&self, lesson: &LessonId) -> Option<&Listed> {
        self.shards.values().find_map(|shard| shard.get(lesson))
    }

    /// All lessons, by stage, grade and name.
    pub fn lessons(&self) -> impl Iterator<Item = &Listed> {
        self.shards.values().flat_map(BTreeMap::values)
    }

    /// Rises by one with every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The files to store.
    pub fn render(&self) -> Rendered {
        let mut version =
            Version { version: self.version, sections: self.sections.clone(), shards: Vec::new() };
        let (mut shards, mut beside) = (Vec::new(), Vec::new());
        if version.sections.is_none() {
            let (path, bytes) = sections_file(&Sections::shipped());
            version.sections = Some(path.clone());
            beside.push((path, bytes));
        }
        for (&(stage, grade), lessons) in &self.shards {
            let bytes = json(&line::lines(lessons));
            let path = shard_path("", stage, grade, &bytes);
            let index = json(&search::entries(lessons.values()));
            let search = shard_path("search-", stage, grade, &index);
            version.shards.push(ShardEntry {
                path: path.clone(),
                stage,
                grade,
                lessons: lessons.len(),
                search: Some(search.clone()),
            });
            shards.push((path, bytes));
            beside.push((search, index));
        }
        Rendered { shards, beside, version: version.to_bytes() }
    }

    fn place(&mut self, lesson: Listed) {
        let shard = self.shards.entry((lesson.stage, lesson.grade)).or_default();
        shard.insert(lesson.lesson.clone(), lesson);
    }

    fn take(&mut self, lesson: &LessonId) -> bool {
        let before = self.lessons().count();
        self.shards.values_mut().for_each(|shard| {
            shard.remove(lesson);
        });
        self.shards.retain(|_, shard| !shard.is_empty());
        self.lessons().count() < before
    }
}

impl Rendered {
    /// Whether what is stored will be read again.
    ///
    /// # Errors
    /// When the version or a shard is longer than [`MAX_CATALOGUE_BYTES`]: nobody could take anything out of it again.
    pub fn check(&self) -> Result<(), NoRoom> {
        let shards = self.shards.iter().map(|(path, bytes)| (path.clone(), bytes.len()));
        let mut all = shards.chain([(version_path(), self.version.len())]);
        let longer = all.find(|(_, bytes)| *bytes > MAX_CATALOGUE_BYTES);
        longer.map_or(Ok(()), |(path, bytes)| Err(NoRoom { path, bytes }))
    }
}

/// Reads a shard's lessons.
///
/// # Errors
/// When it is no list of lessons or not what its name says.
pub fn shard(path: &StorePath, bytes: &[u8]) -> Result<Vec<Listed>, CatalogueError> {
    if !path.as_str().ends_with(&format!("-{}.json", hash8(bytes))) {
        return Err(CatalogueError::Altered(path.clone()));
    }
    serde_json::from_slice(bytes).map_err(|source| CatalogueError::Json { path: path.clone(), source })
}

/// `catalogue/primary-3-0a1b2c3d.json`, or what `what` says of it.
fn shard_path(what: &str, stage: Stage, grade: Option<Grade>, bytes: &[u8]) -> StorePath {
    StorePath::known(format!("catalogue/{what}{}-{}.json", shard_name(stage, grade), hash8(bytes)))
}

/// A shard's name without its hash: `primary-3`, `other`.
pub fn shard_name(stage: Stage, grade: Option<Grade>) -> String {
    let grade = grade.map(|grade| format!("-{}", grade.year())).unwrap_or_default();
    format!("{}{grade}", stage.as_str())
}

fn sections_file(sections: &Sections) -> (StorePath, Vec<u8>) {
    let bytes = sections.to_bytes();
    (StorePath::known(format!("catalogue/sections-{}.json", hash8(&bytes))), bytes)
}

/// The first 8 hexadecimal digits of SHA-256: tells editions of one shard apart, promises nothing against forgery.
fn hash8(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()[..8].to_owned()
}

#[cfg(test)]
mod tests;
