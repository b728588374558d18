//! A package's objects on their way into the store: those that are not there, some at a time.

use super::PublishError;
use super::progress::Track;
use crate::staged::Staged;
use crate::store::Store;
use crate::turn::Publishing;
use crate::verify;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use package::manifest::Object;
use package::{Digest, PackageId, Sealed, StorePath};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

/// Objects read, checked and written at the same time. Memory: that many objects, some 10 MB for a lesson.
const UPLOADS_IN_FLIGHT: usize = 8;

/// Puts what is missing of it into the store; how many objects that was.
pub(super) async fn upload(
    store: &Store,
    package: &Sealed,
    staged: &impl Staged,
    turn: &Publishing,
    track: &mut Track<'_>,
) -> Result<usize, PublishError> {
    let id = package.id();
    let folder = id.folder();
    let mut there: HashMap<StorePath, u64> = HashMap::new();
    let mut listed = pin!(store.list(Some(&folder)));
    while let Some((path, meta)) = listed.try_next().await? {
        there.insert(path, meta.bytes);
    }
    let mut missing = Vec::new();
    for object in &package.manifest().objects {
        let is_there = there.get(&id.object(&object.path)) == Some(&object.bytes);
        if is_there && verify::is_kept(store, id, object).await? {
            track.object(object.bytes)?;
        } else {
            missing.push(object.clone());
        }
    }
    let written = missing.len();
    // Whoever hears of a failure may try again at once: nothing of this attempt is still being written then.
    let ended = AtomicBool::new(false);
    let uploads = missing.into_iter().map(|object| {
        let ended = &ended;
        async move {
            match ended.load(Ordering::Relaxed) {
                true => Ok(None),
                false => upload_one(store, id, object, staged, turn).await.map(Some),
            }
        }
        .boxed()
    });
    let mut uploads = stream::iter(uploads).buffer_unordered(UPLOADS_IN_FLIGHT);
    let mut all = Ok(());
    while let Some(uploaded) = uploads.next().await {
        let told = match uploaded {
            Ok(Some(bytes)) if all.is_ok() => track.object(bytes),
            other => other.map(drop),
        };
        if all.is_ok() && told.is_err() {
            ended.store(true, Ordering::Relaxed);
            all = told;
        }
    }
    all?;
    Ok(written)
}

/// Its length.
async fn upload_one(
    store: &Store,
    package: PackageId,
    object: Object,
    staged: &impl Staged,
    turn: &Publishing,
) -> Result<u64, PublishError> {
    let bytes = staged
        .read(&object.path)
        .await
        .map_err(|source| PublishError::Staged { object: object.path.clone(), source })?;
    if bytes.len() as u64 != object.bytes || Digest::of(&bytes) != object.sha256 {
        return Err(PublishError::Altered(object.path.clone()));
    }
    turn.put(store, package.object(&object.path), bytes).await?;
    Ok(object.bytes)
}
