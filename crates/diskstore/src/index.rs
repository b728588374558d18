//! Where each object's newest record is: 24 bytes an object in a hash table, in RAM.
//!
//! Half of the key's hash stands for the key. Two keys with one fingerprint (once in 2⁶⁴ pairs, and nobody outside knows
//! the secret) would replace each other; the record holds the whole key, so neither is ever taken for the other.

use crate::pin::{Size, Until};
use crate::record::{Place, UNIT};
use std::collections::HashMap;
use std::hash::{self, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Tables with a lock each, so that readers seldom meet.
pub(crate) const SHARDS: usize = 64;

/// Where a record is and what is known of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// In units.
    offset: u32,
    /// In units, of the record.
    length: u32,
    pub(crate) region: u16,
    /// In units, of the front.
    front: u16,
    /// Look-ups since the record was written, up to 255.
    pub(crate) hits: u8,
    pub(crate) until: Until,
    /// Of all its blocks, wherever they lie.
    size: Size,
}

impl Slot {
    /// Of a record at `place`; lengths in bytes.
    pub(crate) fn new(place: Place, length: u32, front: u32, until: Until, size: Size) -> Self {
        Self {
            offset: place.offset / UNIT,
            length: length / UNIT,
            region: place.region,
            front: u16::try_from(front.div_ceil(UNIT)).unwrap_or(u16::MAX),
            hits: 0,
            until,
            size,
        }
    }

    /// Bytes into the region.
    pub(crate) fn offset(&self) -> u32 {
        self.offset * UNIT
    }

    /// Bytes of the record.
    pub(crate) fn length(&self) -> u32 {
        self.length * UNIT
    }

    /// Bytes to read for the front: up to a unit more than it is.
    pub(crate) fn front(&self) -> u32 {
        (u32::from(self.front) * UNIT).min(self.length())
    }

    /// Bytes of the object, where it is pinned.
    fn pinned(&self) -> u64 {
        if self.until == Until::default() { 0 } else { self.size.bytes() }
    }

    fn is_record_of(&self, other: &Self) -> bool {
        (self.region, self.offset) == (other.region, other.offset)
    }
}

/// Fingerprints are hashes already.
#[derive(Debug, Default, Clone)]
struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[expect(clippy::disallowed_types, reason = "what it hashes is a hash under the store's secret")]
type Table = HashMap<u64, Slot, hash::BuildHasherDefault<Already>>;

