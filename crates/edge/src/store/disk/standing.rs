//! Orders to purge that still stand: those that have not yet met all that lies on the disks.
//!
//! A look-up on a disk knows a key alone, and to read a million heads takes minutes: so an order is written down, and whatever
//! is read from a disk is held against the orders that came after it was written. A walk beside (`purge::rounds`) looks for what
//! is meant; an order that has met everything is dropped. Numbers and no clocks say what came first: each head carries the
//! number of the latest order when it was written.

mod stores;
#[cfg(test)]
mod tests;

use super::head::Times;
use crate::key::CacheKey;
use crate::purge::{Noted, Recent, is_about, is_labelled};
use crate::upstream::Groups;
use ::purge::{Mode, What};
use bytes::Bytes;
use diskstore::{Found, Note};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use stores::{Knew, Stores};
use tokio::time::Instant;

/// Orders that stand at once. More, and one is taken to mean everything older: that costs fills, and nothing comes back. Where some
/// only wait for a disk that is away, it is one of them, and costs what lies there alone.
const MOST: usize = 1_024;
/// Bytes of all of them as they are noted, with room to spare below the longest note.
const MOST_BYTES: usize = 512 * 1_024;
/// What one takes beside its URL or key.
const OVERHEAD: usize = 192;
/// How it is noted.
const VERSION: u32 = 1;

/// An order as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Standing {
    number: u64,
    what: What,
    mode: Mode,
    /// When it came: from then on what it means is stale.
    at: Times,
    /// The stores on which it has met everything, once it waits for others that are away.
    #[serde(skip)]
    through: Vec<u64>,
}

/// What orders make of something on a disk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    /// Nothing.
    Kept,
    /// It is stale since then, says this order.
    Softened {
        since: Times,
        number: u64,
        /// It is doubted besides.
        doubted: bool,
    },
    /// Its disk was away while something was invalidated: it has to be asked about.
    Doubted,
    /// It is gone, says this order.
    Gone(u64),
}

/// As it is noted on each disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct List {
    version: u32,
    /// The latest number that was given.
    latest: u64,
    /// The latest order that was dropped because it had met everything.
    dropped: u64,
    /// What was written before this number is gone, whatever it is.
    floor: u64,
    standing: Vec<Standing>,
    /// The latest number at which a disk was away while something was removed.
    #[serde(default)]
    missed: u64,
    /// What disks have missed.
    #[serde(default)]
    stores: Stores,
    /// Those of the last minutes, whatever they have met here: other nodes may not have heard of them.
    #[serde(default)]
    recent: Vec<Noted>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Orders {
    list: Mutex<List>,
    latest: AtomicU64,
    /// A disk may not have what is in the list.
    unwritten: AtomicBool,
    /// How often it has changed.
    changes: AtomicU64,
    recent: Recent,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            list: Mutex::default(),
            latest: AtomicU64::new(0),
            unwritten: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            recent: Recent::default(),
        }
    }
}

impl Orders {
    /// None yet; disks note `recent` as well, and bring back what was in it.
    pub(super) fn beside(recent: Recent) -> Self {
        Self { recent, ..Self::default() }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        // Nothing that holds the lock can panic half way through a change.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut List) -> T) -> T {
        let mut list = self.list();
        let changed = change(&mut list);
        list.keep_bounds();
        self.latest.store(list.latest, Ordering::Release);
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.unwritten.store(true, Ordering::Release);
        changed
    }

    /// The latest number that was given.
    pub(super) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    /// From now on it stands; gives its number. Numbers go on over restarts: where the list was lost, the clock is above all
    /// that were given before.
    pub(super) fn add(&self, what: What, mode: Mode, at: Times) -> u64 {
        self.change(|list| {
            list.latest = at.unix_ms.max(list.latest + 1);
            list.standing.push(Standing { number: list.latest, what, mode, at, through: Vec::new() });
            list.latest
        })
    }

    /// It has met everything.
    pub(super) fn drop_order(&self, number: u64) {
        self.change(|list| {
            list.standing.retain(|order| order.number != number);
            list.dropped = list.dropped.max(number);
        });
    }

    /// It has met everything on these stores, and waits for others that are away.
    pub(super) fn rest(&self, number: u64, through: Vec<u64>) {
        let mut list = self.list();
        if let Some(order) = list.standing.iter_mut().find(|order| order.number == number) {
            order.through = through;
        }
    }

    /// The numbers of those that stand, ascending.
    pub(super) fn standing(&self) -> Vec<u64> {
        self.list().standing.iter().map(|order| order.number).collect()
    }

    /// A disk that is away misses what is removed from now on. The others say so, in case this process ends before it is back.
    pub(super) fn note_missed(&self, now_ms: u64) {
        self.change(|list| {
            list.latest = now_ms.max(list.latest + 1);
            list.missed = list.latest;
        });
    }

    /// Whether a disk that was there in an earlier process is not now; told once.
    pub(super) fn lack_some(&self) -> bool {
        self.list().stores.forget_absent()
    }

