//! The active region: where the next record goes.

use super::Volume;
use crate::footer::{self, Kind, Listed};
use crate::index::Slot;
use crate::media::write_full;
use crate::pin::Size;
use crate::record::{self, Content, Context, Entry, ObjectFront, Place, UNIT};
use crate::{checksum, superblock};
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::sync::atomic::Ordering;

/// Written bytes between two barriers: as much dirty memory a disk may cost, and what a power cut may take.
const SETTLE_EVERY: u32 = 32 * 1_024 * 1_024;

/// Where writing goes on.
#[derive(Debug, Default)]
pub(crate) struct Log {
    active: Option<u16>,
    sequence: u32,
    cursor: u32,
    /// The sum of the last record.
    chain: u64,
    contents: Vec<Listed>,
    /// Up to where the active region is known to be on the disk.
    settled: u32,
    /// Its footer is being written: what came behind it would be behind what the footer tells of.
    closing: bool,
    /// No region is free, since making room has failed: what the oldest holds goes over while there is room for it here.
    lacks_room: bool,
    /// The lap that the next region will be.
    next_sequence: u32,
}

/// A block to be written: its number, bytes, and its sum where that is known.
pub(super) type Fresh = (u32, Bytes, u64);

/// What a try to append came to.
pub(super) enum Appended {
    Done,
    /// The active region has no room for it.
    Full,
}

impl Log {
    /// Goes on in `active`, or begins a region at the next record.
    pub(super) fn resume(active: Option<(u16, u32)>, scanned: super::scan::Scanned, newest: u32) -> Self {
        let (region, sequence) = active.unzip();
        Self {
            active: region,
            sequence: sequence.unwrap_or_default(),
            cursor: scanned.end,
            chain: scanned.chain,
            contents: scanned.contents,
            settled: 0,
            closing: false,
            lacks_room: false,
            next_sequence: newest + 1,
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.active.is_some()
    }

    pub(super) fn active(&self) -> Option<u16> {
        self.active
    }

    /// Whether something was written that a power cut may take.
    pub(super) fn is_unsettled(&self) -> bool {
        self.cursor != self.settled
    }

    pub(super) fn cursor(&self) -> u32 {
        self.cursor
    }

    /// Whether nothing more is to be written in the active region.
    pub(super) fn is_closing(&self) -> bool {
        self.closing && self.is_active()
    }

    /// A region is free, as far as there can be one.
    pub(super) fn has_made_room(&mut self) {
        self.lacks_room = false;
    }
}

/// The chain's first link in a region: of this lap and no other.
pub(super) fn first_link(store: u64, sequence: u32) -> u64 {
    checksum::sum(&[store.to_le_bytes(), u64::from(sequence).to_le_bytes()].concat())
}

impl Volume {
    /// Bytes that one record may take, so that every region has room for some.
    pub(super) fn largest_record(&self) -> usize {
        self.superblock.region as usize / 4
    }

    /// Writes an object's record: its table is `kept`, as far as that is still there, and `fresh`.
    pub(super) fn append(
        &self,
        log: &mut Log,
        object: &ObjectFront,
        kept: &[Entry],
        fresh: &[Fresh],
    ) -> io::Result<()> {
        let (lap, has_caught_up) = (log.sequence, self.catch_up(log)?);
        let length = record::padded(object.front_length(kept.len() + fresh.len()) + bytes_of(fresh));
        // A region may be full at once, of what is pinned in the oldest: a quarter of the disk may be, so one of the next is not.
        for _ in 0..=self.superblock.count {
            if self.has_room(log, length, 1) {
                break;
            }
            self.roll(log)?;
        }
        // Making room may have moved them.
        let may_have_moved = (has_caught_up || log.sequence != lap) && !kept.is_empty();
        let current = || self.current(&object.key, Some(object.generation));
        let moved = may_have_moved.then(|| current().map_or_else(|_| Vec::new(), |(_, table)| table));
        let kept = moved.as_deref().unwrap_or(kept);
        match self.append_here(log, object, kept, fresh, u64::from(self.superblock.region))? {
            Appended::Done => Ok(()),
            Appended::Full => Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than a region takes")),
        }
    }

