//! What has been removed and is not yet written down as removed.
//!
//! Every piece of work has a number, a removal too. A key in here is not shown, and work on it with a smaller number is not
//! done any more. It leaves when the removal is written down and no older work can come.

use bytes::Bytes;
use std::collections::HashMap;

/// Removals a disk may be behind with. A disk that is away for longer than that begins empty, since nobody knows any more what of
/// it still holds.
const MOST_REMOVALS: usize = 65_536;
/// Bytes of them, keys as long as clients make them: as much as may wait to be written.
const MOST_BYTES: usize = super::MOST_WAITING;
/// What one takes beside its key.
const OVERHEAD: usize = 96;

/// The number of a removal of what is in no index any more: work on its key comes behind it, whenever it was given.
const BURIAL: u64 = 0;

/// A removal that is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToNote {
    pub(crate) key: Bytes,
    ticket: u64,
    /// Even if the index knows nothing of it.
    must: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Pending {
    tickets: u64,
    removed: HashMap<Bytes, Removal>,
    /// Of all of them.
    bytes: usize,
    too_many: bool,
}

#[derive(Debug, Clone, Copy)]
struct Removal {
    /// Older work is not done any more. [`BURIAL`]: all is.
    ticket: u64,
    /// The disk may show it at the next start: it must be written down, even if the index knows nothing of it.
    must: bool,
    noted: bool,
}

impl Pending {
    pub(crate) fn next_ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// `must`: the disk may hold it.
    pub(crate) fn remove(&mut self, key: Bytes, must: bool) {
        let earlier = self.removed.get(&key).copied();
        if earlier.is_none() && !self.has_room_for(&key) {
            return;
        }
        let must = must || earlier.is_some_and(|earlier| earlier.must && !earlier.noted);
        let removal = Removal { ticket: self.next_ticket(), must, noted: false };
        self.removed.insert(key, removal);
    }

    /// The disk holds it and must not show it at the next start. What was put meanwhile, or is on its way, stays.
    pub(crate) fn bury(&mut self, key: Bytes) {
        if let Some(removal) = self.removed.get_mut(&key) {
            // Written down, it is behind what was found: nothing newer has come while it stands here.
            removal.must |= !removal.noted;
        } else if self.has_room_for(&key) {
            self.removed.insert(key, Removal { ticket: BURIAL, must: true, noted: false });
        }
    }

    /// Whether one more can be remembered; nothing can be told of the disk when not.
    fn has_room_for(&mut self, key: &Bytes) -> bool {
        let bytes = self.bytes + weight(key);
        self.too_many |= self.removed.len() >= MOST_REMOVALS || bytes > MOST_BYTES;
        if !self.too_many {
            self.bytes = bytes;
        }
        !self.too_many
    }

    /// Whether `key` must not be shown. Everything, when there were too many to remember.
    pub(crate) fn hides(&self, key: &[u8]) -> bool {
        self.too_many || self.removed.contains_key(key)
    }

    /// Whether work number `ticket` on `key` has been overtaken by a removal.
    pub(crate) fn overtakes(&self, key: &[u8], ticket: u64) -> bool {
        self.removed.get(key).is_some_and(|removal| removal.ticket > ticket)
    }

    /// Whether anything is still to be written down.
    pub(crate) fn is_owing(&self) -> bool {
        self.too_many || self.removed.values().any(|removal| !removal.noted)
    }

    /// More than can be remembered: the disk has to begin empty.
    pub(crate) fn is_lost(&self) -> bool {
        self.too_many
    }

    /// The disk begins empty; nothing of it needs to be removed.
    pub(crate) fn begin_anew(&mut self) {
        self.removed.clear();
        self.bytes = 0;
        self.too_many = false;
    }

    /// What is to be written down.
    pub(crate) fn to_note(&self) -> Vec<ToNote> {
        let open = self.removed.iter().filter(|(_, removal)| !removal.noted);
        let to_note = |(key, removal): (&Bytes, &Removal)| ToNote {
            key: key.clone(),
            ticket: removal.ticket,
            must: removal.must,
        };
        open.map(to_note).collect()
    }

    /// These have been written down, as they were.
    pub(crate) fn noted(&mut self, written: &[ToNote]) {
        for ToNote { key, ticket, .. } in written {
            if let Some(removal) = self.removed.get_mut(key)
                && removal.ticket == *ticket
            {
                removal.noted = true;
            }
        }
    }

