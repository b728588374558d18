//! Small papers that nobody needs any more.

use super::{Collect, Kind, Removed, is_old};
use crate::clock::seconds;
use crate::directory::lock::Lock;
use crate::inventory::{Shelved, known};
use crate::publish::{PublishError, catalogue};
use crate::store::{Place, Store};
use futures_util::TryStreamExt;
use package::catalogue::version_path;
use package::ingest::IngestRecord;
use package::{LessonId, PackageId, StorePath};
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

/// A paper that has just been written may not be listed by anything yet.
const MIN_PAPER_AGE: Duration = Duration::from_secs(60 * 60);
/// The longest record read from `ingests/`.
const MAX_RECORD_BYTES: usize = 4 << 10;

/// Shards that the catalogue does not list any more, once no player can hold a version that does.
pub(super) async fn shards(
    store: &Store,
    how: &Collect,
    on: &mut (dyn FnMut(Removed) + Send),
) -> Result<(), PublishError> {
    // In a directory nobody lists a shard meanwhile. In a bucket whoever does looks again afterwards.
    let _held = match &store.place {
        Place::Directory(directory) if !how.dry_run => {
            let Some(held) = directory.try_lock_exclusive(Lock::Uploads).await? else { return Ok(()) };
            Some(held)
        }
        _ => None,
    };
    let folder = known("catalogue");
    let there: Vec<_> = store.list(Some(&folder)).try_collect().await?;
    let listed = catalogue::shards(store).await?;
    let version = version_path();
    for (path, meta) in there {
        if path != version && !listed.contains(&path) && is_old(meta.modified, age(how), how.now) {
            remove(store, how, Kind::Shard, path, meta.bytes, on).await?;
        }
    }
    Ok(())
}

/// Histories of lessons that were deleted before the grace period.
pub(super) async fn histories(
    store: &Store,
    how: &Collect,
    lessons: &[Shelved],
    on: &mut (dyn FnMut(Removed) + Send),
) -> Result<(), PublishError> {
    let now_s = seconds(how.now);
    for lesson in lessons {
        let Some(last) = lesson.history.entries.last() else { continue };
        let is_over = last.package.is_none()
            && last.since_s.saturating_add(age(how).as_secs()) <= now_s
            && lesson.package.is_none()
            && lesson.description.is_none();
        if is_over {
            let path = LessonId::history(&lesson.lesson);
            let bytes = lesson.history.to_bytes().len() as u64;
            remove(store, how, Kind::History, path, bytes, on).await?;
        }
    }
    Ok(())
}

/// Records of ingests that name a package which is not there.
pub(super) async fn records(
    store: &Store,
    how: &Collect,
    there: &BTreeSet<PackageId>,
    on: &mut (dyn FnMut(Removed) + Send),
) -> Result<(), PublishError> {
    let folder = known("ingests");
    let mut listed = pin!(store.list(Some(&folder)));
    while let Some((path, meta)) = listed.try_next().await? {
        if !is_old(meta.modified, age(how), how.now) {
            continue;
        }
        let Some(found) = store.get(&path, MAX_RECORD_BYTES).await? else { continue };
        let record = IngestRecord::parse(&found.bytes);
        if record.is_none_or(|record| !there.contains(&record.package)) {
            remove(store, how, Kind::Record, path, meta.bytes, on).await?;
        }
    }
    Ok(())
}

/// Files to be taken home that no resource lists any more. Who is fetching one has the grace period for it.
pub(super) async fn resources(
    store: &Store,
    how: &Collect,
    on: &mut (dyn FnMut(Removed) + Send),
) -> Result<(), PublishError> {
    let folder = known("r");
    let there: Vec<_> = store.list(Some(&folder)).try_collect().await?;
    // After the files: what has been published meanwhile is listed, or young.
    let listed = crate::resources(store).await?;
    let files = listed.resources.iter().flat_map(|resource| &resource.files);
    let listed: BTreeSet<_> = files.map(|file| &file.path).collect();
    for (path, meta) in there {
        if !listed.contains(&path) && is_old(meta.modified, age(how), how.now) {
            remove(store, how, Kind::Resource, path, meta.bytes, on).await?;
        }
    }
    Ok(())
}

fn age(how: &Collect) -> Duration {
    how.grace.max(MIN_PAPER_AGE)
}

async fn remove(
    store: &Store,
    how: &Collect,
    kind: Kind,
    path: StorePath,
    bytes: u64,
    on: &mut (dyn FnMut(Removed) + Send),
) -> Result<(), PublishError> {
    if !how.dry_run {
        store.delete(&path).await?;
    }
    on(Removed { kind, path, bytes });
    Ok(())
}
