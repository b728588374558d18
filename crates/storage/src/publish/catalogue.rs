//! Putting a lesson into the list.

use super::{PublishError, SWAP_ATTEMPTS};
use crate::store::{Found, Store};
use crate::swap::Swapped;
use futures_util::{StreamExt, TryStreamExt, stream};
use package::catalogue::{Catalogue, CatalogueError, MAX_CATALOGUE_BYTES, Rendered, Version, version_path};
use package::{Lesson, LessonId, Sections, StorePath};
use std::collections::HashSet;

/// Shards read at the same time.
const SHARDS_IN_FLIGHT: usize = 4;

/// Makes the catalogue say what `lesson` says. Shards first, the version that lists them last; old shards stay for
/// readers who hold the old version.
pub(crate) async fn list(store: &Store, lesson: &Lesson) -> Result<(), PublishError> {
    change(store, |catalogue| catalogue.upsert(lesson.clone())).await
}

/// Takes `lesson` out of the catalogue.
pub(crate) async fn unlist(store: &Store, lesson: &LessonId) -> Result<(), PublishError> {
    change(store, |catalogue| catalogue.remove(lesson)).await
}

/// Which files the catalogue lists now.
pub(crate) async fn shards(store: &Store) -> Result<HashSet<StorePath>, PublishError> {
    let current = store.get(&version_path(), MAX_CATALOGUE_BYTES).await?;
    let Some(found) = current else { return Ok(HashSet::new()) };
    Ok(Version::parse(&found.bytes)?.files().cloned().collect())
}

/// Makes `sections` those of the home page; whether they were others before.
///
/// # Errors
/// When the catalogue there cannot be read, or the store fails.
pub async fn publish_sections(store: &Store, sections: &Sections) -> Result<bool, PublishError> {
    for _ in 0..SWAP_ATTEMPTS {
        let current = store.get(&version_path(), MAX_CATALOGUE_BYTES).await?;
        let now = current.as_ref().map_or(Ok(Version::default()), |found| Version::parse(&found.bytes))?;
        let Some((next, path, bytes)) = now.with_sections(sections) else { return Ok(false) };
        let files = [(path, bytes)];
        put(store, &files).await?;
        store.settle().await?;
        let expected = current.map(|current| current.version);
        if let Swapped::Done(_) =
            store.swap(&version_path(), expected.as_ref(), next.to_bytes().into()).await?
        {
            restore(store, &files).await?;
            return Ok(true);
        }
    }
    Err(PublishError::Contended(version_path()))
}

/// Whether the list as it is now can be read and would take `lesson`: it is changed last, when all else has been written.
pub(crate) async fn check_room(store: &Store, lesson: &Lesson) -> Result<(), PublishError> {
    edited(store, &|catalogue| catalogue.upsert(lesson.clone())).await.map(drop)
}

/// A list that would take the place of another.
struct Edited {
    current: Option<Found>,
    /// Files of the current one.
    listed: HashSet<StorePath>,
    rendered: Rendered,
}

/// The list as it is now, after `edit`; `None` where that changes nothing.
async fn edited(
    store: &Store,
    edit: &impl Fn(&mut Catalogue) -> bool,
) -> Result<Option<Edited>, PublishError> {
    let current = store.get(&version_path(), MAX_CATALOGUE_BYTES).await?;
    let mut listed = HashSet::new();
    let mut catalogue = match &current {
        Some(found) => {
            let version = Version::parse(&found.bytes)?;
            listed.extend(version.files().cloned());
            read(store, &version).await?
        }
        None => Catalogue::default(),
    };
    if !edit(&mut catalogue) {
        return Ok(None);
    }
    let rendered = catalogue.render();
    rendered.check()?;
    Ok(Some(Edited { current, listed, rendered }))
}

async fn change(store: &Store, edit: impl Fn(&mut Catalogue) -> bool) -> Result<(), PublishError> {
    for _ in 0..SWAP_ATTEMPTS {
        let Some(Edited { current, listed, rendered }) = edited(store, &edit).await? else { return Ok(()) };
        let new: Vec<_> = rendered
            .shards
            .into_iter()
            .chain(rendered.beside)
            .filter(|(path, _)| !listed.contains(path))
            .collect();
        put(store, &new).await?;
        store.settle().await?;
        let expected = current.map(|current| current.version);
        let swapped = store.swap(&version_path(), expected.as_ref(), rendered.version.into()).await?;
        if let Swapped::Done(_) = swapped {
            return restore(store, &new).await;
        }
    }
    Err(PublishError::Contended(version_path()))
}

/// Written even when they are there: who removes old shards goes by their age.
async fn put(store: &Store, shards: &[(StorePath, Vec<u8>)]) -> Result<(), PublishError> {
    for (path, bytes) in shards {
        store.put_unsettled(path, bytes.clone().into()).await?;
    }
    Ok(())
}

/// A shard that had been listed long ago may have been removed as old just before it was listed again.
async fn restore(store: &Store, shards: &[(StorePath, Vec<u8>)]) -> Result<(), PublishError> {
    for (path, bytes) in shards {
        store.put_immutable(path, bytes.clone().into()).await?;
    }
    Ok(())
}

async fn read(store: &Store, version: &Version) -> Result<Catalogue, PublishError> {
    let paths: Vec<StorePath> = version.shards.iter().map(|entry| entry.path.clone()).collect();
    let shards: Vec<_> = stream::iter(paths.into_iter().map(|path| shard(store, path)))
        .buffered(SHARDS_IN_FLIGHT)
        .try_collect()
        .await?;
    Ok(Catalogue::assemble(version, shards)?)
}

/// A shard that is listed and not there is as bad as one that says something else.
async fn shard(store: &Store, path: StorePath) -> Result<bytes::Bytes, PublishError> {
    let found = store.get(&path, MAX_CATALOGUE_BYTES).await?;
    Ok(found.ok_or(CatalogueError::Altered(path))?.bytes)
}
