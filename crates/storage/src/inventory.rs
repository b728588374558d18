//! What is in a store: lessons with what they are and were, packages with what they say of themselves.

use crate::error::StoreError;
use crate::publish::{self, PublishError, history, signatures};
use crate::store::Store;
use futures_util::{StreamExt, TryStreamExt, stream};
use package::history::HISTORY;
use package::lesson::MAX_LESSON_BYTES;
use package::manifest::{MAX_MANIFEST_BYTES, ManifestError};
use package::{History, Lesson, LessonId, Manifest, PackageId, Sealed, StorePath};
use signing::Signatures;
use std::collections::BTreeSet;

/// Papers read at the same time.
const READS_IN_FLIGHT: usize = 16;

/// One lesson, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// Its name.
    pub lesson: LessonId,
    /// What is said about it; `None` when that is missing or damaged.
    pub description: Option<Lesson>,
    /// The package that its pointer names; `None` when it is not published (any more).
    pub package: Option<PackageId>,
    /// What it has been.
    pub history: History,
}

/// One package, as the store has it.
#[derive(Debug)]
pub struct Packaged {
    /// Its name.
    pub package: PackageId,
    /// Its manifest; an error when it is missing or is not the one that the name promises.
    pub manifest: Result<Sealed, NotWhole>,
    /// Who has signed it.
    pub signatures: Signatures,
}

/// Why a package has no manifest that counts.
#[derive(Debug, thiserror::Error)]
pub enum NotWhole {
    /// It was not published to the end, or is being published.
    #[error("it has no manifest")]
    NoManifest,
    /// The manifest cannot be understood.
    #[error("its manifest cannot be read: {0}")]
    Manifest(#[from] ManifestError),
    /// The manifest is another package's.
    #[error("its manifest is that of {0}")]
    Name(PackageId),
}

impl Shelved {
    /// Every package that somebody who plays this lesson may be reading, or that a publisher is pointing it to.
    pub(crate) fn needs(&self, now_s: u64, grace_s: u64) -> impl Iterator<Item = PackageId> + '_ {
        let said = self.description.as_ref().map(|lesson| lesson.package);
        self.history.held(now_s, grace_s).chain(said).chain(self.package)
    }
}

impl Store {
    /// The lesson `lesson`; `None` when the store has never heard of it.
    ///
    /// # Errors
    /// When the store cannot say.
    pub async fn lesson(&self, lesson: &LessonId) -> Result<Option<Shelved>, PublishError> {
        let history = history::read(self, lesson).await?;
        let description = self.get(&lesson.description(), MAX_LESSON_BYTES).await?;
        let package = publish::pointed(self, lesson).await?;
        if history.entries.is_empty() && description.is_none() && package.is_none() {
            return Ok(None);
        }
        let description = description.and_then(|found| Lesson::parse(&found.bytes).ok());
        Ok(Some(Shelved { lesson: lesson.clone(), description, package, history }))
    }

    /// All lessons by name, deleted ones among them as long as their history is kept.
    ///
    /// # Errors
    /// When the store cannot say.
    pub async fn lessons(&self) -> Result<Vec<Shelved>, PublishError> {
        let mut names: BTreeSet<LessonId> = BTreeSet::new();
        for name in self.folders(&known("lessons")).await? {
            names.extend(name.parse::<LessonId>());
        }
        let histories = known(HISTORY);
        let histories: Vec<_> = self.list(Some(&histories)).map_ok(|(path, _)| path).try_collect().await?;
        let named =
            |path: StorePath| path.as_str().split('/').next_back()?.strip_suffix(".json")?.parse().ok();
        names.extend(histories.into_iter().filter_map(named));
        let lessons = stream::iter(names).map(|name| async move { self.lesson(&name).await });
        let lessons: Vec<_> = lessons.buffered(READS_IN_FLIGHT).try_collect().await?;
        Ok(lessons.into_iter().flatten().collect())
    }

    /// The names of all packages, in order; one that is being published may be among them.
    ///
    /// # Errors
    /// When the store cannot say.
    pub async fn packages(&self) -> Result<Vec<PackageId>, StoreError> {
        let names = self.folders(&known("p")).await?;
        let names: BTreeSet<_> = names.iter().filter_map(|name| name.parse().ok()).collect();
        Ok(names.into_iter().collect())
    }

    /// The package `package`; whether there is anything of it is for its manifest to say.
    ///
    /// # Errors
    /// When the store cannot say.
    pub async fn package(&self, package: PackageId) -> Result<Packaged, PublishError> {
        let manifest = match self.get(&package.manifest(), MAX_MANIFEST_BYTES).await? {
            None => Err(NotWhole::NoManifest),
            Some(found) => match Manifest::parse(&found.bytes) {
                Ok(sealed) if sealed.id() == package => Ok(sealed),
                Ok(other) => Err(NotWhole::Name(other.id())),
                Err(error) => Err(NotWhole::Manifest(error)),
            },
        };
        Ok(Packaged { package, manifest, signatures: signatures(self, package).await? })
    }
}

pub(crate) fn known(path: &str) -> StorePath {
    StorePath::parse(path).expect("a plain word")
}
