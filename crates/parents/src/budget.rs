//! How many questions beyond the clients' own may go upstream: retries and hedges together.
//!
//! A server in trouble must not be asked twice as much because it is in trouble. Every request brings a part of a token,
//! a trickle comes with time, and each retry or hedge takes a whole one; the store of them is bounded. So in any stretch of
//! time there are at most `BURST + percent × requests + seconds` of them, however servers flap.

use std::time::{Duration, Instant};

/// A token, in the thousandths that are counted.
const TOKEN: u64 = 1_000;
/// Tokens there are at most, and at the start: what a bad minute may cost at once.
const BURST: u64 = 20 * TOKEN;
/// A token comes by itself each second, so that a quiet node may retry too.
const TRICKLE: Duration = Duration::from_secs(1);

/// Tokens of one group.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Thousandths of a token.
    per_request: u64,
    tokens: u64,
    at: Instant,
}

impl Budget {
    /// `percent` is how many retries a hundred requests allow. 0 allows none at all, ever.
    pub fn new(percent: u32, now: Instant) -> Self {
        let tokens = if percent > 0 { BURST } else { 0 };
        Self { per_request: u64::from(percent) * TOKEN / 100, tokens, at: now }
    }

    /// A client's question goes upstream.
    pub fn deposit(&mut self, now: Instant) {
        self.pass_time(now);
        self.add(self.per_request);
    }

    /// Takes one token; `false` when there is none.
    pub fn withdraw(&mut self, now: Instant) -> bool {
        self.pass_time(now);
        match self.tokens.checked_sub(TOKEN) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }

    /// Whole tokens left at `now`.
    pub fn left(&mut self, now: Instant) -> u64 {
        self.pass_time(now);
        self.tokens / TOKEN
    }

    fn pass_time(&mut self, now: Instant) {
        // Whole thousandths only: what is left of the time counts next time.
        let thousandth = TRICKLE / 1_000;
        let passed = now.saturating_duration_since(self.at).as_nanos() / thousandth.as_nanos();
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        self.at += thousandth * passed;
        self.add(u64::from(passed));
    }

    fn add(&mut self, thousandths: u64) {
        if self.per_request > 0 {
            self.tokens = (self.tokens + thousandths).min(BURST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_fifth_of_what_is_asked() {
        let start = now();
        let mut budget = Budget::new(20, start);
        assert_eq!((0..100).filter(|_| budget.withdraw(start)).count(), 20);
        for _ in 0..10 {
            budget.deposit(start);
        }
        assert_eq!((0..100).filter(|_| budget.withdraw(start)).count(), 2);
        assert!(budget.withdraw(start + Duration::from_secs(1)));
        assert!(!budget.withdraw(start + Duration::from_secs(1)));
        assert_eq!(budget.left(start + Duration::from_secs(1_000)), 20);
    }

    #[test]
    fn nothing_is_nothing() {
        let start = now();
        let mut budget = Budget::new(0, start);
        budget.deposit(start);
        assert!(!budget.withdraw(start + Duration::from_secs(100)));
    }

    proptest! {
        #[test]
        fn never_more_than_promised(
            percent in 1_u32..100, steps in prop::collection::vec((0_u64..2_000, any::<bool>()), 0..400),
        ) {
            let start = now();
            let mut budget = Budget::new(percent, start);
            let (mut at, mut requests, mut retries) = (start, 0_u64, 0_u64);
            for (wait_ms, retry) in steps {
                at += Duration::from_millis(wait_ms);
                if retry {
                    retries += u64::from(budget.withdraw(at));
                } else {
                    requests += 1;
                    budget.deposit(at);
                }
                let seconds_in_thousandths = u64::try_from(at.duration_since(start).as_millis()).unwrap();
                let promised = BURST + u64::from(percent) * 10 * requests + seconds_in_thousandths;
                prop_assert!(retries * TOKEN <= promised);
            }
        }
    }
}
