//! 课程目录: the catalogue as plain HTML, for browsers without JavaScript.
//!
//! ```text
//! /list/                      stages and grades
//! /list/primary-3             the lessons of one, 100 a page
//! /list/primary-3/2           the second page
//! /list/resources             textbooks and files to be taken home
//! /list/primary-3/~maths-3    one lesson in a <video>, for players that know HLS by themselves
//! ```
//!
//! Made of the catalogue's files at each question; edges keep it as they keep pointers, so it is there when we are not.

mod html;

use crate::object::{ObjectError, Objects};
use package::catalogue::{Listed, MAX_CATALOGUE_BYTES, ShardEntry, Version, shard, shard_name, version_path};
use package::resource::{MAX_RESOURCES_BYTES, Resources, resources_path};
use package::{LessonId, Sections, StorePath};

/// Lessons on one page: some 40 kB, 5 kB on the wire.
pub(crate) const PAGE: usize = 100;

/// What of the list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Stages and grades.
    Home,
    /// Textbooks and files.
    Resources,
    /// A page of the lessons of one, from 1 on.
    Lessons { shard: String, page: usize },
    /// A lesson of one.
    Lesson { shard: String, lesson: LessonId },
}

impl Listing {
    /// What a path behind `/list/` asks for.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let name = |text: &str| {
            let is_name = !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            is_name.then(|| text.to_owned())
        };
        match path.split_once('/') {
            None if path.is_empty() => Some(Self::Home),
            None if path == "resources" => Some(Self::Resources),
            None => Some(Self::Lessons { shard: name(path)?, page: 1 }),
            Some((shard, rest)) => Some(match rest.strip_prefix('~') {
                Some(lesson) => Self::Lesson { shard: name(shard)?, lesson: lesson.parse().ok()? },
                // 1 has a name already, and two addresses of one page would be kept twice.
                None => {
                    Self::Lessons { shard: name(shard)?, page: rest.parse().ok().filter(|&page| page > 1)? }
                }
            }),
        }
    }

    /// The page; `None` when the catalogue has no such thing.
    pub(crate) async fn page(&self, objects: &Objects) -> Result<Option<String>, ObjectError> {
        // Who has not published anything has an empty list.
        let version = match text(objects, &version_path()).await? {
            Some(bytes) => parsed(Version::parse(&bytes))?,
            None => Version::default(),
        };
        let of_shard =
            |name: &str| version.shards.iter().find(|entry| shard_name(entry.stage, entry.grade) == *name);
        Ok(match self {
            Self::Home => Some(html::home(&version.shards)),
            Self::Resources => Some(html::resources(&resources(objects).await?)),
            Self::Lessons { shard, page } => {
                let Some(entry) = of_shard(shard) else { return Ok(None) };
                let lessons = lessons(objects, entry).await?;
                let sections = sections(objects, &version).await?;
                html::lessons(entry, &lessons, *page, PAGE, &sections)
            }
            Self::Lesson { shard, lesson } => {
                let Some(entry) = of_shard(shard) else { return Ok(None) };
                let lessons = lessons(objects, entry).await?;
                lessons
                    .iter()
                    .find(|listed| listed.lesson == *lesson)
                    .map(|listed| html::lesson(entry, listed))
            }
        })
    }
}

/// The lessons of one shard.
pub(crate) async fn lessons(objects: &Objects, entry: &ShardEntry) -> Result<Vec<Listed>, ObjectError> {
    match text(objects, &entry.path).await? {
        Some(bytes) => parsed(shard(&entry.path, &bytes)),
        None => Err(ObjectError::Damaged(format!("{} is listed and not there", entry.path))),
    }
}

/// None, where nobody has published any.
async fn resources(objects: &Objects) -> Result<Resources, ObjectError> {
    let found = objects.paper(&resources_path(), MAX_RESOURCES_BYTES).await?;
    let read = |bytes: &[u8]| {
        Resources::parse(bytes)
            .map_err(|error| ObjectError::Damaged(format!("resources/index.json: {error}")))
    };
    found.map_or(Ok(Resources::default()), |bytes| read(&bytes))
}

/// Those of the catalogue; those of the program for lists of older releases, and for what cannot be read.
async fn sections(objects: &Objects, version: &Version) -> Result<Sections, ObjectError> {
    let Some(path) = &version.sections else { return Ok(Sections::shipped()) };
    let published = text(objects, path).await?.and_then(|bytes| Sections::from_json(&bytes));
    Ok(published.unwrap_or_else(Sections::shipped))
}

async fn text(objects: &Objects, path: &StorePath) -> Result<Option<bytes::Bytes>, ObjectError> {
    objects.paper(path, MAX_CATALOGUE_BYTES).await
}

/// What was read, or why it could not be.
pub(crate) fn parsed<T>(read: Result<T, package::catalogue::CatalogueError>) -> Result<T, ObjectError> {
    read.map_err(|error| ObjectError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_list() {
        let lessons = |shard: &str, page| Some(Listing::Lessons { shard: shard.to_owned(), page });
        for (path, listing) in [
            ("", Some(Listing::Home)),
            ("primary-3", lessons("primary-3", 1)),
            ("resources", Some(Listing::Resources)),
            ("primary-3/2", lessons("primary-3", 2)),
            ("primary-3/1", None),
            ("primary-3/0", None),
            ("primary-3/", None),
            (
                "primary-3/~maths-3",
                Some(Listing::Lesson { shard: "primary-3".into(), lesson: "maths-3".parse().unwrap() }),
            ),
            ("primary-3/~../x", None),
            ("Primary", None),
            ("a/b/c", None),
        ] {
            assert_eq!(Listing::parse(path), listing, "{path}");
        }
    }
}
