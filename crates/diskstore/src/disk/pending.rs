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
        if earlier.is_none() {
            let bytes = self.bytes + weight(&key);
            if self.removed.len() >= MOST_REMOVALS || bytes > MOST_BYTES {
                self.too_many = true;
                return;
            }
            self.bytes = bytes;
        }
        let must = must || earlier.is_some_and(|earlier| earlier.must && !earlier.noted);
        let removal = Removal { ticket: self.next_ticket(), must, noted: false };
        self.removed.insert(key, removal);
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

    /// What is to be written down: key, number, and whether it must be even if nothing is known of it.
    pub(crate) fn to_note(&self) -> Vec<(Bytes, u64, bool)> {
        let open = self.removed.iter().filter(|(_, removal)| !removal.noted);
        open.map(|(key, removal)| (key.clone(), removal.ticket, removal.must)).collect()
    }

    /// These have been written down, as they were.
    pub(crate) fn noted(&mut self, written: &[(Bytes, u64, bool)]) {
        for (key, ticket, _) in written {
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
        assert!(matches!(pending.to_note()[..], [(_, 2, true)]));
        pending.noted(&pending.to_note());
        pending.remove(key, false);
        assert!(matches!(pending.to_note()[..], [(_, 3, false)]));
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
