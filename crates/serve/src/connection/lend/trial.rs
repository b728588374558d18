//! Whether lending costs less here than copying. That depends on the processor, the network card and the kernel's timers: on one
//! machine it is half, on another twice as much. So each core tries both by turns on what it sends anyway, counts its own CPU time,
//! and keeps to what was cheaper; after a while it tries again. Each way's dearest turn says nothing: whatever else the core did at that
//! time, a herd's handshakes or a reload, would count for all that goes until the next trial.

use rustix::time::Timespec;
use std::time::Duration;

/// Sendings at the beginning of a turn that do not count, some 140 MB: so long what the other way has left with the kernel is still
/// leaving, and is paid for in this turn: an answer of each of 64 connections, twice.
const SETTLES: u32 = 128;
/// Sendings of a turn that count.
const COUNTS: u32 = 128;
/// Turns of a trial, half of them each way.
const TURNS: u32 = 6;
/// Sendings until the next trial: three in a hundred are in one, and half of those go the dearer way. A trial that other work on the
/// core has misled is soon over.
const KEEPS: u32 = 30 * TURNS * (SETTLES + COUNTS);
/// What the other way must cost at most of this one, in percent, to be taken instead: a little less may be chance.
const BETTER: u128 = 90;

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
    /// Whether a byte costs less than so many percent of what it does there.
    fn is_below(self, percent: u128, other: Self) -> bool {
        let (own, others) = (self.time.as_nanos(), other.time.as_nanos());
        100 * own * u128::from(other.bytes) < percent * others * u128::from(self.bytes)
    }
}

/// What the turns of one way have cost.
#[derive(Debug, Clone, Copy, Default)]
struct Costs {
    all: Cost,
    dearest: Cost,
}

impl Costs {
    fn add(&mut self, turn: Cost) {
        self.all.time += turn.time;
        self.all.bytes += turn.bytes;
        if !turn.is_below(100, self.dearest) {
            self.dearest = turn;
        }
    }

    /// Without the dearest.
    fn usual(self) -> Cost {
        Cost {
            time: self.all.time.saturating_sub(self.dearest.time),
            bytes: self.all.bytes - self.dearest.bytes,
        }
    }
}

/// Of one core.
#[derive(Debug, Default)]
pub(super) struct Trial {
    /// What goes now.
    way: Way,
    /// What goes where no trial is on.
    usual: Way,
    /// Sendings until something else is done.
    left: u32,
    /// Turns that this trial still has, this one among them.
    turns: u32,
    /// Whether this one counts by now.
    counts: bool,
    /// By way.
    costs: [Costs; 2],
    /// The core's CPU time when this turn began.
    began: Duration,
    /// What the kernel has taken in this turn.
    bytes: u64,
}

impl Trial {
    /// How the next bytes go. `now` is the core's CPU time, asked once a turn.
    pub(super) fn next(&mut self, now: impl FnOnce() -> Timespec) -> Way {
        if self.left == 0 {
            self.turn(spent(now()));
        }
        self.left -= 1;
        self.way
    }

    /// The kernel has taken so many, either way. What it is offered and has no room for says nothing of what it costs: a copy comes to its
    /// end in several sendings, and was taken for several times as cheap as it is.
    pub(super) fn took(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    fn turn(&mut self, now: Duration) {
        if self.turns > 0 && !self.counts {
            (self.counts, self.left, self.began, self.bytes) = (true, COUNTS, now, 0);
            return;
        }
        if self.turns == 0 {
            // What went before was no trial.
            (self.turns, self.costs) = (TURNS, Default::default());
        } else {
            let turn = Cost { time: now.saturating_sub(self.began), bytes: self.bytes };
            self.costs[self.way as usize].add(turn);
            self.turns -= 1;
        }
        self.counts = false;
        if self.turns == 0 {
            self.decide();
            (self.way, self.left) = (self.usual, KEEPS);
        } else {
            (self.way, self.left) =
                (if self.turns.is_multiple_of(2) { Way::Lend } else { Way::Copy }, SETTLES);
        }
    }

    /// The way that goes until the next trial.
    fn decide(&mut self) {
        let [lend, copy] = self.costs.map(Costs::usual);
        let (other, is_better) = match self.usual {
            Way::Lend => (Way::Copy, copy.is_below(BETTER, lend)),
            Way::Copy => (Way::Lend, lend.is_below(BETTER, copy)),
        };
        if is_better {
            self.usual = other;
        }
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
            last = trial.next(|| Timespec { tv_sec: 0, tv_nsec: now });
            trial.took(lendable::BLOCK);
            lent += u32::from(last == Way::Lend);
            now += if last == Way::Lend { lend } else { copy };
        }
        (lent, last)
    }

