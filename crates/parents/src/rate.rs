//! How many questions a second go upstream for what clients ask: a storm of URLs that nobody has asked before goes by every cache.
//!
//! A bucket of tokens: as many as a second brings may be taken at once, and what is not taken is not saved beyond that.

use std::time::{Duration, Instant};

/// Tokens of one group.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// When the bucket was last empty, or would have been: the tokens are the time since then.
    since: Instant,
}

const SECOND: Duration = Duration::from_secs(1);
/// What the bucket holds, where nobody says otherwise.
const BUCKET: Duration = SECOND;

impl Rate {
    /// A full one.
    pub fn new(now: Instant) -> Self {
        Self::new_of(BUCKET, now)
    }

    /// A full one that holds what `bucket` brings.
    pub fn new_of(bucket: Duration, now: Instant) -> Self {
        Self { since: now.checked_sub(bucket).unwrap_or(now) }
    }

    /// Takes a token of `per_second`; `false` when there is none.
    pub fn take(&mut self, per_second: u32, now: Instant) -> bool {
        self.take_of(BUCKET, per_second, now)
    }

    /// The same of one that holds what `bucket` brings.
    pub fn take_of(&mut self, bucket: Duration, per_second: u32, now: Instant) -> bool {
        let token = SECOND / per_second.max(1);
        let oldest = now.checked_sub(bucket).unwrap_or(now);
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
        // One that holds more.
        let tenfold =
            |rate: &mut Rate, now| (0..10_000).filter(|_| rate.take_of(10 * SECOND, 50, now)).count();
        let mut larger = Rate::new_of(10 * SECOND, start);
        assert_eq!(tenfold(&mut larger, start), 500);
        assert_eq!(tenfold(&mut larger, start + SECOND), 50);
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
