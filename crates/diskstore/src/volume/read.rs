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
const MAX_LOOKS: usize = 4;

/// Why a block was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not among the blocks that are there, or given up meanwhile.
    #[error("the block is not there any more")]
    Gone,
    /// It is not as it was written; the object has been forgotten.
    #[error("the block is damaged")]
    Damaged,
    /// The system could not read it.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
    /// The disk is away.
    #[error("the disk is offline")]
    Offline,
    /// Too many reads are waiting.
    #[error("too many reads are waiting for the disk")]
    Busy,
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
}

impl Volume {
    /// The object under `key`.
    ///
    /// # Errors
    /// Only the system's. What is damaged is counted, forgotten, and not there.
    pub(crate) fn look_up(&self, key: &[u8]) -> io::Result<Option<Located>> {
        let hash = self.hash(key);
        for _ in 0..MAX_LOOKS {
            let Some(slot) = self.index.touch(fingerprint(hash)) else { return Ok(None) };
            match self.read_front(fingerprint(hash), slot, SMALL)? {
                FrontRead::Whole(located) => {
                    let same = located.front.key == key;
                    return Ok(same.then_some(*located));
                }
                FrontRead::Changed => {}
                FrontRead::Damaged => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The front at `slot`, with the whole record where that is at most `whole_up_to` bytes.
    pub(super) fn read_front(&self, print: u64, slot: Slot, whole_up_to: u32) -> io::Result<FrontRead> {
        let place =
            Place { region: slot.region, sequence: self.sequence(slot.region), offset: slot.offset() };
        let whole = slot.length() <= whole_up_to;
        let bytes = self.read(place, if whole { slot.length() } else { slot.front() })?;
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
        if !self.index.holds(print, &slot) || !self.is_alive(place) {
            return Ok(FrontRead::Changed);
        }
        self.damaged(print, &slot);
        Ok(FrontRead::Damaged)
    }

    /// Block `number` of a located object.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) fn read_block(&self, located: &Located, number: u32) -> Result<Bytes, ReadError> {
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
        match self.read_entry(&located.front, &entry) {
            Err(ReadError::Damaged) => {
                self.damaged(fingerprint(located.front.hash), &located.slot);
                Err(ReadError::Damaged)
            }
            read => read,
        }
    }

    /// The bytes of one block of `front`, verified.
    pub(super) fn read_entry(&self, front: &ObjectFront, entry: &Entry) -> Result<Bytes, ReadError> {
        if !self.is_alive(entry.place) {
            return Err(ReadError::Gone);
        }
        let bytes = self.read(entry.place, entry.length)?;
        if self.is_whole(front, entry, &bytes) {
            self.counters.reads.inc();
            self.counters.read_bytes.add(bytes.len() as u64);
            return Ok(bytes);
        }
        Err(if self.is_alive(entry.place) { ReadError::Damaged } else { ReadError::Gone })
    }

    /// Whether block `number` of a located object can be read, as far as is known without reading.
    pub(crate) fn has_block(&self, front: &ObjectFront, number: u32) -> bool {
        let found = front.table.binary_search_by_key(&number, |entry| entry.number);
        found.is_ok_and(|at| self.is_alive(front.table[at].place))
    }

    fn is_whole(&self, front: &ObjectFront, entry: &Entry, bytes: &[u8]) -> bool {
        checksum::block(front.hash, front.generation, entry.number, bytes) == entry.sum
    }

    fn damaged(&self, print: u64, slot: &Slot) {
        self.counters.checksum_failures.inc();
        self.index.remove_record(print, slot);
    }

    /// Bytes from the data file; they are not kept in the page cache.
    fn read(&self, place: Place, length: u32) -> io::Result<Bytes> {
        let mut bytes = vec![0; length as usize];
        let at = self.position(place);
        read_full(&*self.data, &mut bytes, at).inspect_err(|_| self.counters.read_errors.inc())?;
        self.data.forget(at..at + u64::from(length));
        Ok(Bytes::from(bytes))
    }
}

fn range(bytes: &Bytes, from: usize, length: usize) -> Option<Bytes> {
    let to = from.checked_add(length)?;
    (to <= bytes.len()).then(|| bytes.slice(from..to))
}
