//! How many reports a node takes, whoever they are from: nobody is remembered for having sent one.

use std::time::Duration;

/// Reports taken at once: a school whose lesson does not open.
const BURST: u32 = 200;
/// One more each: what an operator's disk and patience can take on a bad day, a thousand an hour.
const EACH: Duration = Duration::from_millis(3_600);

/// A bucket of tokens for all clients together.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Since the beginning of time: when the bucket is full again.
    full_at: Duration,
}

impl Default for Pace {
    /// Full.
    fn default() -> Self {
        Self { full_at: Duration::ZERO }
    }
}

impl Pace {
    /// Whether one more is taken at `now`, which is counted from any fixed moment.
    pub fn takes(&mut self, now: Duration) -> bool {
        let full_at = self.full_at.max(now) + EACH;
        let fits = full_at - now <= EACH * BURST;
        if fits {
            self.full_at = full_at;
        }
        fits
    }
}
