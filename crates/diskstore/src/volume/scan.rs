//! Walking through a region's records, where it has no footer.
//!
//! The walk ends where a record is not whole or does not follow the one before it: there the last run was cut off. A record
//! that is damaged in the middle is another matter: it still names its lap, and the next one names it as its predecessor.
//! Then the walk goes on behind it, and what the damaged one seems to be about counts as removed, so that no older version
//! comes back in its place.
//!
//! Where a power cut took a record and left some behind it, the next run writes over the gap. What lies behind its last
//! record may be damaged and have a follower that names it, and still be none of this walk's: an earlier run's. Hence each
//! record's run is no earlier than that of the one before.

use super::log::first_link;
use super::{ReadError, Reading, Volume, fingerprint};
use crate::checksum;
use crate::footer::{Kind, Listed};
use crate::media::{Media, read_full};
use crate::pin::Size;
use crate::record::{self, Apparent, Content, Entry, Front, UNIT};
use bytes::Bytes;
use std::io;

/// Read at once when a region is walked.
pub(super) const WINDOW: usize = 1_024 * 1_024;
/// How far behind a damaged record that does not tell its length the next one is looked for.
const LOOK_BEHIND: u32 = 16 * 1_024 * 1_024;

/// What a walk through a region found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) contents: Vec<Listed>,
    /// Where the last record ends.
    pub(super) end: u32,
    pub(super) chain: u64,
    epoch: u32,
}

impl Scanned {
    fn take_in(&mut self, front: &Front) {
        let offset = self.end;
        match &front.content {
            Content::Object(object) => {
                let size = Size::of(object.table.iter().map(|entry| entry.length));
                let (length, front_length, until) = (front.length, front.front, object.until);
                let kind = Kind::Object { length, front: front_length, until, size };
                self.contents.push(Listed { fingerprint: fingerprint(object.hash), offset, kind });
            }
            Content::Removals(prints) => self.remove(prints, offset),
        }
        self.end = offset + front.length;
        self.chain = front.sum;
        self.epoch = front.context.epoch;
    }

    fn remove(&mut self, prints: &[u64], offset: u32) {
        let listed = |&fingerprint| Listed { fingerprint, offset, kind: Kind::Removal };
        self.contents.extend(prints.iter().map(listed));
    }
}

impl Volume {
    pub(super) fn scan(&self, region: u16, sequence: u32) -> io::Result<Scanned> {
        let (start, end) = (self.start(region), self.superblock.region);
        let mut window = Window { media: &*self.data, start, end, at: 0, bytes: Bytes::new() };
        let chain = first_link(self.superblock.store, sequence);
        let mut scanned = Scanned { chain, ..Scanned::default() };
        let mut last = None;
        loop {
            let sought = Sought { sequence, epoch: scanned.epoch };
            if let Some(front) = self.record_at(&mut window, scanned.end, sought, &[scanned.chain])? {
                scanned.take_in(&front);
                last = Some(front);
            } else if let Some((damaged, next)) = self.behind_damage(&mut window, scanned.end, sought)? {
                self.counters.checksum_failures.inc();
                scanned.remove(&damaged.fingerprints, scanned.end);
                scanned.end = next.context.offset;
                scanned.take_in(&next);
                last = Some(next);
            } else {
                break;
            }
        }
        if let Some(front) = last
            && let Content::Object(object) = &front.content
        {
            let own = |entry: &&Entry| {
                entry.place.sequence == sequence && entry.place.offset >= front.context.offset
            };
            for entry in object.table.iter().filter(own) {
                match self.read_entry(object, entry, Reading::Waits) {
                    Ok(_) => {}
                    // A disk that cannot be read now says nothing of what lies on it.
                    Err(ReadError::Io(error)) => return Err(error),
                    Err(_) => {
                        scanned.contents.pop();
                        scanned.end = front.context.offset;
                        scanned.chain = front.context.chain;
                        break;
                    }
                }
            }
        }
        Ok(scanned)
    }

