//! Finding an object and reading its blocks; every byte verified.

use super::{Volume, fingerprint};
use crate::checksum;
use crate::index::Slot;
use crate::media::read_full;
use crate::record::{self, Content, Entry, ObjectFront, Place};
use bytes::Bytes;
use std::io;

/// Records up to this size are read whole at the look-up: a playlist costs one read.
const SMALL: u32 = 64 * 1_024;
/// How often a look-up looks again when the object was rewritten under its hands.
pub(super) const MAX_LOOKS: usize = 4;

/// Why a block was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not among the blocks that are there, or given up meanwhile.
    #[error("the block is not there any more")]
    Gone,
    /// It is not as it was written, of what stood under its key until now; the object has been forgotten.
    #[error("the block is damaged")]
    Damaged,
    /// The system could not read it; the object has been forgotten, since each further try would take as long.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
    /// The disk is away.
    #[error("the disk is offline")]
    Offline,
    /// The disk would have to be waited for.
    #[error("the block is not in the system's memory")]
    NotAtHand,
    /// Too many reads are waiting.
    #[error("too many reads are waiting for the disk")]
    Busy,
}

/// How long a read may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As long as the disk does: for threads that are there for it.
    Waits,
    /// No time: what the system has in memory, for those that must not wait.
    AtHand,
}

/// An object as it stood when it was looked up.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(crate) front: ObjectFront,
    slot: Slot,
    /// The record, where it was small enough to be read whole.
    record: Option<(Place, Bytes)>,
}

/// What came of reading a front.
pub(super) enum FrontRead {
    Whole(Box<Located>),
    /// Rewritten or given up meanwhile.
    Changed,
    /// Damaged, and out of the index now.
    Damaged,
    /// The disk would have to be waited for.
    NotAtHand,
}

impl Volume {
    /// The object under `key`.
    ///
    /// # Errors
    /// The system's, and where it is not at hand. What is damaged is counted, forgotten, and not there; what the system cannot read is
    /// so for whoever comes next.
    pub(crate) fn look_up(&self, key: &[u8], reading: Reading) -> Result<Option<Located>, ReadError> {
        let hash = self.hash(key);
        for _ in 0..MAX_LOOKS {
            let Some(slot) = self.index.get(fingerprint(hash)) else { return Ok(None) };
            match self.read_front(fingerprint(hash), slot, SMALL, reading)? {
                FrontRead::Whole(located) => {
                    self.index.touch(fingerprint(hash));
                    let same = located.front.key == key;
                    return Ok(same.then_some(*located));
                }
                FrontRead::Changed => {}
                FrontRead::Damaged => return Ok(None),
                FrontRead::NotAtHand => return Err(ReadError::NotAtHand),
            }
        }
        Ok(None)
    }

    /// Whether a located object is still the one under its key, in the same place: not removed, not replaced, not written again.
    pub(crate) fn is_current(&self, located: &Located) -> bool {
        self.index.holds(fingerprint(located.front.hash), &located.slot)
    }