/// All objects of one disk.
#[derive(Debug)]
pub(crate) struct Index {
    shards: Vec<Mutex<Table>>,
    /// Bytes of what is pinned, that among it whose pin has ended.
    pinned: AtomicU64,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), pinned: AtomicU64::new(0) }
    }

    fn shard(&self, fingerprint: u64) -> MutexGuard<'_, Table> {
        // Bits that the tables use neither for the bucket nor for the tag.
        let shard = (fingerprint >> 40) as usize % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, fingerprint: u64) -> Option<Slot> {
        self.shard(fingerprint).get(&fingerprint).copied()
    }

    /// Finds and counts the hit.
    pub(crate) fn touch(&self, fingerprint: u64) -> Option<Slot> {
        let mut shard = self.shard(fingerprint);
        let slot = shard.get_mut(&fingerprint)?;
        slot.hits = slot.hits.saturating_add(1);
        Some(*slot)
    }

    /// Forgets the hits so far: what is to be kept again must be asked for again.
    pub(crate) fn forget_hits(&self, fingerprint: u64) {
        if let Some(slot) = self.shard(fingerprint).get_mut(&fingerprint) {
            slot.hits = 0;
        }
    }

    pub(crate) fn set(&self, fingerprint: u64, slot: Slot) {
        let before = self.shard(fingerprint).insert(fingerprint, slot);
        self.weigh(before, Some(slot));
    }

    /// Sets unless what is there is newer; `order` tells how new a slot's record is.
    pub(crate) fn set_if_newer(&self, fingerprint: u64, slot: Slot, order: impl Fn(&Slot) -> (u32, u32)) {
        let mut shard = self.shard(fingerprint);
        match shard.get_mut(&fingerprint) {
            None => {
                shard.insert(fingerprint, slot);
                self.weigh(None, Some(slot));
            }
            Some(there) if order(there) < order(&slot) => {
                self.weigh(Some(*there), Some(slot));
                *there = slot;
            }
            Some(_) => {}
        }
    }

    pub(crate) fn remove(&self, fingerprint: u64) -> Option<Slot> {
        let removed = self.shard(fingerprint).remove(&fingerprint);
        self.weigh(removed, None);
        removed
    }

    /// Removes if it is still the same record. Whether it was.
    pub(crate) fn remove_record(&self, fingerprint: u64, record: &Slot) -> bool {
        let mut shard = self.shard(fingerprint);
        let same = shard.get(&fingerprint).is_some_and(|slot| slot.is_record_of(record));
        if same {
            self.weigh(shard.remove(&fingerprint), None);
        }
        same
    }

    fn weigh(&self, before: Option<Slot>, now: Option<Slot>) {
        let bytes = |slot: Option<Slot>| slot.as_ref().map_or(0, Slot::pinned);
        self.pinned.fetch_add(bytes(now), Ordering::Relaxed);
        self.pinned.fetch_sub(bytes(before), Ordering::Relaxed);
    }

    /// Bytes of what is pinned.
    pub(crate) fn pinned(&self) -> u64 {
        self.pinned.load(Ordering::Relaxed)
    }

    /// Forgets the pins that do not hold at `now`.
    pub(crate) fn forget_ended_pins(&self, now: SystemTime) {
        for shard in &self.shards {
            for slot in shard.lock().unwrap_or_else(PoisonError::into_inner).values_mut() {
                if !slot.until.holds(now) {
                    self.weigh(Some(*slot), None);
                    slot.until = Until::default();
                }
            }
        }
    }

    /// Whether it is still the same record.
    pub(crate) fn holds(&self, fingerprint: u64, record: &Slot) -> bool {
        self.get(fingerprint).is_some_and(|slot| slot.is_record_of(record))
    }

    /// Removes all records in `region`; how many.
    pub(crate) fn remove_region(&self, region: u16) -> usize {
        let remove = |shard: &Mutex<Table>| {
            let mut table = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let before = table.len();
            table.retain(|_, slot| {
                let stays = slot.region != region;
                if !stays {
                    self.weigh(Some(*slot), None);
                }
                stays
            });
            before - table.len()
        };
        self.shards.iter().map(remove).sum()
    }

    /// Fingerprints of all records in `region`.
    pub(crate) fn in_region(&self, region: u16) -> Vec<u64> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let table = shard.lock().unwrap_or_else(PoisonError::into_inner);
            found.extend(table.iter().filter(|(_, slot)| slot.region == region).map(|(&print, _)| print));
        }
        found
    }

    /// Fingerprints of all records in one of [`SHARDS`] parts, in the order in which they lie.
    pub(crate) fn in_part(&self, part: usize) -> Vec<u64> {
        let shard = self.shards[part % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> =
            shard.iter().map(|(&print, slot)| (slot.region, slot.offset, print)).collect();
        drop(shard);
        found.sort_unstable();
        found.into_iter().map(|(.., print)| print).collect()
    }

    /// Objects.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    /// Bytes of memory: for each place of the tables a key, a slot and a byte of the table's own.
    pub(crate) fn bytes(&self) -> usize {
        let of = |shard: &Mutex<Table>| {
            let places =
                shard.lock().unwrap_or_else(PoisonError::into_inner).capacity().saturating_mul(8) / 7;
            places * (size_of::<(u64, Slot)>() + 1)
        };
        self.shards.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_takes_24_bytes() {
        assert_eq!(size_of::<(u64, Slot)>(), 24);
    }

    #[test]
    fn the_newer_record_stays_whichever_comes_first() {
        let place = |offset| Place { region: 0, sequence: 1, offset };
        let (old, new) = (
            Slot::new(place(512), 512, 100, Until(9), Size(1)),
            Slot::new(place(1_024), 512, 100, Until(9), Size(2)),
        );
        for order in [[old, new], [new, old]] {
            let index = Index::new();
            for slot in order {
                index.set_if_newer(7, slot, |slot| (1, slot.offset()));
            }
            assert_eq!(index.pinned(), 1_024);
            assert!(index.holds(7, &new) && !index.remove_record(7, &old) && index.remove_record(7, &new));
            assert_eq!((index.len(), index.pinned()), (0, 0));
        }
    }
}