    /// No work with a smaller number than `ticket` can come any more.
    pub(crate) fn reached(&mut self, ticket: u64) {
        if !self.removed.is_empty() {
            let bytes = &mut self.bytes;
            self.removed.retain(|key, removal| {
                let stays = !removal.noted || removal.ticket > ticket;
                if !stays {
                    *bytes -= weight(key);
                }
                stays
            });
        }
    }

    /// The last number that was given.
    pub(crate) fn last_ticket(&self) -> u64 {
        self.tickets
    }
}

impl ToNote {
    /// Whether it has to be written down where the index knows something under its key (`is_held`) or nothing.
    pub(crate) fn is_due(&self, is_held: bool) -> bool {
        match self.ticket {
            // What is held is newer than what was found.
            BURIAL => !is_held,
            _ => self.must || is_held,
        }
    }
}

fn weight(key: &Bytes) -> usize {
    key.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_key_is_hidden_until_it_is_noted_and_older_work_is_through() {
        let key = Bytes::from_static(b"key");
        let mut pending = Pending::default();
        let older = pending.next_ticket();
        pending.remove(key.clone(), false);
        let newer = pending.next_ticket();
        assert!(pending.hides(&key) && pending.overtakes(&key, older) && !pending.overtakes(&key, newer));
        pending.reached(newer);
        assert!(pending.hides(&key), "not noted");
        let written = pending.to_note();
        pending.remove(key.clone(), false);
        pending.noted(&written);
        assert_eq!(pending.to_note().len(), 1, "removed again meanwhile");
        pending.noted(&pending.to_note());
        pending.reached(newer);
        assert!(pending.hides(&key), "work older than the second removal may come");
        pending.reached(pending.last_ticket());
        assert!(!pending.hides(&key));
        assert_eq!(pending.bytes, 0);
    }

    #[test]
    fn what_must_be_written_down_stays_so_when_it_is_removed_again() {
        let key = Bytes::from_static(b"key");
        let mut pending = Pending::default();
        pending.remove(key.clone(), true);
        pending.remove(key.clone(), false);
        let only = |pending: &Pending| {
            let [only] = &pending.to_note()[..] else { panic!("one") };
            (only.ticket, only.must)
        };
        assert_eq!(only(&pending), (2, true));
        pending.noted(&pending.to_note());
        pending.remove(key, false);
        assert_eq!(only(&pending), (3, false));
    }

    #[test]
    fn what_is_buried_is_hidden_and_holds_up_nothing_that_comes() {
        let key = Bytes::from_static(b"key");
        let mut pending = Pending::default();
        let older = pending.next_ticket();
        pending.bury(key.clone());
        assert!(pending.hides(&key) && !pending.overtakes(&key, older));
        let [burial] = &pending.to_note()[..] else { panic!("one") };
        assert!(burial.is_due(false) && !burial.is_due(true));
        pending.noted(&pending.to_note());
        pending.reached(older);
        assert!(!pending.hides(&key));
        // One that is removed besides is removed.
        for buried_last in [false, true] {
            let mut pending = Pending::default();
            let older = pending.next_ticket();
            if !buried_last {
                pending.bury(key.clone());
            }
            pending.remove(key.clone(), false);
            if buried_last {
                pending.bury(key.clone());
            }
            assert!(pending.overtakes(&key, older));
            assert!(
                matches!(&pending.to_note()[..], [removal] if removal.is_due(false) && removal.is_due(true))
            );
        }
    }

    #[test]
    fn more_than_can_be_remembered_hides_everything() {
        // Many short keys, or fewer as long as a URL may be.
        for (count, length) in [(MOST_REMOVALS, 0), (MOST_BYTES / (32 * 1_024), 32 * 1_024)] {
            let mut pending = Pending::default();
            for key in 0..count {
                pending.remove(Bytes::from(format!("{key:0length$}")), true);
                assert!(pending.bytes <= MOST_BYTES);
            }
            pending.remove(Bytes::from_static(b"one more"), true);
            assert!(pending.is_lost() && pending.hides(b"anything"), "{count} of {length}");
            pending.begin_anew();
            assert!(!pending.hides(b"anything") && pending.bytes == 0);
        }
    }
}
