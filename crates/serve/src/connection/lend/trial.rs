//! Whether lending costs less here than copying. That depends on the processor, the network card and the kernel's timers: on one
//! machine it is half, on another twice as much. So each core tries both by turns on what it sends anyway, counts its own CPU time,
//! and keeps to what was cheaper; after a while it tries again.

use rustix::time::Timespec;
use std::time::Duration;

/// Sendings that one turn has: some 17 MB.
const TURN: u32 = 16;
/// Turns of a trial, half of them each way.
const TURNS: u32 = 8;
/// Sendings until the next trial: three in a hundred are in one, and half of those go the dearer way. A trial that other work on the
/// core has misled is soon over.
const KEEPS: u32 = 30 * TURNS * TURN;

/// How blocks are handed to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Way {
    /// As pages.
    #[default]
    Lend,
    /// By a copy.
    Copy,
}

/// What one way has cost.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    time: Duration,
    bytes: u64,
}

impl Cost {
    /// Whether it costs less for each byte.
    fn is_below(self, other: Self) -> bool {
        self.time.as_nanos() * u128::from(other.bytes) < other.time.as_nanos() * u128::from(self.bytes)
    }
}

/// Of one core.
#[derive(Debug, Default)]
pub(super) struct Trial {
    /// What goes now.
    way: Way,
    /// Sendings until something else does.
    left: u32,
    /// Turns that this trial still has.
    turns: u32,
    /// By way.
    costs: [Cost; 2],
    /// The core's CPU time when this turn began.
    began: Duration,
    /// Handed over in this turn.
    bytes: u64,
}

impl Trial {
    /// How the next `bytes` go. `now` is the core's CPU time, asked once a turn.
    pub(super) fn next(&mut self, now: impl FnOnce() -> Timespec, bytes: usize) -> Way {
        if self.left == 0 {
            self.turn(spent(now()));
        }
        self.left -= 1;
        self.bytes += bytes as u64;
        self.way
    }

    fn turn(&mut self, now: Duration) {
        if self.turns == 0 {
            // What went before was no trial.
            (self.turns, self.costs) = (TURNS, Default::default());
        } else {
            let cost = &mut self.costs[self.way as usize];
            cost.time += now.saturating_sub(self.began);
            cost.bytes += self.bytes;
            self.turns -= 1;
        }
        (self.began, self.bytes) = (now, 0);
        let [lend, copy] = self.costs;
        (self.way, self.left) = match self.turns {
            0 => (if copy.is_below(lend) { Way::Copy } else { Way::Lend }, KEEPS),
            left => (if left % 2 == 0 { Way::Lend } else { Way::Copy }, TURN),
        };
    }
}

fn spent(time: Timespec) -> Duration {
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ways of so many sendings of a block, which cost so many nanoseconds each.
    fn tried(sendings: u32, lend: i64, copy: i64) -> (u32, Way) {
        let (mut trial, mut now, mut lent, mut last) = (Trial::default(), 0, 0, Way::Lend);
        for _ in 0..sendings {
            last = trial.next(|| Timespec { tv_sec: 0, tv_nsec: now }, lendable::BLOCK);
            lent += u32::from(last == Way::Lend);
            now += if last == Way::Lend { lend } else { copy };
        }
        (lent, last)
    }

    #[test]
    fn what_is_cheaper_here_is_what_goes_after_a_trial() {
        let trial = TURNS * TURN;
        assert_eq!(tried(trial, 10, 20), (trial / 2, Way::Copy), "by turns");
        assert_eq!(tried(trial + 1_000, 10, 20), (trial / 2 + 1_000, Way::Lend));
        assert_eq!(tried(trial + 1_000, 20, 10), (trial / 2, Way::Copy));
        assert_eq!(tried(trial + KEEPS + TURN, 20, 10), (trial / 2 + TURN, Way::Lend), "and once more");
    }
}
