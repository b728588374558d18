//! How many questions a second go upstream for what clients ask: a storm of URLs that nobody has asked before goes by every cache.
//!
//! A bucket of tokens: as many as a second brings may be taken at once, and what is not taken is not saved beyond that.

use std::time::{Duration, Instant};

/// Tokens of one group.
#[derive(Debug, Clone)]
pub struct Rate {
    /// When the bucket was last empty, or would have been: the tokens are the time since then.
    since: Instant,
}

/// What the bucket holds.
const BUCKET: Duration = Duration::from_secs(1);

impl Rate {
    /// A full one.
    pub fn new(now: Instant) -> Self {
        Self { since: now.checked_sub(BUCKET).unwrap_or(now) }
    }

    /// Takes a token of `per_second`; `false` when there is none.
    pub fn take(&mut self, per_second: u32, now: Instant) -> bool {
        let token = BUCKET / per_second.max(1);
        let oldest = now.checked_sub(BUCKET).unwrap_or(now);
        let since = self.since.max(oldest);
        if now.saturating_duration_since(since) < token {
            return false;
        }
        self.since = since + token;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long after the clock's beginning, so that there is a time before it.
    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn now() -> Instant {
        Instant::now() + Duration::from_secs(3_600)
    }

    fn taken(rate: &mut Rate, per_second: u32, now: Instant) -> usize {
        (0..10_000).filter(|_| rate.take(per_second, now)).count()
    }

    #[test]
    fn a_second_s_worth_at_once_and_no_more_than_that_is_saved() {
        let start = now();
        let mut rate = Rate::new(start);
        assert_eq!(taken(&mut rate, 50, start), 50);
        assert_eq!(taken(&mut rate, 50, start + Duration::from_millis(100)), 5);
        assert_eq!(taken(&mut rate, 50, start + Duration::from_millis(100)), 0);
        assert_eq!(taken(&mut rate, 50, start + Duration::from_secs(600)), 50);
        // Another limit holds at once.
        assert_eq!(taken(&mut rate, 2, start + Duration::from_secs(601)), 2);
    }

    #[test]
    fn a_storm_of_any_shape_gets_what_the_time_brings() {
        let start = now();
        let mut rate = Rate::new(start);
        let asked =
            (0..100_000_u32).filter(|n| rate.take(500, start + Duration::from_micros(70) * *n)).count();
        assert!((3_990..=4_000).contains(&asked), "{asked} in 7 s");
    }
}
