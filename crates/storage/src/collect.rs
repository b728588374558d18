//! Removing what nobody needs any more: packages by reference counting, and what lies about.
//!
//! A package is needed by every lesson that is it, is becoming it, or was it within the grace period: players that began
//! before a change go on, and a roll back finds what it goes back to. What nothing refers to is removed once all of it
//! is older than the grace period. Publishers and removers take turns, see `turn`.

mod papers;

use crate::clock::seconds;
use crate::error::StoreError;
use crate::inventory::known;
use crate::publish::PublishError;
use crate::store::{Place, Store};
use futures_util::TryStreamExt;
use package::work::WORK;
use package::{PackageId, StorePath, WorkId};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::{Duration, SystemTime};

/// Units of a lesson in the making are left for so long at least, whatever the grace period: somebody may be at it.
const MIN_WORK_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What to remove, and when.
#[derive(Debug, Clone, Copy)]
pub struct Collect {
    /// How long what nobody needs is kept.
    pub grace: Duration,
    /// Only say what would be removed.
    pub dry_run: bool,
    /// The time.
    pub now: SystemTime,
}

/// One thing that was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// What kind of thing.
    pub kind: Kind,
    /// Where it lay.
    pub path: StorePath,
    /// Its bytes.
    pub bytes: u64,
}

/// Kinds of things that are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A package.
    Package,
    /// Results of a lesson that was never finished.
    Work,
    /// A shard of an earlier catalogue.
    Shard,
    /// The history of a lesson that was deleted.
    History,
    /// The record of an ingest whose package is gone.
    Record,
    /// A file to be taken home that no resource lists any more.
    Resource,
}

/// What was left where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Left {
    /// Packages that lessons need.
    pub needed: usize,
    /// Packages that nobody needs and that are not old enough.
    pub young: usize,
    /// Packages that somebody is publishing.
    pub busy: usize,
}

impl Kind {
    /// For tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Work => "work",
            Self::Shard => "shard",
            Self::History => "history",
            Self::Record => "record",
            Self::Resource => "resource",
        }
    }
}

/// Removes what nobody needs; `on` is told of each thing. Can be stopped anywhere and run again.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn collect(
    store: &Store,
    how: &Collect,
    on: &mut (dyn FnMut(Removed) + Send),
) -> Result<Left, PublishError> {
    store.check_readable().await?;
    let (now_s, grace_s) = (seconds(how.now), how.grace.as_secs());
    let lessons = store.lessons().await?;
    let needed: BTreeSet<PackageId> =
        lessons.iter().flat_map(|lesson| lesson.needs(now_s, grace_s)).collect();
    let mut left = Left::default();
    let mut there = BTreeSet::new();
    for package in store.packages().await? {
        if needed.contains(&package) {
            left.needed += 1;
            there.insert(package);
            continue;
        }
        match package_unneeded(store, how, package).await? {
            Fate::Removed(bytes) => on(Removed { kind: Kind::Package, path: package.folder(), bytes }),
            fate => {
                there.insert(package);
                *if fate == Fate::Young { &mut left.young } else { &mut left.busy } += 1;
            }
        }
    }
    papers::shards(store, how, on).await?;
    papers::histories(store, how, &lessons, on).await?;
    papers::records(store, how, &there, on).await?;
    papers::resources(store, how, on).await?;
    work(store, how, on).await?;
    if !how.dry_run {
        store.settle().await?;
    }
    Ok(left)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Removed(u64),
    Young,
    Busy,
}

async fn package_unneeded(store: &Store, how: &Collect, package: PackageId) -> Result<Fate, StoreError> {
    let folder = package.folder();
    let (mut bytes, mut youngest) = (0, SystemTime::UNIX_EPOCH);
    let mut listed = pin!(store.list(Some(&folder)));
    while let Some((_, meta)) = listed.try_next().await? {
        bytes += meta.bytes;
        youngest = youngest.max(meta.modified);
    }
    if !is_old(youngest, how.grace, how.now) {
        return Ok(Fate::Young);
    }
    if how.dry_run {
        return Ok(Fate::Removed(bytes));
    }
    let Some(turn) = store.begin_removing(package, how.now).await? else { return Ok(Fate::Busy) };
    // In a bucket, where it goes piece by piece: without its manifest it is no package.
    if let Place::Bucket(_) = store.place {
        store.delete(&package.manifest()).await?;
    }
    store.remove_folder(&folder).await?;
    turn.end(store).await?;
    Ok(Fate::Removed(bytes))
}

/// Units of lessons in the making, and words of publishers, by the age of the youngest in each folder.
async fn work(store: &Store, how: &Collect, on: &mut (dyn FnMut(Removed) + Send)) -> Result<(), StoreError> {
    let mut folders: BTreeMap<WorkId, (u64, SystemTime)> = BTreeMap::new();
    let all = known(WORK);
    let mut listed = pin!(store.list(Some(&all)));
    while let Some((path, meta)) = listed.try_next().await? {
        if let Some(work) = WorkId::of_path(&path) {
            let (bytes, youngest) = folders.entry(work).or_insert((0, SystemTime::UNIX_EPOCH));
            *bytes += meta.bytes;
            *youngest = (*youngest).max(meta.modified);
        }
    }
    for (work, (bytes, youngest)) in folders {
        if is_old(youngest, how.grace.max(MIN_WORK_AGE), how.now) {
            if !how.dry_run {
                store.remove_folder(&work.folder()).await?;
            }
            on(Removed { kind: Kind::Work, path: work.folder(), bytes });
        }
    }
    Ok(())
}

fn is_old(modified: SystemTime, grace: Duration, now: SystemTime) -> bool {
    now.duration_since(modified).is_ok_and(|age| age >= grace)
}
