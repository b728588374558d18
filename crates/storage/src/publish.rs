//! A lesson's way into the store: `objects → manifest, signature → record → history → description → pointer →
//! catalogue`.
//!
//! Every step can be the last one before a crash. What a student sees then is the lesson as it was; running again
//! passes over what is done and completes the rest. Nothing that is visible ever names something that is not there:
//! before the manifest and before the pointer, everything written so far is brought to the disk.

pub(crate) mod catalogue;
mod describe;
pub(crate) mod history;
mod pointer;
mod progress;
pub(crate) mod resources;
mod signed;
mod upload;

pub(crate) use pointer::pointed;
pub use progress::{Progress, Step};
pub use signed::{sign, signatures};

use crate::error::StoreError;
use crate::staged::Staged;
use crate::store::Store;
use crate::swap::{MAX_PAPER_BYTES, Swapped};
use bytes::Bytes;
use faults::{Blame, Fault};
use history::Change;
use package::catalogue::CatalogueError;
use package::ingest::{IngestKey, IngestRecord};
use package::lesson::MAX_LESSON_BYTES;
use package::manifest::MAX_MANIFEST_BYTES;
use package::{Lesson, LessonId, ObjectPath, PackageId, Sealed, StorePath};
use pointer::pointer;
use progress::Track;
use signing::Signature;
use std::io;
use std::ops::ControlFlow;
use upload::upload;

/// How often a swap is tried against others who are faster. Each try that fails means another one succeeded.
pub(crate) const SWAP_ATTEMPTS: usize = 64;

/// What is to be published.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// The package.
    pub package: &'a Sealed,
    /// What is said about the lesson that becomes this package; names it.
    pub lesson: &'a Lesson,
    /// Under which key the package is remembered, so that ingesting the same again does no work.
    pub ingest: Option<IngestKey>,
    /// Made over the package's manifest.
    pub signature: Option<Signature>,
}

/// What publishing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Objects written; the others were there.
    pub uploaded: usize,
    /// Leftovers of killed uploads that were cleared away.
    pub swept: usize,
}

/// Why a lesson was not published. What was visible before still is.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An object lies not ready.
    #[error("cannot read {object} of the new package: {source}; run the ingest again")]
    Staged {
        /// Which.
        object: ObjectPath,
        /// What the system said.
        source: io::Error,
    },
    /// An object is not what the manifest says.
    #[error("{0} of the new package is not what its manifest says; run the ingest again")]
    Altered(ObjectPath),
    /// The lesson and the package given do not belong together.
    #[error("lesson {lesson} is said to be package {said}, not {given}")]
    Mismatch {
        /// Which lesson.
        lesson: LessonId,
        /// Its package by its description.
        said: PackageId,
        /// The package given.
        given: PackageId,
    },
    /// A lesson cannot point to a package that is not whole.
    #[error("package {0} is not in the store; ingest the lesson again")]
    NoPackage(PackageId),
    /// A package's own playlist cannot be read.
    #[error("{path}: {source}; the package is damaged, ingest the lesson again")]
    Playlist {
        /// Which.
        path: StorePath,
        /// Where and why.
        source: hls::ParseError,
    },
    /// The catalogue in the store cannot be read.
    #[error("the catalogue is damaged: {0}; restore it or remove catalogue/version.json to begin a new one")]
    Catalogue(#[from] CatalogueError),
    /// The catalogue takes no more. Found before anything is written, unless somebody else fills it meanwhile.
    #[error(
        "the lesson is not in the list: {0}; delete lessons of its grade that are shown no more, and run again"
    )]
    Full(#[from] package::catalogue::NoRoom),
    /// A lesson's history in the store cannot be read.
    #[error("{path} is damaged: {source}; restore it, or remove it to begin a new one")]
    History {
        /// Which.
        path: StorePath,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The list of files to be taken home cannot be read.
    #[error("resources/index.json is damaged: {0}; restore it, or remove it to begin a new one")]
    Resources(serde_json::Error),
    /// The list of files to be taken home takes no more.
    #[error(transparent)]
    Resource(#[from] package::resource::InvalidResource),
    /// Others kept swapping the same object.
    #[error("{0} was changed by others {SWAP_ATTEMPTS} times while we tried; run again")]
    Contended(StorePath),
    /// The caller asked to stop.
    #[error("stopped before it was published; run again to complete it")]
    Stopped,
}

impl Fault for PublishError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Staged { .. } => "PACKAGE_UNREADABLE",
            Self::Altered(_) => "PACKAGE_ALTERED",
            Self::Mismatch { .. } => "PACKAGE_MISMATCH",
            Self::NoPackage(_) => "PACKAGE_MISSING",
            Self::Playlist { .. } => "PACKAGE_DAMAGED",
            Self::Catalogue(_) => "CATALOGUE_DAMAGED",
            Self::Full(_) => "CATALOGUE_FULL",
            Self::History { .. } => "HISTORY_DAMAGED",
            Self::Resources(_) => "RESOURCES_DAMAGED",
            Self::Resource(_) => "RESOURCE_INVALID",
            Self::Contended(_) => "STORE_CONTENDED",
            Self::Stopped => "STOPPED",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Store(error) => error.blame(),
            Self::Resource(_) | Self::Full(_) => Blame::Input,
            _ => Blame::Ours,
        }
    }
}

