//! One disk's store, open: `key → index → front → block`, and behind it the log that is written.
//!
//! ```text
//! file data   │ region 0 │ region 1 │ … │      each: records one behind the other, and when it is full, a footer
//! file store  superblock, which lap of the log each region belongs to
//! ```
//! Writing goes on at one place, the active region; when it is full, the oldest region is given up (`reclaim`) after what is
//! popular or pinned in it has been written again. First in, first out with a second chance: writes are in sequence, a
//! hit costs no write, and what is given up is always the oldest of the log, so a removal or a newer version never
//! disappears before what it hides.
//!
//! Reading takes no lock that a writer holds while it writes. What was read is verified, and only when it is wrong is it
//! asked whether the region was given up meanwhile.

mod log;
mod read;
mod reclaim;
mod recover;
mod scan;
#[cfg(test)]
mod tests;
mod walk;
mod write;

pub use read::ReadError;
pub(crate) use read::{Located, Reading};
pub(crate) use recover::Begin;
pub use recover::{OpenError, look_into};
pub(crate) use walk::Fronts;
pub use write::Object;
pub(crate) use write::WriteError;

use crate::buffers::Buffers;
use crate::checksum;
use crate::clock;
use crate::counters::Counters;
use crate::index::Index;
use crate::media::Media;
use crate::note::{self, Note, Noted};
use crate::record::Place;
use crate::superblock::Superblock;
use bytes::Bytes;
use log::Log;
use std::fmt::Debug;
use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a new store is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Bytes of the data file.
    pub(crate) size: u64,
    /// Bytes of a region, a multiple of the unit.
    pub(crate) region: u32,
}

/// Regions there must be: one that is written, one that is free, and others that hold something.
pub(crate) const LEAST_REGIONS: u64 = 4;
/// Regions that places can name.
const MOST_REGIONS: u64 = u16::MAX as u64;

impl Geometry {
    /// For a disk of `size` bytes: a thousandth a region, so that giving one up costs little and reading all footers
    /// at the start is a thousand reads; at least 16 MiB, at most 1 GiB.
    pub(crate) fn of(size: u64) -> Self {
        let region = (size / 1_024).next_power_of_two().clamp(16 << 20, 1 << 30);
        Self { size, region: u32::try_from(region).unwrap_or(1 << 30) }
    }

    /// Whole regions.
    pub(crate) fn count(&self) -> u16 {
        u16::try_from((self.size / u64::from(self.region)).min(MOST_REGIONS)).unwrap_or(u16::MAX)
    }
}

/// Whether an object that nobody has asked the disk for is wanted all the same: one that the RAM tier holds is popular.
pub(crate) type Wanted = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// An open store.
pub(crate) struct Volume {
    superblock: Superblock,
    data: Arc<dyn Media>,
    buffers: Arc<Buffers>,
    table: Arc<dyn Media>,
    note: Arc<dyn Media>,
    /// Each region's lap; 0: free.
    regions: Vec<AtomicU32>,
    index: Index,
    log: Mutex<Log>,
    /// Fingerprints of what could not be read and is not written down as gone yet; none of them is in the index but for what is newer.
    lost: Mutex<Vec<u64>>,
    generation: AtomicU64,
    /// Of the last note that was written.
    noted: Mutex<u64>,
    wanted: Wanted,
    counters: Arc<Counters>,
    /// Keeps other processes out; `None` once it is let go: it is only read on then.
    lock: Mutex<Option<Box<dyn Debug + Send + Sync>>>,
}

impl Debug for Volume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Volume").field("superblock", &self.superblock).finish_non_exhaustive()
    }
}

/// Half of the hash, by which the index knows a key.
const fn fingerprint(hash: u128) -> u64 {
    (hash >> 64) as u64
}

impl Volume {
    /// A number for a new version of an object; never given before, over all runs.
    pub(crate) fn next_generation(&self) -> u64 {
        self.generation.fetch_add(1, Ordering::Relaxed)
    }

    /// The store's name.
    pub(crate) fn name(&self) -> u64 {
        self.superblock.store
    }

    /// Whether something seems to be under `key`; only the record tells for certain.
    pub(crate) fn may_hold(&self, key: &[u8]) -> bool {
        self.index.get(fingerprint(self.hash(key))).is_some()
    }

    /// Whether `key` is pinned now.
    pub(crate) fn is_pinned(&self, key: &[u8]) -> bool {
        self.index.get(fingerprint(self.hash(key))).is_some_and(|slot| slot.until.holds(clock::wall()))
    }

    /// What was noted here last, and whether the disk has been left alone since.
    pub(crate) fn note(&self) -> io::Result<(Note, bool)> {
        let Noted { note, turn, left } = note::read(&*self.note)?;
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = turn;
        Ok((note, left))
    }

    /// Notes that the disk is left alone, beside what was noted before.
    pub(crate) fn note_left(&self) -> io::Result<()> {
        let text = match self.note()?.0 {
            Note::Text(text) => text,
            Note::Nothing => Bytes::new(),
            // It means the worst already.
            Note::Damaged => return Ok(()),
        };
        self.write_noted(&text, true)
    }

    /// Notes something in place of what was noted before; it is on the disk when this returns.
    pub(crate) fn write_note(&self, text: &[u8]) -> io::Result<()> {
        self.write_noted(text, false)
    }

    fn write_noted(&self, text: &[u8], left: bool) -> io::Result<()> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        // Also where it fails half way: one copy may have it.
        *noted += 1;
        note::write(&*self.note, *noted, text, left).inspect_err(|_| self.counters.write_errors.inc())
    }

    /// Lets another process have it. Nothing may be written any more; what is being read may be read on.
    pub(crate) fn let_go(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Whether another process may have it.
    pub(crate) fn is_let_go(&self) -> bool {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Objects.
    pub(crate) fn objects(&self) -> usize {
        self.index.len()
    }

    /// Bytes of what is pinned.
    pub(crate) fn pinned_bytes(&self) -> u64 {
        self.index.pinned()
    }

    /// Bytes of RAM for the index.
    pub(crate) fn index_bytes(&self) -> usize {
        self.index.bytes()
    }

    /// Bytes of the regions that hold something.
    pub(crate) fn used(&self) -> u64 {
        let used = self.regions.iter().filter(|region| region.load(Ordering::Relaxed) != 0).count();
        used as u64 * u64::from(self.superblock.region)
    }

    fn hash(&self, key: &[u8]) -> u128 {
        checksum::key(self.superblock.secret, key)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // The log is changed only after what it says has been written.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sequence(&self, region: u16) -> u32 {
        self.regions.get(usize::from(region)).map_or(0, |sequence| sequence.load(Ordering::Acquire))
    }

    /// Whether what was at `place` is still there, as far as this process knows.
    fn is_alive(&self, place: Place) -> bool {
        place.sequence != 0 && self.sequence(place.region) == place.sequence
    }

    /// Where in the data file.
    fn position(&self, place: Place) -> u64 {
        u64::from(place.region) * u64::from(self.superblock.region) + u64::from(place.offset)
    }
}
