//! What the store has of the lessons that a timetable names.

use faults::AnyFault;
use futures_util::{StreamExt, TryStreamExt, stream};
use package::{LessonId, Sealed};
use std::collections::BTreeSet;
use storage::Store;
use timetable::plan::{Media, Pictures};
use timetable::{Stock, Stocked, Timetable};
use tokio::runtime::Runtime;

/// Lessons looked up at the same time.
const AT_ONCE: usize = 16;
/// The longest list of single pictures that is read: twelve hours of six pictures a segment, at 60 bytes each, and half as much again.
const MAX_LIST_BYTES: usize = 5 << 20;

/// A runtime for what waits for stores.
pub(super) fn runtime() -> Result<Runtime, super::fault::TimetableFault> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Opens the store at `address`, which is there.
pub(super) async fn open(address: &str) -> Result<Store, AnyFault> {
    let store = Store::open(address)?;
    store.check_readable().await?;
    Ok(store)
}

/// Everything that `timetable` names and `store` has whole. A lesson without a pointer, and one whose package has no manifest
/// that counts, is not there.
pub(super) async fn stock(store: &Store, timetable: &Timetable) -> Result<Stock, AnyFault> {
    let named =
        timetable.items.iter().filter_map(|item| item.lesson.as_ref()).chain(timetable.slate.as_ref());
    let named: BTreeSet<&LessonId> = named.collect();
    let found = stream::iter(named).map(|lesson| look_up(store, lesson)).buffered(AT_ONCE);
    let found: Vec<_> = found.try_collect().await?;
    Ok(Stock::of(found.into_iter().flatten().collect()))
}

async fn look_up(store: &Store, lesson: &LessonId) -> Result<Option<(LessonId, Stocked)>, AnyFault> {
    let Some(shelved) = store.lesson(lesson).await? else { return Ok(None) };
    let Some(package) = shelved.package else { return Ok(None) };
    let Ok(manifest) = store.package(package).await?.manifest else { return Ok(None) };
    let said = shelved.description.map(|description| description.listed);
    let stocked = Stocked {
        title: said.as_ref().map_or_else(|| lesson.to_string(), |said| said.title.clone()),
        subject: said.as_ref().and_then(|said| said.subject.clone()),
        edition: said.as_ref().and_then(|said| said.edition.clone()),
        volume: said.and_then(|said| said.volume),
        media: media(store, &manifest).await?,
    };
    Ok(Some((lesson.clone(), stocked)))
}

/// What a package is, with its list of single pictures where that can be read.
async fn media(store: &Store, sealed: &Sealed) -> Result<Media, AnyFault> {
    let media = Media::of(sealed);
    let Some(list) = Pictures::listed(sealed.manifest()) else { return Ok(media) };
    let found = store.get(&sealed.id().object(&list), MAX_LIST_BYTES).await?;
    let text = found.as_ref().and_then(|found| std::str::from_utf8(&found.bytes).ok());
    Ok(match text {
        Some(text) => media.with_pictures(sealed, text),
        None => media,
    })
}
