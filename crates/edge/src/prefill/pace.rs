//! How fast: each object begins when those before it would have come at the owner's rate.

use std::time::Duration;
use tokio::time::Instant;

/// Times behind which nothing is made up for: a pause does not end in a burst.
const SLACK: Duration = Duration::from_millis(500);

/// Gives out beginnings.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Bytes a second.
    rate: u64,
    next: Instant,
}

impl Pace {
    pub(crate) fn new(rate: u64, now: Instant) -> Self {
        Self { rate: rate.max(1), next: now }
    }

    /// Bytes a second from here on.
    pub(crate) fn keep_to(&mut self, rate: u64) {
        self.rate = rate.max(1);
    }

    /// When an object of `bytes` may begin.
    pub(crate) fn begin(&mut self, bytes: u64, now: Instant) -> Instant {
        let earliest = now.checked_sub(SLACK).unwrap_or(now);
        let begin = self.next.max(earliest);
        self.next = begin + Duration::from_nanos(nanos(bytes, self.rate));
        begin
    }
}

fn nanos(bytes: u64, rate: u64) -> u64 {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate);
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_keep_to_the_rate_and_a_pause_is_not_made_up_for() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(1_000, start);
        let begins: Vec<_> = (0..4).map(|_| pace.begin(500, start) - start).collect();
        assert_eq!(begins, [Duration::ZERO, second / 2, second, second * 3 / 2]);
        let later = start + second * 3_600;
        let begins: Vec<_> = (0..3).map(|_| pace.begin(500, later)).collect();
        assert_eq!(begins, [later - SLACK, later, later + second / 2]);
    }
}
