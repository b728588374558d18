//! What stays in memory whatever else is asked for, until its time: the day's lessons on a node without disks.
//!
//! Beside moka, which knows no pins. An entry shares its bytes with moka's own of it, so that what students ask for is found
//! there first.

use super::memory::Entry;
use crate::key::CacheKey;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

/// Entries that are not evicted. Shared by all cores.
#[derive(Debug, Default)]
pub(crate) struct Pinned {
    room: u64,
    bytes: AtomicU64,
    entries: RwLock<HashMap<CacheKey, Pin>>,
}

#[derive(Debug)]
struct Pin {
    entry: Entry,
    weight: u64,
    until: SystemTime,
}

impl Pinned {
    /// With room for so many bytes.
    pub(crate) fn new(room: u64) -> Self {
        Self { room, ..Self::default() }
    }

    /// Nothing is ever pinned here, so nothing has to be looked for.
    fn is_unused(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn get(&self, key: &CacheKey) -> Option<Entry> {
        if self.is_unused() {
            return None;
        }
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).map(|pin| pin.entry.clone())
    }

    pub(crate) fn holds(&self, key: &CacheKey) -> bool {
        !self.is_unused() && self.entries.read().unwrap_or_else(PoisonError::into_inner).contains_key(key)
    }

    /// Keeps `entry` until `until`; `false` where there is no room for it.
    pub(crate) fn put(&self, key: CacheKey, entry: Entry, weight: u64, until: SystemTime) -> bool {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let before = entries.get(&key).map_or(0, |pin| pin.weight);
        let after = self.bytes.load(Ordering::Relaxed) - before + weight;
        if after > self.room {
            return false;
        }
        self.bytes.store(after, Ordering::Relaxed);
        entries.insert(key, Pin { entry, weight, until });
        true
    }

    /// Has `entry` take the place of what is pinned under `key`, if anything is.
    pub(crate) fn renew(&self, key: &CacheKey, entry: &Entry, weight: u64) {
        if !self.holds(key) {
            return;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(pin) = entries.get_mut(key) {
            let after = self.bytes.load(Ordering::Relaxed) - pin.weight + weight;
            self.bytes.store(after, Ordering::Relaxed);
            (pin.entry, pin.weight) = (entry.clone(), weight);
        }
    }

    pub(crate) fn remove(&self, key: &CacheKey) {
        if self.holds(key) {
            self.retain(|known, _| known != key);
        }
    }

    /// Lets go of what `stays` does not hold on to.
    pub(crate) fn retain(&self, stays: impl Fn(&CacheKey, SystemTime) -> bool) {
        if self.is_unused() {
            return;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|key, pin| stays(key, pin.until));
        self.bytes.store(entries.values().map(|pin| pin.weight).sum(), Ordering::Relaxed);
    }

    /// Everything that is pinned.
    pub(crate) fn keys(&self) -> Vec<CacheKey> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};
    use tokio::time::Instant;

    fn key(path: &str) -> CacheKey {
        CacheKey::primary("http", "a", path)
    }

    #[test]
    fn room_is_a_bound_and_time_gives_it_back() {
        let pinned = Pinned::new(100);
        let entry = || Entry::Pass(Instant::now(), super::super::memory::Whose::Everybody);
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(pinned.put(key("/a"), entry(), 60, at(1)));
        assert!(!pinned.put(key("/b"), entry(), 60, at(2)), "no room");
        assert!(pinned.put(key("/a"), entry(), 40, at(1)), "the same again takes the place of itself");
        assert!(pinned.put(key("/b"), entry(), 60, at(2)));
        assert!(pinned.holds(&key("/a")) && pinned.get(&key("/b")).is_some());
        pinned.retain(|_, until| until > at(1));
        assert!(!pinned.holds(&key("/a")) && pinned.holds(&key("/b")));
        pinned.remove(&key("/b"));
        assert!(pinned.put(key("/c"), entry(), 100, at(3)), "all of the room is back");
    }
}