/// Publishes a lesson. Does what is not done yet; running it again after any end completes it.
///
/// `on` is told after every object and every step, and may stop between them; of the record twice and more, the last time when
/// it has been looked what the lesson is now: who says then that it may go on is overtaken by nobody unseen. Dropping the future
/// stops as well.
///
/// # Errors
/// See [`PublishError`]; nothing half is visible after any of them.
pub async fn publish(
    store: &Store,
    publication: Publication<'_>,
    staged: &impl Staged,
    mut on: impl FnMut(Progress) -> ControlFlow<()> + Send,
) -> Result<Published, PublishError> {
    let Publication { package, lesson, ingest, signature } = publication;
    let id = package.id();
    if lesson.package != id {
        return Err(PublishError::Mismatch {
            lesson: lesson.listed.lesson.clone(),
            said: lesson.package,
            given: id,
        });
    }
    catalogue::check_room(store, lesson).await?;
    let swept = store.clear_leftovers(lesson).await?;
    let turn = store.begin_publishing(id).await?;
    let mut track = Track::new(package, &mut on);

    let uploaded = upload(store, package, staged, &turn, &mut track).await?;
    store.settle().await?;
    // A manifest is only ever written behind its objects: where there is one, there is a whole package.
    let manifest = store.get(&id.manifest(), MAX_MANIFEST_BYTES).await?;
    if manifest.is_none_or(|there| there.bytes != package.bytes()) {
        store.put_unsettled(&id.manifest(), Bytes::copy_from_slice(package.bytes())).await?;
    }
    if let Some(signature) = signature {
        sign(store, id, signature).await?;
    }
    track.done(Step::Manifest)?;
    if let Some(key) = ingest {
        replace(store, &key.path(), IngestRecord { package: id }.to_bytes().into()).await?;
    }
    track.done(Step::Record)?;
    store.settle().await?;
    turn.renew(store, package.manifest()).await?;
    show(store, lesson, &mut track).await?;
    Ok(Published { uploaded, swept })
}

/// Makes a lesson the package that `lesson` names, which is in the store already: a corrected title, a second lesson of
/// the same package, or the way back to an earlier package.
///
/// # Errors
/// See [`PublishError`]; what was visible before still is.
pub async fn point(store: &Store, lesson: &Lesson) -> Result<(), PublishError> {
    let _turn = store.begin_publishing(lesson.package).await?;
    if store.head(&lesson.package.manifest()).await?.is_none() {
        return Err(PublishError::NoPackage(lesson.package));
    }
    catalogue::check_room(store, lesson).await?;
    let mut on = |_| ControlFlow::Continue(());
    let mut track = Track { on: &mut on, at: Progress::default() };
    show(store, lesson, &mut track).await
}

/// Description, pointer, catalogue: the steps a student sees; then a look at whether they are still one lesson's.
async fn show(store: &Store, lesson: &Lesson, track: &mut Track<'_>) -> Result<(), PublishError> {
    let name = &lesson.listed.lesson;
    let pointer = pointer(store, lesson.package).await?;
    describe::describe(store, lesson, track).await?;
    track.done(Step::Description)?;
    replace(store, &name.pointer(), pointer).await?;
    track.done(Step::Pointer)?;
    catalogue::list(store, lesson).await?;
    agree(store, name, Some(lesson)).await?;
    // Whoever asks to stop now is too late: it is done.
    let _ = track.done(Step::Catalogue);
    Ok(())
}

/// Sees to it that history, pointer and catalogue are of the lesson that the description says, where somebody has
/// changed the same lesson at the same time and the steps of the two lie between each other. `made` is what the caller
/// has just made it, `None` when it has deleted it.
///
/// The description was swapped in one order, so it decides. Who finds that it is what they followed is done: who changes it
/// after that follows it after that, too, and so the last one to write anything writes what it says.
pub(crate) async fn agree(store: &Store, name: &LessonId, made: Option<&Lesson>) -> Result<(), PublishError> {
    let path = name.description();
    let mut followed = made.map(Lesson::to_bytes);
    let mut known = made.cloned();
    for _ in 0..SWAP_ATTEMPTS {
        let said = store.get(&path, MAX_LESSON_BYTES).await?.map(|found| found.bytes);
        // What cannot be read is nobody's who publishes now.
        let lesson = match &said {
            Some(bytes) => match Lesson::parse(bytes) {
                Ok(lesson) => Some(lesson),
                Err(_) => return Ok(()),
            },
            None => None,
        };
        let change = match &lesson {
            Some(lesson) => Change::To(lesson.package),
            None => Change::Deleted(known.as_ref()),
        };
        // Its order may be another than that of the descriptions.
        history::note(store, name, change).await?;
        if said.as_deref() == followed.as_deref() {
            return Ok(());
        }
        match &lesson {
            Some(lesson) => {
                replace(store, &name.pointer(), pointer(store, lesson.package).await?).await?;
                catalogue::list(store, lesson).await?;
            }
            None => {
                catalogue::unlist(store, name).await?;
                store.delete(&name.pointer()).await?;
            }
        }
        followed = said.map(Vec::from);
        known = lesson.or(known);
    }
    Err(PublishError::Contended(path))
}

/// Puts `new` at `path`, whatever is there. Nothing is written when it is there already.
async fn replace(store: &Store, path: &StorePath, new: Bytes) -> Result<(), PublishError> {
    for _ in 0..SWAP_ATTEMPTS {
        let current = store.get(path, MAX_PAPER_BYTES).await?;
        if current.as_ref().is_some_and(|current| current.bytes == new) {
            return Ok(());
        }
        let expected = current.map(|current| current.version);
        if let Swapped::Done(_) = store.swap(path, expected.as_ref(), new.clone()).await? {
            return Ok(());
        }
    }
    Err(PublishError::Contended(path.clone()))
}