    /// The same in the active region, up to `end`, or not at all.
    pub(super) fn append_here(
        &self,
        log: &mut Log,
        object: &ObjectFront,
        kept: &[Entry],
        fresh: &[Fresh],
        end: u64,
    ) -> io::Result<Appended> {
        // Looked at here and not before: making room may have cost some.
        let kept: Vec<Entry> = kept.iter().filter(|entry| self.is_alive(entry.place)).copied().collect();
        let front_length = object.front_length(kept.len() + fresh.len());
        let length = record::padded(front_length + bytes_of(fresh));
        let fits = self.has_room(log, length, 1) && u64::from(log.cursor) + length as u64 <= end;
        let Some(region) = log.active.filter(|_| fits) else {
            return Ok(Appended::Full);
        };
        let mut at = log.cursor as usize + front_length;
        let mut table = kept;
        for (number, bytes, sum) in fresh {
            let place = Place { region, sequence: log.sequence, offset: small(at) };
            table.push(Entry { number: *number, place, length: small(bytes.len()), sum: *sum });
            at += bytes.len();
        }
        table.sort_unstable_by_key(|entry| entry.number);
        let size = Size::of(table.iter().map(|entry| entry.length));
        let content = Content::Object(ObjectFront { table, ..object.clone() });
        let place = Place { region, sequence: log.sequence, offset: log.cursor };
        self.write_record(log, &content, fresh, length)?;
        let kind =
            Kind::Object { length: small(length), front: small(front_length), until: object.until, size };
        let print = super::fingerprint(object.hash);
        log.contents.push(Listed { fingerprint: print, offset: place.offset, kind });
        let mut slot = Slot::new(place, small(length), small(front_length), object.until, size);
        slot.hits = self.index.get(print).map_or(0, |before| before.hits);
        self.index.set(print, slot);
        self.settle_what_is_much(log)?;
        Ok(Appended::Done)
    }

    /// Writes down what has been removed.
    pub(super) fn append_removals(&self, log: &mut Log, prints: &[u64]) -> io::Result<()> {
        self.catch_up(log)?;
        let most = (self.largest_record() - record::HEADER) / (record::REMOVAL * 4);
        for prints in prints.chunks(most.max(1)) {
            let length = record::padded(record::HEADER + prints.len() * record::REMOVAL);
            for _ in 0..=self.superblock.count {
                if self.has_room(log, length, prints.len()) {
                    break;
                }
                self.roll(log)?;
            }
            let offset = log.cursor;
            self.write_record(log, &Content::Removals(prints.to_vec()), &[], length)?;
            let listed = |&fingerprint| Listed { fingerprint, offset, kind: Kind::Removal };
            log.contents.extend(prints.iter().map(listed));
            self.settle_what_is_much(log)?;
        }
        Ok(())
    }

    /// Makes the room that could not be made when this region was begun. Later it would be full, and all that is pinned in the oldest
    /// would have no place. Whether there was something to do.
    fn catch_up(&self, log: &mut Log) -> io::Result<bool> {
        let lacks_room = log.lacks_room;
        if lacks_room {
            self.make_room(log)?;
        }
        Ok(lacks_room)
    }

    fn has_room(&self, log: &Log, length: usize, entries: usize) -> bool {
        let footer = footer::length(log.contents.len() + entries);
        log.is_active()
            && !log.closing
            && log.cursor as usize + length + footer <= self.superblock.region as usize
    }

    /// One write, front first: what a kill leaves of it is its beginning, and only the last record can be so.
    fn write_record(
        &self,
        log: &mut Log,
        content: &Content,
        fresh: &[Fresh],
        length: usize,
    ) -> io::Result<()> {
        const PADDING: [u8; UNIT as usize] = [0; UNIT as usize];
        let context = Context {
            store: self.superblock.store,
            chain: log.chain,
            sequence: log.sequence,
            offset: log.cursor,
            epoch: self.superblock.epoch,
        };
        let front = record::encode(context, content, bytes_of(fresh));
        let padding = length - front.len() - bytes_of(fresh);
        let mut parts = vec![IoSlice::new(&front)];
        parts.extend(fresh.iter().map(|(_, bytes, _)| IoSlice::new(bytes)));
        parts.push(IoSlice::new(&PADDING[..padding]));
        let region = log.active.unwrap_or_default();
        let start = self.position(Place { region, sequence: log.sequence, offset: log.cursor });
        self.written(write_full(&*self.data, &mut parts, start))?;
        self.counters.writes.inc();
        self.counters.written_bytes.add(length as u64);
        log.chain = u64::from_le_bytes(*front.first_chunk().unwrap_or(&[0; 8]));
        log.cursor += small(length);
        Ok(())
    }

