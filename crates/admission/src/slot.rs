//! The plan's slots: not before, and not all at once.

use jiff::{SignedDuration, Timestamp};
use timetable::Opening;

/// Where a new session stands in its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It has opened.
    Open,
    /// It opens later; this one comes at `at`, somewhere within the slot.
    Later {
        /// When to come.
        at: Timestamp,
        /// Whether "continue anyway" works while there is room: the place's term has not begun.
        soft: bool,
    },
}

/// Whether `opening` lets in at `now`. `seed` is any number; it spreads those who come too early over the slot, so that
/// nobody has to hurry to its beginning.
pub fn slot(opening: &Opening, now: Timestamp, seed: u64) -> Slot {
    if now >= opening.from {
        return Slot::Open;
    }
    let window = opening.until.duration_since(opening.from).as_millis();
    let window = u64::try_from(window).unwrap_or(0);
    let part = if window == 0 { 0 } else { seed % window };
    let part = SignedDuration::from_millis(i64::try_from(part).unwrap_or(0));
    Slot::Later { at: opening.from.saturating_add(part).unwrap_or(opening.from), soft: opening.soft }
}
