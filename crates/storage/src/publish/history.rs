//! Noting what a lesson becomes, before it does.

use super::{PublishError, SWAP_ATTEMPTS};
use crate::clock;
use crate::store::Store;
use crate::swap::Swapped;
use package::history::{Entry, MAX_HISTORY_BYTES};
use package::{History, Lesson, LessonId, PackageId};

/// What a lesson becomes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// This package.
    To(PackageId),
    /// Nothing; what was said about it is kept for who brings it back.
    Deleted(Option<&'a Lesson>),
}

/// The history of `lesson` as it is stored; empty when there is none.
pub(crate) async fn read(store: &Store, lesson: &LessonId) -> Result<History, PublishError> {
    let path = lesson.history();
    match store.get(&path, MAX_HISTORY_BYTES).await? {
        None => Ok(History::default()),
        Some(found) => History::parse(&found.bytes).map_err(|source| PublishError::History { path, source }),
    }
}

/// Notes `change`. Nothing is written when that is the last that was noted.
pub(crate) async fn note(store: &Store, lesson: &LessonId, change: Change<'_>) -> Result<(), PublishError> {
    let path = lesson.history();
    for _ in 0..SWAP_ATTEMPTS {
        let current = store.get(&path, MAX_HISTORY_BYTES).await?;
        let mut history = match &current {
            Some(found) => History::parse(&found.bytes)
                .map_err(|source| PublishError::History { path: path.clone(), source })?,
            None => begun(store, lesson).await?,
        };
        let before = history.clone();
        match change {
            Change::To(package) => {
                history.record(Some(package), clock::now_s());
                history.deleted = None;
            }
            Change::Deleted(description) => {
                history.record(None, clock::now_s());
                history.deleted = description.cloned().or(history.deleted);
            }
        }
        if history == before && current.is_some() {
            return Ok(());
        }
        let expected = current.map(|current| current.version);
        if let Swapped::Done(_) = store.swap(&path, expected.as_ref(), history.to_bytes().into()).await? {
            return Ok(());
        }
    }
    Err(PublishError::Contended(path))
}

/// The history of a lesson that was published before histories were kept: what it is now.
async fn begun(store: &Store, lesson: &LessonId) -> Result<History, PublishError> {
    let mut history = History::default();
    let pointer = lesson.pointer();
    let Some(about) = store.head(&pointer).await? else { return Ok(history) };
    if let Some(package) = super::pointed(store, lesson).await? {
        history.entries.push(Entry { package: Some(package), since_s: clock::seconds(about.modified) });
    }
    Ok(history)
}
