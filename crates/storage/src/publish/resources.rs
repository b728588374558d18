//! Putting files to be taken home into the store, and into their list: files first, the list that names them last.

use super::{PublishError, SWAP_ATTEMPTS};
use crate::store::Store;
use crate::swap::Swapped;
use bytes::Bytes;
use package::resource::{MAX_RESOURCES_BYTES, Resource, Resources, resources_path};
use package::{LessonId, StorePath};

/// Makes the list say what `resource` says, whose files are `files`; whether it said anything else before.
///
/// # Errors
/// When the list there cannot be read or is full, or the store fails; what was visible before still is.
pub async fn publish_resource(
    store: &Store,
    resource: &Resource,
    files: impl IntoIterator<Item = (StorePath, Bytes)>,
) -> Result<bool, PublishError> {
    let files: Vec<_> = files.into_iter().collect();
    for (path, bytes) in &files {
        // Also when it is there: who removes old files goes by their age.
        store.put_unsettled(path, bytes.clone()).await?;
    }
    store.settle().await?;
    let changed = change(store, |list| Ok(list.upsert(resource.clone())?)).await?;
    for (path, bytes) in files {
        // It may have been removed as old just before it was listed again.
        store.put_immutable(&path, bytes).await?;
    }
    Ok(changed)
}

/// Takes a resource out of the list; whether it was there. Its files stay for those who are fetching them, until
/// [`crate::collect`] finds them old.
///
/// # Errors
/// When the list there cannot be read, or the store fails.
pub async fn remove_resource(store: &Store, resource: &LessonId) -> Result<bool, PublishError> {
    change(store, |list| Ok(list.remove(resource))).await
}

/// What there is.
///
/// # Errors
/// When the list there cannot be read, or the store fails.
pub async fn resources(store: &Store) -> Result<Resources, PublishError> {
    let found = store.get(&resources_path(), MAX_RESOURCES_BYTES).await?;
    found.map_or(Ok(Resources::default()), |found| read(&found.bytes))
}

async fn change(
    store: &Store,
    edit: impl Fn(&mut Resources) -> Result<bool, PublishError>,
) -> Result<bool, PublishError> {
    let path = resources_path();
    for _ in 0..SWAP_ATTEMPTS {
        let current = store.get(&path, MAX_RESOURCES_BYTES).await?;
        let mut list = current.as_ref().map_or(Ok(Resources::default()), |found| read(&found.bytes))?;
        if !edit(&mut list)? {
            return Ok(false);
        }
        let expected = current.map(|current| current.version);
        if let Swapped::Done(_) = store.swap(&path, expected.as_ref(), list.to_bytes().into()).await? {
            return Ok(true);
        }
    }
    Err(PublishError::Contended(path))
}

fn read(bytes: &[u8]) -> Result<Resources, PublishError> {
    Resources::parse(bytes).map_err(PublishError::Resources)
}
