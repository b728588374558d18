//! Looking at objects one after the other without being asked for them, and giving up those that cannot be read.
//!
//! Of an object whose front cannot be read nobody knows what it is: it can neither be given nor be told to be meant by anything, and
//! each who tried again would wait as long as the disk takes to say so. So it is gone, and for good: a sector that fails today may be
//! read tomorrow, when what was to be gone is no longer remembered.

use super::Volume;
use super::log::Log;
use super::read::{FrontRead, Located, MAX_LOOKS, Reading};
use crate::index::Slot;
use crate::record::ObjectFront;
use std::io;
use std::sync::{MutexGuard, PoisonError};

/// What came of reading some fronts.
#[derive(Debug, Default)]
pub(crate) struct Fronts {
    /// Those that are there.
    pub(crate) read: Vec<ObjectFront>,
    /// Objects that were there and could not be read; they are gone.
    pub(crate) lost: usize,
    /// The system could read none of them.
    pub(crate) failed: bool,
}

impl Volume {
    /// Fingerprints in one part of the index.
    pub(crate) fn in_part(&self, part: usize) -> Vec<u64> {
        self.index.in_part(part)
    }

    /// The fronts of these objects, as far as they are still there. No hit is counted. What cannot be read is forgotten, and written down
    /// as gone with the next barrier; on a disk that takes none, what is forgotten is there again when it is opened anew.
    pub(crate) fn fronts(&self, prints: &[u64]) -> Fronts {
        let (mut fronts, mut errors) = (Fronts::default(), 0);
        for &print in prints {
            for _ in 0..MAX_LOOKS {
                let Some(slot) = self.index.get(print) else { break };
                match self.read_front(print, slot, 0, Reading::Waits) {
                    Ok(FrontRead::Whole(located)) => fronts.read.push(located.front),
                    Ok(FrontRead::Changed) => continue,
                    Ok(FrontRead::NotAtHand) => {}
                    Ok(FrontRead::Damaged) => {
                        fronts.lost += 1;
                        self.lost().push(print);
                    }
                    Err(_) => {
                        errors += 1;
                        fronts.lost += 1;
                    }
                }
                break;
            }
        }
        fronts.failed = errors > 0 && fronts.read.is_empty();
        fronts
    }

    /// Forgets what could not be read, until the next barrier writes down that it is gone: on a disk that takes none it is there again
    /// when that is opened anew. Whether it was still known.
    pub(super) fn give_up(&self, print: u64, slot: &Slot) -> bool {
        let was_current = self.index.remove_record(print, slot);
        if was_current {
            self.lost().push(print);
        }
        was_current
    }

    /// Writes down that what could not be read is gone.
    pub(super) fn note_lost(&self, log: &mut Log) -> io::Result<()> {
        let lost = std::mem::take(&mut *self.lost());
        // What is under its key by now is newer, and hides it.
        let gone: Vec<u64> = lost.iter().copied().filter(|&print| self.index.get(print).is_none()).collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.append_removals(log, &gone).inspect_err(|_| self.lost().extend(lost))
    }

    /// The front at `slot`, however long that takes. What is damaged is written down as gone with the next barrier: damage may pass, and
    /// nobody could have it removed meanwhile.
    pub(super) fn whole_front(&self, print: u64, slot: Slot) -> Option<Box<Located>> {
        match self.read_front(print, slot, 0, Reading::Waits) {
            Ok(FrontRead::Whole(located)) => Some(located),
            Ok(FrontRead::Damaged) => {
                self.lost().push(print);
                None
            }
            Ok(FrontRead::Changed | FrontRead::NotAtHand) | Err(_) => None,
        }
    }

    fn lost(&self) -> MutexGuard<'_, Vec<u64>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
