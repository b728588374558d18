//! What each disk has missed: one that was away while others heard of something does not know it when it is back.
//!
//! Numbers are those of orders. A disk is held to two of them: what was written on it before `gone` is gone, since an order that it
//! never had has met everything else and was dropped; what was written before `doubted` has to be asked about, since something was
//! invalidated or replaced that it was not told of (RFC 9111 §4, §4.4). The process that was there tells it itself when it comes
//! back; only where that one has ended first, the others' word is all there is.

use serde::{Deserialize, Serialize};

/// Stores that are remembered: more than a node has disks. One that begins empty is another.
const MOST: usize = 64;

/// One disk's store.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Store {
    name: u64,
    gone: u64,
    doubted: u64,
    /// What it knew when this process opened it first; `None`: this process has not.
    #[serde(skip)]
    knew: Option<Knew>,
}

/// What was noted on a disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Knew {
    /// The latest order that it has heard of.
    pub(super) latest: u64,
    /// The latest order that it says was dropped.
    pub(super) dropped: u64,
    /// The latest number at which it was there while another disk missed something.
    pub(super) missed: u64,
}

/// All of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Stores(Vec<Store>);

impl Stores {
    /// What was written on `store` before this is gone.
    pub(super) fn gone(&self, store: u64) -> u64 {
        self.of(store).map_or(0, |store| store.gone)
    }

    /// What was written on `store` before this has to be asked about.
    pub(super) fn doubted(&self, store: u64) -> u64 {
        self.of(store).map_or(0, |store| store.doubted)
    }

    /// Nothing of what lies on `store` is used any more, or only when it was asked about.
    pub(super) fn hold(&mut self, store: u64, gone: u64, doubted: u64) {
        let held = self.entry(store);
        held.gone = held.gone.max(gone);
        held.doubted = held.doubted.max(doubted);
    }

    /// Nothing that was written before `gone` is used any more, but on these stores.
    pub(super) fn hold_all_but(&mut self, through: &[u64], gone: u64) {
        for store in self.0.iter_mut().filter(|store| !through.contains(&store.name)) {
            store.gone = store.gone.max(gone);
        }
    }

    /// `store` is open, and `knew` this; `dropped` is the latest order that is known to have been dropped, by whichever disk. What
    /// this process has noted as missed is no concern of a disk that it opens only now: it has remembered it.
    pub(super) fn open(&mut self, store: u64, knew: Knew, dropped: u64) {
        let entry = self.entry(store);
        if entry.knew.is_some() {
            return;
        }
        entry.knew = Some(knew);
        if knew.latest < dropped {
            self.hold(store, dropped, 0);
        }
        let missed = self.0.iter().filter_map(|store| store.knew).map(|knew| knew.missed).max().unwrap_or(0);
        for store in &mut self.0 {
            let Some(then) = store.knew else { continue };
            if then.latest < knew.dropped {
                store.gone = store.gone.max(knew.dropped);
            }
            if then.missed < missed {
                store.doubted = store.doubted.max(missed);
            }
        }
    }

    /// Takes in what another disk says of them.
    pub(super) fn take_in(&mut self, noted: Self) {
        for store in noted.0 {
            self.hold(store.name, store.gone, store.doubted);
        }
    }

    /// Whether one that was there before is not now, and forgets it: whoever notes that it misses something needs no more of it.
    pub(super) fn forget_absent(&mut self) -> bool {
        let before = self.0.len();
        self.0.retain(|store| store.knew.is_some());
        self.0.len() < before
    }

    fn of(&self, name: u64) -> Option<&Store> {
        self.0.iter().find(|store| store.name == name)
    }

    fn entry(&mut self, name: u64) -> &mut Store {
        let at = self.0.iter().position(|store| store.name == name).unwrap_or_else(|| {
            if self.0.len() >= MOST {
                // One that is not there, if there is one.
                let absent = self.0.iter().position(|store| store.knew.is_none());
                self.0.remove(absent.unwrap_or(0));
            }
            self.0.push(Store { name, gone: 0, doubted: 0, knew: None });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}