    const TURN: u32 = SETTLES + COUNTS;
    const TRIAL: u32 = TURNS * TURN;

    #[test]
    fn what_is_cheaper_here_is_what_goes_after_a_trial() {
        assert_eq!(tried(TRIAL, 10, 20), (TRIAL / 2, Way::Copy), "by turns");
        assert_eq!(tried(TRIAL + 1_000, 10, 20), (TRIAL / 2 + 1_000, Way::Lend));
        assert_eq!(tried(TRIAL + 1_000, 20, 10), (TRIAL / 2, Way::Copy));
        assert_eq!(tried(TRIAL + KEEPS + TURN, 20, 10), (TRIAL / 2 + TURN, Way::Lend), "and once more");
    }

    #[test]
    fn what_goes_is_kept_where_the_other_way_is_hardly_cheaper() {
        assert_eq!(tried(TRIAL + 1, 100, 91).1, Way::Lend);
        assert_eq!(tried(TRIAL + 1, 100, 89).1, Way::Copy);
        let (mut trial, mut now) = (Trial::default(), 0);
        // Copies are a little dearer from the second trial on.
        let mut last = Way::Lend;
        for sending in 0..2 * TRIAL + KEEPS + 1 {
            last = trial.next(|| Timespec { tv_sec: 0, tv_nsec: now });
            trial.took(lendable::BLOCK);
            now += match last {
                Way::Lend => 100,
                Way::Copy if sending < TRIAL => 50,
                Way::Copy => 105,
            };
        }
        assert_eq!(last, Way::Copy);
    }

    /// What waits with the kernel when the ways change is paid for by the way that comes behind it.
    #[test]
    fn what_one_way_has_left_with_the_kernel_is_not_counted_to_the_other() {
        const LEFT: usize = 100;
        for (lend, copy, kept) in [(20, 40, Way::Lend), (40, 20, Way::Copy)] {
            let (mut trial, mut now) = (Trial::default(), 0);
            let mut waiting = std::collections::VecDeque::from([0; LEFT]);
            for _ in 0..TRIAL {
                let way = trial.next(|| Timespec { tv_sec: 0, tv_nsec: now });
                trial.took(lendable::BLOCK);
                waiting.push_back(if way == Way::Lend { lend } else { copy });
                now += waiting.pop_front().unwrap_or_default();
            }
            assert_eq!(trial.next(|| Timespec { tv_sec: 0, tv_nsec: now }), kept);
        }
    }

    #[test]
    fn a_turn_in_which_the_core_did_much_else_decides_nothing() {
        // A tenth of a second, where all sendings of a turn take a hundredth.
        const ELSE: i64 = 100_000_000;
        for (lend, copy, kept) in [(40_000, 80_000, Way::Lend), (80_000, 40_000, Way::Copy)] {
            for disturbed in 0..TURNS {
                let (mut trial, mut now) = (Trial::default(), 0);
                for sending in 0..TRIAL {
                    let way = trial.next(|| Timespec { tv_sec: 0, tv_nsec: now });
                    trial.took(lendable::BLOCK);
                    now += if way == Way::Lend { lend } else { copy };
                    now += if sending == disturbed * TURN + SETTLES + COUNTS / 2 { ELSE } else { 0 };
                }
                let way = trial.next(|| Timespec { tv_sec: 0, tv_nsec: now });
                assert_eq!(way, kept, "the turn {disturbed}");
            }
        }
    }

    /// Of copies the kernel took a third at once; with what it was offered for its measure they cost half of what pages do.
    #[test]
    fn what_the_kernel_has_no_room_for_makes_no_way_cheaper() {
        const ALL: usize = 3 * lendable::BLOCK;
        for (lend, copy, kept) in [(60_000, 40_000, Way::Lend), (120_000, 20_000, Way::Copy)] {
            let (mut trial, mut now) = (Trial::default(), 0);
            for _ in 0..TRIAL {
                let way = trial.next(|| Timespec { tv_sec: 0, tv_nsec: now });
                let (cost, taken) = if way == Way::Lend { (lend, ALL) } else { (copy, ALL / 3) };
                now += cost;
                trial.took(taken);
            }
            assert_eq!(trial.next(|| Timespec { tv_sec: 0, tv_nsec: now }), kept);
        }
    }
}
