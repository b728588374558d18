//! Stretches of a lesson in which something is the case. Pure.

use serde::{Deserialize, Serialize};

/// From a moment up to, but not with, another, in milliseconds from the lesson's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The first moment.
    pub from_ms: u64,
    /// The first moment after it.
    pub to_ms: u64,
}

impl Stretch {
    /// How long it is.
    pub fn length_ms(self) -> u64 {
        self.to_ms.saturating_sub(self.from_ms)
    }
}

/// More than these are not told one by one; the shortest is left out. Some 4 KiB as JSON, however bad a lesson is.
const MAX_STRETCHES: usize = 100;

/// Stretches in order, which neither touch nor overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretches {
    list: Vec<Stretch>,
    total_ms: u64,
}

impl Stretches {
    /// Adds a stretch that starts at or behind the end of the last one.
    pub fn add(&mut self, from_ms: u64, to_ms: u64) {
        if to_ms <= from_ms {
            return;
        }
        self.total_ms += to_ms - from_ms;
        match self.list.last_mut() {
            Some(last) if from_ms <= last.to_ms => last.to_ms = last.to_ms.max(to_ms),
            _ => self.list.push(Stretch { from_ms, to_ms }),
        }
        if self.list.len() > MAX_STRETCHES {
            self.forget_the_shortest();
        }
    }

    /// Never the last one: it may still grow.
    fn forget_the_shortest(&mut self) {
        let settled = self.list.len() - 1;
        let shortest = (0..settled).min_by_key(|&index| self.list[index].length_ms());
        if let Some(index) = shortest {
            self.list.remove(index);
        }
    }

    /// Joins what was measured of the part of the lesson that follows.
    pub fn append(&mut self, later: &Self) {
        let told: u64 = later.list.iter().map(|stretch| stretch.length_ms()).sum();
        later.list.iter().for_each(|stretch| self.add(stretch.from_ms, stretch.to_ms));
        // What was left out there stays left out, but is counted.
        self.total_ms += later.total_ms.saturating_sub(told);
    }

    /// All of them together, those left out included.
    pub fn total_ms(&self) -> u64 {
        self.total_ms
    }

    /// Those that last at least `ms`.
    pub fn at_least(&self, ms: u64) -> impl Iterator<Item = Stretch> + '_ {
        self.list.iter().copied().filter(move |stretch| stretch.length_ms() >= ms)
    }

    /// From the first to the last.
    pub fn span(&self) -> Option<Stretch> {
        let (first, last) = (self.list.first()?, self.list.last()?);
        Some(Stretch { from_ms: first.from_ms, to_ms: last.to_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_is_one() {
        let mut stretches = Stretches::default();
        for (from, to) in [(0, 100), (100, 200), (500, 500), (600, 900)] {
            stretches.add(from, to);
        }
        let all: Vec<_> = stretches.at_least(0).collect();
        assert_eq!(all, [Stretch { from_ms: 0, to_ms: 200 }, Stretch { from_ms: 600, to_ms: 900 }]);
        assert_eq!(stretches.at_least(250).count(), 1);
        assert_eq!(stretches.total_ms(), 500);
        let mut later = Stretches::default();
        later.add(900, 1_000);
        stretches.append(&later);
        assert_eq!(stretches.at_least(0).last(), Some(Stretch { from_ms: 600, to_ms: 1_000 }));
        assert_eq!(stretches.span(), Some(Stretch { from_ms: 0, to_ms: 1_000 }));
    }

    #[test]
    fn a_flickering_lesson_does_not_make_an_endless_list() {
        let mut stretches = Stretches::default();
        stretches.add(0, 5_000);
        for n in 10..10_000 {
            stretches.add(n * 1_000, n * 1_000 + 10);
        }
        assert!(stretches.at_least(0).count() <= MAX_STRETCHES);
        assert_eq!(stretches.at_least(1_000).count(), 1, "the long one is still there");
        assert_eq!(stretches.total_ms(), 5_000 + 9_990 * 10);
    }
}
