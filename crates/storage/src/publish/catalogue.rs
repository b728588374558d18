//! Putting a lesson into the list.

use super::{PublishError, SWAP_ATTEMPTS};
use crate::store::Store;
use crate::swap::Swapped;
use futures_util::{StreamExt, TryStreamExt, stream};
use package::catalogue::{Catalogue, CatalogueError, MAX_CATALOGUE_BYTES, Version, version_path};
use package::{Lesson, StorePath};

/// Shards read at the same time.
const SHARDS_IN_FLIGHT: usize = 4;

/// Makes the catalogue say what `lesson` says. Shards first, the version that lists them last; old shards stay for
/// readers who hold the old version.
pub(super) async fn list(store: &Store, lesson: &Lesson) -> Result<(), PublishError> {
    for _ in 0..SWAP_ATTEMPTS {
        let current = store.get(&version_path(), MAX_CATALOGUE_BYTES).await?;
        let mut catalogue = match &current {
            Some(found) => read(store, &Version::parse(&found.bytes)?).await?,
            None => Catalogue::default(),
        };
        if !catalogue.upsert(lesson.clone()) {
            return Ok(());
        }
        let rendered = catalogue.render();
        for (path, bytes) in rendered.shards {
            store.put_immutable(&path, bytes.into()).await?;
        }
        store.settle().await?;
        let expected = current.map(|current| current.version);
        let swapped = store.swap(&version_path(), expected.as_ref(), rendered.version.into()).await?;
        if let Swapped::Done(_) = swapped {
            return Ok(());
        }
    }
    Err(PublishError::Contended(version_path()))
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