    /// A barrier where much has been written since the last one: when memory knows of it, so that it is taken back where this fails.
    fn settle_what_is_much(&self, log: &mut Log) -> io::Result<()> {
        if log.cursor - log.settled >= SETTLE_EVERY { self.settle(log) } else { Ok(()) }
    }

    /// Waits until all that was written is on the disk.
    ///
    /// What the kernel could not write it does not try again, and says nothing of it the next time (fsync(2)). So nothing more goes into
    /// a region behind a barrier that has failed: a start would read its records as far as the first that is missing, and its footer
    /// tells what was removed. What was put since the last one that held is given up, or what it replaced could come back.
    pub(super) fn settle(&self, log: &mut Log) -> io::Result<()> {
        if let Err(error) = self.written(self.data.sync()) {
            log.closing = true;
            let doubted = log.contents.iter().filter(|listed| listed.offset >= log.settled);
            for Listed { fingerprint, offset, .. } in doubted {
                let is_it = |slot: &Slot| Some(slot.region) == log.active && slot.offset() == *offset;
                if let Some(slot) = self.index.get(*fingerprint).filter(is_it) {
                    self.give_up(*fingerprint, &slot);
                }
            }
            return Err(error);
        }
        log.settled = log.cursor;
        Ok(())
    }

    /// Closes the active region and begins the next one.
    pub(super) fn roll(&self, log: &mut Log) -> io::Result<()> {
        if let Some(region) = log.active {
            // Also when this fails half way: then it is tried again, and nothing else is written here.
            log.closing = true;
            let footer = footer::encode(self.superblock.store, log.sequence, &log.contents);
            let offset = self.superblock.region.checked_sub(small(footer.len()));
            if let Some(offset) = offset.filter(|&offset| offset >= log.cursor) {
                let at = self.position(Place { region, sequence: log.sequence, offset });
                self.written(write_full(&*self.data, &mut [IoSlice::new(&footer)], at))?;
            } else {
                // What damaged records seem to have removed may be more than room was left for: the next start walks through.
                tracing::warn!(region, "too much is damaged in a region to list what it holds");
            }
            self.settle(log)?;
            log.active = None;
        }
        self.make_room(log)?;
        let free = self.regions.iter().position(|region| region.load(Ordering::Relaxed) == 0);
        let region = free.and_then(|free| u16::try_from(free).ok()).ok_or(io::ErrorKind::StorageFull)?;
        let sequence = log.next_sequence;
        self.assign(region, sequence)?;
        *log = Log {
            active: Some(region),
            sequence,
            chain: first_link(self.superblock.store, sequence),
            next_sequence: sequence + 1,
            lacks_room: true,
            ..Log::default()
        };
        // While the new region is empty there is room for what the oldest holds that is worth keeping.
        self.make_room(log)
    }

    /// Gives `region` to lap `sequence`, on the disk before in memory.
    pub(super) fn assign(&self, region: u16, sequence: u32) -> io::Result<()> {
        let written = superblock::write_region(&*self.table, self.superblock.store, region, sequence);
        self.written(written.and_then(|()| self.table.sync()))?;
        self.regions[usize::from(region)].store(sequence, Ordering::Release);
        Ok(())
    }

    fn written<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|_| self.counters.write_errors.inc())
    }
}

fn bytes_of(fresh: &[Fresh]) -> usize {
    fresh.iter().map(|(_, bytes, _)| bytes.len()).sum()
}

/// Lengths inside a region, which `u32` holds.
fn small(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
