//! How far an order has come on one disk. Parts are those of the disk's own walk, see [`diskstore::Walk`].
//!
//! ```text
//! rests ─► walks: a round ─┬─ met something, or was not written down ─► rests, until the disk takes its note
//!                          └─ met nothing ─► through
//! ```
//! The last round is the proof that those before have missed nothing. So it begins behind a note: what was put before the order is in
//! the index by then, and what was found is gone.

use diskstore::Walk;

/// An order on one disk. At first it rests.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Course {
    state: State,
    /// The disk has it written down.
    is_written: bool,
    /// A round is over, whatever it has met.
    has_been_round: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// It looks for nothing: the disk is away, or has to write first.
    #[default]
    Rests,
    /// Its round began with this part.
    Walks { since: u64, has_met: bool },
    /// A round has met nothing.
    Through,
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// There is nothing left of what is meant.
    Through,
    /// The next one is behind a note.
    Unproved,
}

impl Course {
    /// A first round from this part on, of a disk that is there.
    pub(super) fn from(since: u64) -> Self {
        Self { state: State::Walks { since, has_met: false }, ..Self::default() }
    }

    /// Carried out otherwise, and all of it is on the disk.
    pub(super) fn through() -> Self {
        Self { state: State::Through, has_been_round: true, ..Self::default() }
    }

    /// The disk is away, or has been: what it had not on its platters is undone.
    pub(super) fn breaks_off(&mut self) {
        (self.state, self.is_written) = (State::Rests, false);
    }

    /// The disk has the order written down, behind all that was done before. `next` is the next part of its walk.
    pub(super) fn is_written_down(&mut self, next: u64) {
        let is_first = !std::mem::replace(&mut self.is_written, true);
        if self.state == State::Rests || (is_first && self.walks()) {
            self.state = State::Walks { since: next, has_met: false };
        }
    }

    /// Something was met.
    pub(super) fn meets(&mut self) {
        if let State::Walks { has_met, .. } = &mut self.state {
            *has_met = true;
        }
    }

    /// A part could not be seen; `next` is the next one.
    pub(super) fn misses(&mut self, next: u64) {
        if let State::Walks { since, .. } = &mut self.state {
            *since = next;
        }
    }

    /// The walk has been through `passed` parts; what has become of a round that is over by that.
    pub(super) fn has_passed(&mut self, passed: u64) -> Option<Ended> {
        let State::Walks { since, has_met } = self.state else { return None };
        if passed.saturating_sub(since) < Walk::PARTS {
            return None;
        }
        self.has_been_round = true;
        let is_proved = self.is_written && !has_met;
        self.state = if is_proved { State::Through } else { State::Rests };
        Some(if is_proved { Ended::Through } else { Ended::Unproved })
    }

    /// Parts that its first round has still to see.
    pub(super) fn left(&self, passed: u64) -> u64 {
        match self.state {
            _ if self.has_been_round => 0,
            State::Walks { since, .. } => Walk::PARTS.saturating_sub(passed.saturating_sub(since)),
            State::Rests | State::Through => Walk::PARTS,
        }
    }

    /// Whether the disk has it written down.
    pub(super) fn is_written(&self) -> bool {
        self.is_written
    }

    /// Whether it looks for something.
    pub(super) fn walks(&self) -> bool {
        matches!(self.state, State::Walks { .. })
    }

    /// Whether a round is over.
    pub(super) fn has_been_round(&self) -> bool {
        self.has_been_round
    }

    /// Whether there is nothing left of what is meant.
    pub(super) fn is_through(&self) -> bool {
        self.state == State::Through
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_through_after_a_whole_round_behind_its_note_that_met_nothing() {
        let mut course = Course::from(3);
        assert_eq!((course.has_passed(Walk::PARTS + 2), course.left(5)), (None, Walk::PARTS - 2));
        assert_eq!(course.has_passed(Walk::PARTS + 3), Some(Ended::Unproved), "nobody has written it down");
        assert!(!course.walks() && course.left(100) == 0);
        course.is_written_down(100);
        course.meets();
        assert_eq!(course.has_passed(100 + Walk::PARTS), Some(Ended::Unproved), "it has met something");
        course.is_written_down(200);
        course.misses(210);
        assert_eq!(course.has_passed(200 + Walk::PARTS), None, "it has not seen all");
        // A later note changes nothing.
        course.is_written_down(220);
        assert_eq!(course.has_passed(210 + Walk::PARTS), Some(Ended::Through));
        course.is_written_down(400);
        assert!(course.is_through() && course.is_written());
    }

    #[test]
    fn an_order_begins_anew_on_a_disk_that_was_away() {
        let mut course = Course::from(0);
        course.is_written_down(0);
        course.has_passed(Walk::PARTS);
        assert!(course.is_through());
        course.breaks_off();
        assert!(!course.is_through() && !course.walks() && !course.is_written());
        course.meets();
        assert_eq!(course.has_passed(1_000), None);
        course.is_written_down(1_000);
        assert_eq!(course.has_passed(1_000 + Walk::PARTS), Some(Ended::Through));
    }

    #[test]
    fn what_was_carried_out_otherwise_needs_no_round_unless_the_disk_goes_away() {
        let mut course = Course::through();
        course.is_written_down(7);
        assert!(course.is_through() && course.is_written() && course.left(0) == 0);
        course.breaks_off();
        course.is_written_down(9);
        assert!(course.walks());
    }

    #[test]
    fn what_was_seen_before_the_note_is_seen_again() {
        let mut course = Course::from(0);
        course.is_written_down(40);
        assert_eq!(course.has_passed(Walk::PARTS), None);
        assert_eq!(course.has_passed(40 + Walk::PARTS), Some(Ended::Through));
    }
}
