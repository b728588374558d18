//! What is done to objects, as records of the log.

use super::log::{Fresh, Log};
use super::{Volume, fingerprint};
use crate::index::Slot;
use crate::pin::{Pinned, Size, Until};
use crate::record::{ENTRY, Entry, HEADER, MOST_FRONT, ObjectFront};
use crate::{checksum, clock};
use bytes::Bytes;
use std::io;

/// A version of an object, as it is put.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// The caller's own words about it, up to a megabyte; kept and given back as they are.
    pub head: Bytes,
    /// Bytes of the whole body, where known.
    pub length: Option<u64>,
    /// Those of its blocks that are there, by number: block `n` holds the bytes from `n *` [`crate::BLOCK`], and all but
    /// the body's last are full.
    pub blocks: Vec<(u32, Bytes)>,
}

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// The key, head or table is longer than a record takes, or the body than the disk.
    #[error("too large for this disk")]
    TooLarge,
    /// What it was to be added to is not there any more, or of another version.
    #[error("superseded")]
    Superseded,
    /// The system's word.
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),
}

/// Of the disk, in hundredths.
const MOST_PINNED: u64 = 25;
/// The longest key.
pub(crate) const MOST_KEY: usize = 64 * 1_024;
/// The longest head.
pub(crate) const MOST_HEAD: usize = 1_024 * 1_024;

impl Volume {
    /// Writes a version in place of whatever is there.
    pub(crate) fn put(&self, key: Bytes, generation: u64, object: Object) -> Result<(), WriteError> {
        let Object { head, length, mut blocks } = object;
        blocks.sort_unstable_by_key(|(number, _)| *number);
        blocks.dedup_by_key(|(number, _)| *number);
        let hash = self.hash(&key);
        // What was pinned stays so, whatever becomes of it.
        let until = self.index.get(fingerprint(hash)).map_or(Until::default(), |slot| slot.until);
        let front = ObjectFront { hash, generation, until, total: length, key, head, table: Vec::new() };
        self.write(&mut self.log(), &front, Vec::new(), blocks)
    }

    /// Adds blocks to the version `generation` of an object; those it has stay as they are.
    pub(crate) fn extend(
        &self,
        key: &[u8],
        generation: u64,
        mut blocks: Vec<(u32, Bytes)>,
    ) -> Result<(), WriteError> {
        let mut log = self.log();
        let (front, kept) = self.current(key, Some(generation))?;
        blocks.retain(|(number, _)| !kept.iter().any(|entry| entry.number == *number));
        blocks.sort_unstable_by_key(|(number, _)| *number);
        blocks.dedup_by_key(|(number, _)| *number);
        if blocks.is_empty() {
            return Ok(());
        }
        self.write(&mut log, &front, kept, blocks)
    }

    /// Gives the version `generation` of an object another head.
    pub(crate) fn freshen(&self, key: &[u8], generation: u64, head: Bytes) -> Result<(), WriteError> {
        let mut log = self.log();
        let (front, kept) = self.current(key, Some(generation))?;
        self.write(&mut log, &ObjectFront { head, ..front }, kept, Vec::new())
    }

    /// Pins an object until then, or, with the default, lets it go. Not done where it would be more than may be pinned.
    pub(crate) fn pin(&self, key: &[u8], until: Until) -> Result<Pinned, WriteError> {
        let mut log = self.log();
        let (front, kept) = match self.current(key, None) {
            Err(WriteError::Superseded) => return Ok(Pinned::NotThere),
            current => current?,
        };
        if front.until == until {
            return Ok(Pinned::Kept);
        }
        let is_new = front.until == Until::default() && until != Until::default();
        let bytes = Size::of(kept.iter().map(|entry| entry.length)).bytes();
        if is_new && self.index.pinned() + bytes > self.most_pinned() {
            self.index.forget_ended_pins(clock::wall());
            if self.index.pinned() + bytes > self.most_pinned() {
                return Ok(Pinned::NoRoom);
            }
        }
        self.write(&mut log, &ObjectFront { until, ..front }, kept, Vec::new())?;
        Ok(Pinned::Kept)
    }

    /// Bytes that may be pinned: what is written again on the log's way round, at once where it lies together.
    fn most_pinned(&self) -> u64 {
        u64::from(self.superblock.region) * u64::from(self.superblock.count) * MOST_PINNED / 100
    }