    /// The record at `offset`, where it is whole, is one that is `sought` and follows one of `links`.
    fn record_at(
        &self,
        window: &mut Window<'_>,
        offset: u32,
        sought: Sought,
        links: &[u64],
    ) -> io::Result<Option<Front>> {
        let Some(header) = window.get(offset, record::HEADER)? else { return Ok(None) };
        // Most of what is looked at behind a damage is no header.
        let Some(length) = record::front_length(&header) else { return Ok(None) };
        let Some(bytes) = window.get(offset, length)? else { return Ok(None) };
        Ok(record::parse(&bytes).filter(|front| {
            front.context.store == self.superblock.store
                && (front.context.sequence, front.context.offset) == (sought.sequence, offset)
                && front.context.epoch >= sought.epoch
                && links.contains(&front.context.chain)
                && offset.checked_add(front.length).is_some_and(|end| end <= self.superblock.region)
        }))
    }

    /// What is damaged at `offset`, and the record that follows it. `None` where nothing of this lap was written there, or
    /// nothing behind it.
    fn behind_damage(
        &self,
        window: &mut Window<'_>,
        offset: u32,
        sought: Sought,
    ) -> io::Result<Option<(Apparent, Front)>> {
        let Some(header) = window.get(offset, record::HEADER)? else { return Ok(None) };
        let context = record::apparent_context(&header);
        // Of another lap, or of none; or whole, but not what comes next: both are what was there before this lap.
        let of_this_lap = context.is_some_and(|context| {
            context.sequence == sought.sequence
                && (context.store == self.superblock.store || context.offset == offset)
        });
        if !of_this_lap {
            return Ok(None);
        }
        let apparent = record::apparent(&header);
        let front = apparent.front as usize;
        // Whichever of the two is damaged, the other covers the front.
        let length = front.max(apparent.length as usize).clamp(record::HEADER, record::MOST_FRONT);
        let room = (self.superblock.region - offset) as usize;
        let bytes = window.get(offset, length.min(room))?.unwrap_or(header);
        if record::parse(&bytes).is_some() {
            return Ok(None);
        }
        let apparent = record::apparent(&bytes);
        // Either the sum is damaged, or something else is and the sum tells.
        let links = [apparent.sum, checksum::sum(bytes.get(8..front).unwrap_or_default())];
        let inside = |next: &u32| *next > offset && *next < self.superblock.region;
        let stated = offset.checked_add(apparent.length).filter(|next| next.is_multiple_of(UNIT));
        let further = (1..=LOOK_BEHIND / UNIT).map_while(|units| offset.checked_add(units * UNIT));
        for next in stated.filter(inside).into_iter().chain(further.take_while(inside)) {
            if let Some(front) = self.record_at(window, next, sought, &links)? {
                // It ends there, whatever it says of its length.
                let own = bytes.len().min((next - offset) as usize);
                return Ok(Some((record::apparent(&bytes[..own]), front)));
            }
        }
        Ok(None)
    }
}

/// Whose record comes next.
#[derive(Debug, Clone, Copy)]
struct Sought {
    /// Of this lap.
    sequence: u32,
    /// Of this run or a later one.
    epoch: u32,
}

/// A region read from front to back.
struct Window<'a> {
    media: &'a dyn Media,
    start: u64,
    end: u32,
    at: u32,
    bytes: Bytes,
}

impl Window<'_> {
    /// `length` bytes at `offset`; `None` beyond the region's end.
    fn get(&mut self, offset: u32, length: usize) -> io::Result<Option<Bytes>> {
        let Some(room) =
            self.end.checked_sub(offset).map(|room| room as usize).filter(|&room| room >= length)
        else {
            return Ok(None);
        };
        let from = offset.checked_sub(self.at).map(|from| from as usize);
        if let Some(from) = from
            && from + length <= self.bytes.len()
        {
            return Ok(Some(self.bytes.slice(from..from + length)));
        }
        let mut bytes = vec![0; WINDOW.max(length).min(room)];
        read_full(self.media, &mut bytes, self.start + u64::from(offset))?;
        self.media
            .forget(self.start + u64::from(offset)..self.start + u64::from(offset) + bytes.len() as u64);
        (self.at, self.bytes) = (offset, Bytes::from(bytes));
        Ok(Some(self.bytes.slice(..length)))
    }
}
