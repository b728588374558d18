//! Giving up the oldest region, and keeping what is worth it.
//!
//! First in, first out, with a second chance: what was asked for since it was written, what the RAM tier holds and what
//! is pinned is written again at the log's head. Least-recently-used order would need a write a hit, or a list in memory,
//! for a few points of hit ratio; and giving up regions in any other order than the log's would let an old version
//! come back when the region with the newer one, or with its removal, goes first.

use super::log::{Appended, Fresh, Log};
use super::read::{ReadError, Reading};
use super::{Volume, fingerprint};
use crate::clock;
use crate::footer::{self, Kind, Listed};
use crate::record::Entry;
use std::io;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

/// Of the new region, how much may be filled with what is popular, in hundredths: half of the disk's writing is left to what is
/// new. What is pinned comes first and takes what it needs: how much may be pinned has its bound where it is pinned.
const FOR_POPULAR: u64 = 50;

impl Volume {
    /// Sees to it that a region is free.
    pub(super) fn make_room(&self, log: &mut Log) -> io::Result<()> {
        let mut oldest: Option<(u32, u16)> = None;
        for (region, sequence) in (0..).zip(&self.regions) {
            match sequence.load(Ordering::Relaxed) {
                0 => {
                    log.has_made_room();
                    return Ok(());
                }
                _ if log.active() == Some(region) => {}
                sequence if oldest.is_none_or(|(least, _)| sequence < least) => {
                    oldest = Some((sequence, region))
                }
                _ => {}
            }
        }
        if let Some((sequence, region)) = oldest {
            self.reclaim(log, region, sequence)?;
        }
        log.has_made_room();
        Ok(())
    }

    /// Nothing is given up before the region is, on the disk: where that fails both have what they had.
    fn reclaim(&self, log: &mut Log, region: u16, sequence: u32) -> io::Result<()> {
        let now = clock::wall();
        let mut contents = self.contents(region, sequence);
        contents.retain(|(_, removed)| !removed);
        let is_pinned = |print| self.index.get(print).is_some_and(|slot| slot.until.holds(now));
        // Of those that are equal the order stays.
        contents.sort_by_key(|(print, _)| !is_pinned(*print));
        let mut given_up = Vec::new();
        for (print, _) in contents {
            let kept = match self.keep(log, region, print, now) {
                Ok(kept) => kept,
                // A disk that cannot be written to keeps what it has; one that cannot be read loses this object only.
                Err(KeepError::Write(error)) => return Err(error),
                Err(KeepError::Read) => false,
            };
            if kept {
                self.counters.kept.inc();
                self.index.forget_hits(print);
            } else {
                given_up.push(print);
            }
        }
        // A power cut is not to take both what was written again and where it was.
        if log.is_unsettled() {
            self.settle(log)?;
        }
        self.assign(region, 0)?;
        for print in given_up {
            if let Some(slot) = self.index.get(print).filter(|slot| slot.region == region) {
                self.counters.lost_pins.add(u64::from(slot.until.holds(now)));
                self.counters.evictions.inc();
                self.index.remove_record(print, &slot);
            }
        }
        // What a damaged footer did not tell of.
        self.counters.evictions.add(self.index.remove_region(region) as u64);
        let start = self.start(region);
        self.data.forget(start..start + u64::from(self.superblock.region));
        Ok(())
    }

    /// Fingerprints of what is in a region, and whether it is only word of a removal.
    fn contents(&self, region: u16, sequence: u32) -> Vec<(u64, bool)> {
        let start = u64::from(region) * u64::from(self.superblock.region);
        let footer = footer::read(&*self.data, self.superblock.store, start, self.superblock.region);
        match footer {
            Ok(Some((of, contents))) if of == sequence => {
                let listed = |listed: Listed| (listed.fingerprint, listed.kind == Kind::Removal);
                contents.into_iter().map(listed).collect()
            }
            _ => self.index.in_region(region).into_iter().map(|print| (print, false)).collect(),
        }
    }

    /// Writes the object again, if it is worth it and there is room. Whether that was done.
    fn keep(&self, log: &mut Log, region: u16, print: u64, now: SystemTime) -> Result<bool, KeepError> {
        let Some(slot) = self.index.get(print) else { return Ok(false) };
        let is_pinned = slot.until.holds(now);
        let share = if is_pinned { 100 } else { FOR_POPULAR };
        let end = u64::from(self.superblock.region) * share / 100;
        // Nothing of it can be kept: not worth a read.
        if !log.is_active() || u64::from(log.cursor() + slot.front()) > end {
            return Ok(false);
        }
        // Superseded here, and its newest record is elsewhere; only blocks can be left here, and only where somebody wants it.
        if slot.region != region && !is_pinned && slot.hits == 0 {
            return Ok(false);
        }
        let located = self.whole_front(print, slot).ok_or(KeepError::Read)?;
        let front = &located.front;
        if !(is_pinned || slot.hits > 0 || (self.wanted)(&front.key)) {
            return Ok(false);
        }
        let (here, elsewhere): (Vec<Entry>, Vec<Entry>) =
            front.table.iter().partition(|entry| entry.place.region == region && self.is_alive(entry.place));
        if here.is_empty() && slot.region != region {
            return Ok(false);
        }
        // A long object goes over in parts, each a whole record; what does not fit is given up.
        let mut moved: Vec<Entry> = elsewhere;
        let mut rest = here.as_slice();
        loop {
            let (part, left) = self.part(rest);
            let mut fresh: Vec<Fresh> = Vec::with_capacity(part.len());
            for entry in part {
                match self.read_entry(front, entry, Reading::Waits) {
                    Ok(bytes) => fresh.push((entry.number, bytes, entry.sum)),
                    Err(ReadError::Damaged) => self.counters.checksum_failures.inc(),
                    Err(_) => {}
                }
            }
            match self.append_here(log, front, &moved, &fresh, end).map_err(KeepError::Write)? {
                Appended::Full => return Ok(self.index.get(print).is_some_and(|now| now.region != region)),
                Appended::Done => {}
            }
            if left.is_empty() {
                return Ok(true);
            }
            rest = left;
            moved = self.table_of(print)?;
        }
    }

    /// As many entries as go into one record.
    fn part<'a>(&self, entries: &'a [Entry]) -> (&'a [Entry], &'a [Entry]) {
        let mut bytes = 0;
        let most = self.largest_record() / 2;
        let fits = |entry: &&Entry| {
            bytes += entry.length as usize;
            bytes <= most
        };
        let count = entries.iter().take_while(fits).count().max(1).min(entries.len());
        entries.split_at(count)
    }

    fn table_of(&self, print: u64) -> Result<Vec<Entry>, KeepError> {
        let slot = self.index.get(print).ok_or(KeepError::Read)?;
        let located = self.whole_front(print, slot).ok_or(KeepError::Read)?;
        if fingerprint(located.front.hash) == print { Ok(located.front.table) } else { Err(KeepError::Read) }
    }
}

/// Why an object could not be kept.
enum KeepError {
    /// Nothing can be written: the region must stay.
    Write(io::Error),
    /// This object cannot be read.
    Read,
}