    /// Takes an object out of the index, at once. Whether it was there; [`Volume::note_removed`] makes it last.
    pub(crate) fn hide(&self, key: &[u8]) -> bool {
        self.index.remove(fingerprint(self.hash(key))).is_some()
    }

    /// Writes down that objects are gone, so that they stay gone; over a power cut once it is flushed.
    pub(crate) fn note_removed<'a>(&self, keys: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
        let prints: Vec<u64> = keys.map(|key| fingerprint(self.hash(key))).collect();
        let mut log = self.log();
        for print in &prints {
            self.index.remove(*print);
        }
        self.append_removals(&mut log, &prints)
    }

    /// Returns when all that was written is on the disk.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut log = self.log();
        self.note_lost(&mut log)?;
        self.leave_what_failed(&mut log)?;
        self.settle(&mut log)
    }

    /// The same, where there is something that is not.
    pub(crate) fn flush_rest(&self) -> io::Result<()> {
        let mut log = self.log();
        self.note_lost(&mut log)?;
        self.leave_what_failed(&mut log)?;
        if log.is_unsettled() { self.settle(&mut log) } else { Ok(()) }
    }

    /// Behind a barrier that has failed, or a region that could not be closed, another one that holds says nothing of what was before.
    fn leave_what_failed(&self, log: &mut Log) -> io::Result<()> {
        if log.is_closing() { self.roll(log) } else { Ok(()) }
    }

    /// An object as it stands, without counting a hit.
    pub(super) fn current(
        &self,
        key: &[u8],
        generation: Option<u64>,
    ) -> Result<(ObjectFront, Vec<Entry>), WriteError> {
        let print = fingerprint(self.hash(key));
        let slot: Slot = self.index.get(print).ok_or(WriteError::Superseded)?;
        match self.whole_front(print, slot) {
            Some(located)
                if located.front.key == key
                    && generation.is_none_or(|generation| generation == located.front.generation) =>
            {
                let mut front = located.front;
                let kept = std::mem::take(&mut front.table);
                // A pin that has ended is forgotten in the index, and its bytes with it, while the record has it still.
                front.until = slot.until;
                Ok((front, kept))
            }
            // What could not be read is not there any more, and no write has failed.
            _ => Err(WriteError::Superseded),
        }
    }

    /// Whether an object may be put, for one that is written part by part.
    pub(crate) fn fits(&self, key: &[u8], object: &Object) -> Result<(), WriteError> {
        self.takes(key, &object.head, 0, &object.blocks)
    }

    /// Whether there may be a record of this, which has so many blocks besides.
    fn takes(
        &self,
        key: &[u8],
        head: &[u8],
        others: usize,
        blocks: &[(u32, Bytes)],
    ) -> Result<(), WriteError> {
        let bytes: u64 = blocks.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let disk = u64::from(self.superblock.region) * u64::from(self.superblock.count);
        let table = (others + blocks.len()).saturating_mul(ENTRY);
        let longest = MOST_FRONT.min(self.largest_record() / 2);
        let is_too_large = key.len() > MOST_KEY
            || head.len() > MOST_HEAD
            || HEADER + key.len() + head.len() + table > longest
            || bytes > disk / 2
            || blocks.iter().any(|(_, bytes)| bytes.len() > crate::BLOCK.min(self.largest_record() / 2));
        if is_too_large { Err(WriteError::TooLarge) } else { Ok(()) }
    }

    /// In as many records as it takes, each a whole object of the blocks so far.
    fn write(
        &self,
        log: &mut Log,
        front: &ObjectFront,
        mut kept: Vec<Entry>,
        blocks: Vec<(u32, Bytes)>,
    ) -> Result<(), WriteError> {
        self.takes(&front.key, &front.head, kept.len(), &blocks)?;
        let mut blocks = blocks.into_iter().peekable();
        let mut fresh: Vec<Fresh> = Vec::new();
        let mut pending = 0;
        loop {
            let next = blocks.next_if(|(_, bytes)| pending + bytes.len() <= self.largest_record() / 2);
            if let Some((number, bytes)) = next {
                let sum = checksum::block(front.hash, front.generation, number, &bytes);
                pending += bytes.len();
                fresh.push((number, bytes, sum));
                continue;
            }
            self.append(log, front, &kept, &fresh)?;
            if blocks.peek().is_none() {
                return Ok(());
            }
            fresh.clear();
            pending = 0;
            kept = self.current(&front.key, Some(front.generation))?.1;
        }
    }
}