    /// The front at `slot`, with the whole record where that is at most `whole_up_to` bytes.
    ///
    /// # Errors
    /// The system's; the object has been [given up](Volume::give_up).
    pub(super) fn read_front(
        &self,
        print: u64,
        slot: Slot,
        whole_up_to: u32,
        reading: Reading,
    ) -> io::Result<FrontRead> {
        let place =
            Place { region: slot.region, sequence: self.sequence(slot.region), offset: slot.offset() };
        let whole = slot.length() <= whole_up_to;
        let length = if whole { slot.length() } else { slot.front() };
        let bytes = match self.read(place, length, reading) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(FrontRead::NotAtHand),
            Err(error) if self.give_up(print, &slot) => return Err(error),
            // Written again meanwhile, it may be read where it is now.
            Err(_) => return Ok(FrontRead::Changed),
        };
        let front = record::parse(&bytes).filter(|front| {
            front.context.store == self.superblock.store
                && (front.context.sequence, front.context.offset) == (place.sequence, place.offset)
                && front.length == slot.length()
        });
        if let Some(front) = front
            && let Content::Object(front) = front.content
            && fingerprint(front.hash) == print
            // The region may have been given up and begun again between the index and the read.
            && self.is_alive(place)
        {
            self.counters.reads.inc();
            self.counters.read_bytes.add(bytes.len() as u64);
            let record = whole.then_some((place, bytes));
            return Ok(FrontRead::Whole(Box::new(Located { front, slot, record })));
        }
        // The process that has the disk now may have written something else there.
        if !self.index.holds(print, &slot) || !self.is_alive(place) || self.is_let_go() {
            return Ok(FrontRead::Changed);
        }
        self.damaged(print, &slot);
        Ok(FrontRead::Damaged)
    }

    /// Block `number` of a located object.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) fn read_block(
        &self,
        located: &Located,
        number: u32,
        reading: Reading,
    ) -> Result<Bytes, ReadError> {
        let table = &located.front.table;
        let at = table.binary_search_by_key(&number, |entry| entry.number).map_err(|_| ReadError::Gone)?;
        let entry = table[at];
        if let Some((place, record)) = &located.record
            && (place.region, place.sequence) == (entry.place.region, entry.place.sequence)
            && let Some(from) = entry.place.offset.checked_sub(place.offset)
            && let Some(bytes) = range(record, from as usize, entry.length as usize)
            && self.is_whole(&located.front, &entry, &bytes)
        {
            return Ok(bytes);
        }
        match self.read_entry(&located.front, &entry, reading) {
            Err(ReadError::Damaged) => {
                let was_current = self.damaged(fingerprint(located.front.hash), &located.slot);
                // What was removed or replaced before is gone for that, and whatever stands there now is as it should be.
                Err(if was_current { ReadError::Damaged } else { ReadError::Gone })
            }
            Err(ReadError::Io(error)) => {
                self.give_up(fingerprint(located.front.hash), &located.slot);
                Err(ReadError::Io(error))
            }
            read => read,
        }
    }

    /// The bytes of one block of `front`, verified.
    pub(super) fn read_entry(
        &self,
        front: &ObjectFront,
        entry: &Entry,
        reading: Reading,
    ) -> Result<Bytes, ReadError> {
        if !self.is_alive(entry.place) {
            return Err(ReadError::Gone);
        }
        let bytes = self.read(entry.place, entry.length, reading)?.ok_or(ReadError::NotAtHand)?;
        if self.is_whole(front, entry, &bytes) {
            self.counters.reads.inc();
            self.counters.read_bytes.add(bytes.len() as u64);
            return Ok(bytes);
        }
        let is_ours = self.is_alive(entry.place) && !self.is_let_go();
        Err(if is_ours { ReadError::Damaged } else { ReadError::Gone })
    }

    /// Whether block `number` of a located object can be read, as far as is known without reading.
    pub(crate) fn has_block(&self, front: &ObjectFront, number: u32) -> bool {
        let found = front.table.binary_search_by_key(&number, |entry| entry.number);
        found.is_ok_and(|at| self.is_alive(front.table[at].place))
    }

    fn is_whole(&self, front: &ObjectFront, entry: &Entry, bytes: &[u8]) -> bool {
        checksum::block(front.hash, front.generation, entry.number, bytes) == entry.sum
    }

    /// Forgets a damaged record; whether it was still known.
    fn damaged(&self, print: u64, slot: &Slot) -> bool {
        self.counters.checksum_failures.inc();
        self.index.remove_record(print, slot)
    }

    /// Bytes from the data file; `None` where they are not at hand and may not be waited for.
    fn read(&self, place: Place, length: u32, reading: Reading) -> io::Result<Option<Bytes>> {
        let mut buffer = self.buffers.take(length as usize);
        let at = self.position(place);
        match reading {
            Reading::Waits => {
                read_full(&*self.data, buffer.bytes(), at).inspect_err(|_| self.counters.read_errors.inc())?
            }
            // What fails here fails again for a thread, which counts it.
            Reading::AtHand => match self.data.read_at_hand(buffer.bytes(), at) {
                Ok(Some(read)) if read == length as usize => {}
                Ok(_) | Err(_) => return Ok(None),
            },
        }
        Ok(Some(buffer.freeze()))
    }
}

fn range(bytes: &Bytes, from: usize, length: usize) -> Option<Bytes> {
    let to = from.checked_add(length)?;
    (to <= bytes.len()).then(|| bytes.slice(from..to))
}
