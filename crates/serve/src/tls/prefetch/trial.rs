//! Whether fetching ahead makes records quicker here and now.

use std::time::Duration;

/// Records that one turn has: four batches.
const TURN: u32 = 64;
/// Turns of a trial, half of them each way.
const TURNS: u32 = 4;
/// Records until the next trial, some 130 MB: what is wanted may be another body by then. Three in a hundred are in a trial.
const KEEPS: u32 = 32 * TURNS * TURN;
/// The longest that a record is counted for, several times what it takes: the core may do something else meanwhile.
const LONGEST: Duration = Duration::from_micros(20);

/// What is done about the next record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) fetches: bool,
    /// Whether how long it takes is wanted.
    pub(super) is_timed: bool,
}

/// Of one core.
#[derive(Debug, Default)]
pub(super) struct Trial {
    /// Records until something else is done.
    left: u32,
    /// Turns that this trial still has.
    turns: u32,
    fetches: bool,
    /// What the turns without and with it took.
    took: [Duration; 2],
}

impl Trial {
    pub(super) fn next(&mut self) -> Next {
        if self.left == 0 {
            self.turn();
        }
        self.left -= 1;
        Next { fetches: self.fetches, is_timed: self.turns > 0 }
    }

    /// The record that was to be timed has taken so long.
    pub(super) fn took(&mut self, time: Duration) {
        self.took[usize::from(self.fetches)] += time.min(LONGEST);
    }

    fn turn(&mut self) {
        self.turns = match self.turns {
            // What went before was no trial, or its last turn.
            0 => TURNS,
            turns => turns - 1,
        };
        if self.turns == 0 {
            let [without, with] = std::mem::take(&mut self.took);
            (self.fetches, self.left) = (with < without, KEEPS);
        } else {
            (self.fetches, self.left) = (self.turns.is_multiple_of(2), TURN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many records were fetched ahead for, and whether the last was; they take so many microseconds without and with it.
    fn fetched(records: u32, without: u64, with: u64) -> (u32, bool) {
        let (mut trial, mut fetched, mut last) = (Trial::default(), 0, false);
        for record in 0..records {
            let next = trial.next();
            if next.is_timed {
                // In the middle of each turn the core does something else.
                let apart = if record % TURN == TURN / 2 { 10_000 } else { 0 };
                trial.took(Duration::from_micros(apart + if next.fetches { with } else { without }));
            }
            fetched += u32::from(next.fetches);
            last = next.fetches;
        }
        (fetched, last)
    }

    #[test]
    fn what_is_quicker_is_what_is_done_until_the_next_trial() {
        const TRIAL: u32 = TURNS * TURN;
        assert_eq!(fetched(TRIAL, 3, 2).0, TRIAL / 2, "by turns");
        assert_eq!(fetched(TRIAL + KEEPS, 3, 2), (TRIAL / 2 + KEEPS, true));
        assert_eq!(fetched(TRIAL + KEEPS, 2, 3), (TRIAL / 2, false));
        assert_eq!(fetched(TRIAL + KEEPS + TURN, 2, 3), (TRIAL / 2 + TURN, true), "and once more");
    }
}