    /// What becomes of something under `key` on the disk `store` that was written when `orders` was the latest order. `headers` are
    /// a response's; without them it is a sign-post.
    pub(super) fn judge(
        &self,
        groups: &Groups,
        key: &CacheKey,
        store: u64,
        orders: u64,
        headers: Option<&HeaderMap>,
    ) -> Verdict {
        let list = self.list();
        let floor = list.floor.max(list.stores.gone(store));
        if orders < floor {
            return Verdict::Gone(floor);
        }
        let doubted = orders < list.stores.doubted(store);
        let mut verdict = if doubted { Verdict::Doubted } else { Verdict::Kept };
        let later = list.standing.partition_point(|order| order.number <= orders);
        for order in &list.standing[later..] {
            if !order.means(groups, key, headers) {
                continue;
            }
            match (order.mode, &verdict) {
                (Mode::Hard, _) => return Verdict::Gone(order.number),
                // Stale since the first that said so.
                (Mode::Soft, Verdict::Kept | Verdict::Doubted) => {
                    verdict = Verdict::Softened { since: order.at, number: order.number, doubted };
                }
                (Mode::Soft, _) => {}
            }
        }
        verdict
    }

    /// A note is written of all that is in the list by now. What comes later may be in it on one disk and not on another.
    pub(super) fn begin_note(&self) {
        self.unwritten.store(false, Ordering::Release);
    }

    /// The list as it is to be noted at `unix_ms`, which is `now`.
    pub(super) fn to_note(&self, now: Instant, unix_ms: u64) -> Bytes {
        let mut list = self.list();
        list.recent = self.recent.to_note(now, unix_ms);
        serde_json::to_vec(&*list).unwrap_or_default().into()
    }

    /// Whether a disk may lack something of the list.
    pub(super) fn is_unwritten(&self) -> bool {
        self.unwritten.load(Ordering::Acquire)
    }

    /// A disk could not take the note.
    pub(super) fn not_written(&self) {
        self.unwritten.store(true, Ordering::Release);
    }

    /// How often it has changed so far.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Takes in what a disk says, before anything else of it is believed. `now_ms` is the wall clock.
    pub(super) fn take_in(&self, found: Found, now_ms: u64) {
        let now = Instant::now();
        let Found { store, note, left } = found;
        let mut noted = match note {
            // It must have what the others have, and has missed what they have.
            Note::Nothing => Some(List::default()),
            Note::Text(text) => {
                serde_json::from_slice(&text).ok().filter(|list: &List| list.version == VERSION)
            }
            Note::Damaged => None,
        };
        match &mut noted {
            Some(list) => self.recent.take_in(std::mem::take(&mut list.recent), now, now_ms),
            None => self.recent.note_all(now),
        }
        self.change(|list| {
            let is_readable = noted.is_some();
            list.take_in(store, noted.unwrap_or_default());
            if !is_readable || left {
                list.latest = now_ms.max(list.latest + 1);
            }
            if !is_readable {
                tracing::warn!(
                    "the orders to purge on a disk cannot be read; what lies on it is not used any more"
                );
                list.stores.hold(store, list.latest, 0);
            } else if left {
                tracing::warn!("a disk was away when the last process ended; what lies on it is asked about");
                list.stores.hold(store, 0, list.latest);
            }
        });
    }
}

impl Default for List {
    fn default() -> Self {
        let stores = Stores::default();
        Self {
            version: VERSION,
            latest: 0,
            dropped: 0,
            floor: 0,
            standing: Vec::new(),
            missed: 0,
            stores,
            recent: Vec::new(),
        }
    }
}

impl List {
    fn take_in(&mut self, store: u64, noted: Self) {
        // What was done there may not have come to its platters.
        self.standing.iter_mut().for_each(|order| order.through.retain(|&through| through != store));
        for order in noted.standing {
            if !self.standing.iter().any(|standing| standing.number == order.number) {
                self.standing.push(order);
            }
        }
        self.standing.sort_by_key(|order| order.number);
        let knew = Knew { latest: noted.latest, dropped: noted.dropped, missed: noted.missed };
        self.floor = self.floor.max(noted.floor);
        self.latest = self.latest.max(noted.latest);
        self.dropped = self.dropped.max(noted.dropped);
        self.missed = self.missed.max(noted.missed);
        self.stores.take_in(noted.stores);
        self.stores.open(store, knew, self.dropped);
    }

    fn keep_bounds(&mut self) {
        let size = |order: &Standing| order.what.json_bytes() + OVERHEAD;
        let mut bytes: usize = self.standing.iter().map(size).sum();
        while self.standing.len() > MOST || bytes > MOST_BYTES {
            let rests = self.standing.iter().position(|order| !order.through.is_empty());
            let order = self.standing.remove(rests.unwrap_or(0));
            bytes -= size(&order);
            if rests.is_some() {
                // One that nobody has opened yet has not heard of it, or has it in its own note.
                self.dropped = self.dropped.max(order.number);
                self.stores.hold_all_but(&order.through, order.number);
            } else {
                self.floor = self.floor.max(order.number);
            }
        }
    }
}

impl Standing {
    /// Whether something is meant, as its key and its fields tell. A sign-post goes with its URL and carries no labels; made
    /// stale it would say nothing else.
    fn means(&self, groups: &Groups, key: &CacheKey, headers: Option<&HeaderMap>) -> bool {
        is_about(groups, &self.what, key)
            && match headers {
                Some(headers) => is_labelled(&self.what, headers),
                None => self.what.key().is_none() && self.mode == Mode::Hard,
            }
    }
}
