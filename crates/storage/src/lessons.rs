//! Taking a lesson back: to an earlier package, or out of sight.

use crate::publish::history::{self, Change};
use crate::publish::{PublishError, agree, catalogue, point};
use crate::store::Store;
use faults::{Blame, Fault};
use package::catalogue::Listed;
use package::manifest::MAX_MANIFEST_BYTES;
use package::{Lesson, LessonId, Manifest, PackageId};

/// Why a lesson was not taken back. What was visible before still is.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    /// The store did not do its part.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Nobody has heard of it.
    #[error("there is no lesson `{0}`; `airclass package ls` shows all")]
    None(LessonId),
    /// It has always been what it is.
    #[error("lesson `{0}` has been no other package that its history knows; ingest what it should be")]
    NoEarlier(LessonId),
    /// It has never been that package.
    #[error(
        "lesson `{lesson}` has never been package {package}; `airclass package show {lesson}` shows what it has been"
    )]
    NeverWas {
        /// Which lesson.
        lesson: LessonId,
        /// The package that was asked for.
        package: PackageId,
    },
    /// Its description is gone, so nobody can say what it would be called.
    #[error("lesson `{0}` has no description that can be read; ingest it again")]
    Undescribed(LessonId),
}

impl Fault for LessonError {
    fn code(&self) -> &'static str {
        match self {
            Self::Publish(error) => error.code(),
            Self::None(_) => "LESSON_MISSING",
            Self::NoEarlier(_) => "LESSON_NO_EARLIER",
            Self::NeverWas { .. } => "LESSON_NEVER_WAS",
            Self::Undescribed(_) => "LESSON_UNDESCRIBED",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Publish(error) => error.blame(),
            _ => Blame::Input,
        }
    }
}

/// From which package to which a lesson went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolledBack {
    /// What it was; none: it was deleted.
    pub from: Option<PackageId>,
    /// What it is.
    pub to: PackageId,
}

/// Makes `lesson` the package `to`, or else the one that it was before; brings a deleted lesson back. What is said about
/// the lesson stays as it is.
///
/// # Errors
/// See [`LessonError`].
pub async fn roll_back(
    store: &Store,
    lesson: &LessonId,
    to: Option<PackageId>,
) -> Result<RolledBack, LessonError> {
    let shelved = store.lesson(lesson).await?.ok_or_else(|| LessonError::None(lesson.clone()))?;
    let from = shelved.package;
    let to = match to {
        Some(package) if shelved.history.packages().any(|was| was == package) => package,
        Some(package) => return Err(LessonError::NeverWas { lesson: lesson.clone(), package }),
        None => shelved.history.before(from).ok_or_else(|| LessonError::NoEarlier(lesson.clone()))?,
    };
    let description = shelved.description.or(shelved.history.deleted);
    let description = description.ok_or_else(|| LessonError::Undescribed(lesson.clone()))?;
    let missing = || PublishError::NoPackage(to);
    let manifest = store.get(&to.manifest(), MAX_MANIFEST_BYTES).await.map_err(PublishError::from)?;
    let manifest = Manifest::parse(&manifest.ok_or_else(missing)?.bytes).map_err(|_| missing())?;
    let duration_ms = manifest.manifest().duration_ms();
    let listed = Listed { duration_ms, ..description.listed };
    point(store, &Lesson { package: to, listed }).await?;
    Ok(RolledBack { from, to })
}

/// Takes `lesson` out of the catalogue and removes its pointer; its packages go when nobody has needed them for the grace
/// period of [`crate::collect`]. Can be stopped anywhere and run again.
///
/// # Errors
/// See [`LessonError`].
pub async fn delete(store: &Store, lesson: &LessonId) -> Result<(), LessonError> {
    let shelved = store.lesson(lesson).await?.ok_or_else(|| LessonError::None(lesson.clone()))?;
    catalogue::unlist(store, lesson).await?;
    history::note(store, lesson, Change::Deleted(shelved.description.as_ref())).await?;
    store.delete(&lesson.pointer()).await.map_err(PublishError::from)?;
    store.delete(&lesson.description()).await.map_err(PublishError::from)?;
    agree(store, lesson, None).await?;
    Ok(store.settle().await.map_err(PublishError::from)?)
}
