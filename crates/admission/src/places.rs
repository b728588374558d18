//! Numbers given out in order: how many of them may come in, how long each counts from then on, and how often it lets in.
//!
//! A ticket can be shown by whoever has its text. It counts for as long as a lesson takes, and as often as one page asks that
//! is loaded anew on a bad line; beyond that it is a link in a class's chat, and whoever comes by it begins at the end of the line. What is
//! kept for that is a byte for each number of the last minutes. Whose number it is nobody knows.

use std::collections::VecDeque;

/// How long a number counts once its turn has come, in seconds: a lesson, and the wait before it. Whose page is loaded anew in the
/// middle of it goes on.
pub(crate) const COUNTS_S: u64 = 1_800;
/// How often a number lets in. A page without hls.js asks twice each time that it finds no picture: for the lesson, and why not.
pub(crate) const MOST_USES: u8 = 16;
/// Numbers that are counted at once, a byte each: [`COUNTS_S`] with 2,300 a second. Where more come in, each counts for less long.
const MOST_COUNTED: u64 = 4 << 20;

/// What a number is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// So many are before it, itself counted in.
    Ahead(u64),
    /// It lets in.
    In,
    /// Its time has gone by, or it has let in as often as it may.
    Spent,
}

/// Numbers given out, in order.
#[derive(Debug, Default)]
pub(crate) struct Places {
    issued: u64,
    /// How many of them may come in, or might have: all with a lower number.
    passed: u64,
    /// How many of those count no more.
    over: u64,
    /// `passed` at the end of each second in which it has grown, the oldest first; of the last [`COUNTS_S`].
    turns: VecDeque<(u64, u64)>,
    /// How often each has let in, from the number `over` on, as far as any has.
    uses: VecDeque<u8>,
}

impl Places {
    /// The next number.
    pub(crate) const fn issue(&mut self) -> u64 {
        self.issued += 1;
        self.issued - 1
    }

    pub(crate) const fn issued(&self) -> u64 {
        self.issued
    }

    pub(crate) const fn passed(&self) -> u64 {
        self.passed
    }

    pub(crate) const fn waiting(&self) -> u64 {
        self.issued - self.passed
    }

    /// In this `second`, of any count that only goes up, the turn of up to `count` more has come; of how many it has.
    pub(crate) fn pass(&mut self, count: u64, second: u64) -> u64 {
        let let_in = count.min(self.waiting());
        if let_in > 0 {
            self.passed += let_in;
            match self.turns.back_mut() {
                Some((last, passed)) if *last == second => *passed = self.passed,
                _ => self.turns.push_back((second, self.passed)),
            }
        }
        let_in
    }

    /// Those whose turn came too long before this `second` count no more.
    pub(crate) fn age(&mut self, second: u64) {
        let before = self.over;
        while let Some(&(at, passed)) = self.turns.front()
            && second >= at + COUNTS_S
        {
            self.over = passed;
            self.turns.pop_front();
        }
        self.over = self.over.max(self.passed.saturating_sub(MOST_COUNTED));
        let gone = usize::try_from(self.over - before).unwrap_or(usize::MAX).min(self.uses.len());
        self.uses.drain(..gone);
    }

    /// How many are before this number, itself counted in; 0 where its turn has come.
    pub(crate) const fn ahead_of(&self, serial: u64) -> u64 {
        // A number that was never given out waits behind all that were.
        let serial = if serial < self.issued { serial } else { self.issued };
        (serial + 1).saturating_sub(self.passed)
    }

    /// Somebody shows this number; where it lets in, that is counted.
    pub(crate) fn show(&mut self, serial: u64) -> Stand {
        let ahead = self.ahead_of(serial);
        if ahead > 0 {
            return Stand::Ahead(ahead);
        }
        let Some(at) = serial.checked_sub(self.over).and_then(|at| usize::try_from(at).ok()) else {
            return Stand::Spent;
        };
        if at >= self.uses.len() {
            self.uses.resize(at + 1, 0);
        }
        let uses = &mut self.uses[at];
        if *uses >= MOST_USES {
            return Stand::Spent;
        }
        *uses += 1;
        Stand::In
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_numbers_has_a_bound() {
        let mut places = Places::default();
        for second in 0..500 {
            (0..20_000).for_each(|_| _ = places.issue());
            assert_eq!(places.pass(20_000, second), 20_000);
            places.age(second);
            assert_eq!(places.show(places.passed() - 1), Stand::In);
            assert!(places.uses.len() as u64 <= MOST_COUNTED, "{}", places.uses.len());
            assert!(places.turns.len() as u64 <= COUNTS_S, "{}", places.turns.len());
        }
        assert_eq!(places.show(places.passed() - MOST_COUNTED), Stand::In);
        assert_eq!(places.show(places.passed() - MOST_COUNTED - 1), Stand::Spent);
        places.age(500 + COUNTS_S);
        assert_eq!((places.uses.len(), places.turns.len()), (0, 0));
    }
}
