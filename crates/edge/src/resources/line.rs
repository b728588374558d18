//! Turns on a line of a certain rate.

use std::time::Duration;
use tokio::time::Instant;

/// When everything that was promised has gone.
#[derive(Debug, Default)]
pub(super) struct Line {
    free: Option<Instant>,
}

impl Line {
    /// When the next `bytes` may go, on a line of `rate` bits a second: behind all that was promised before, and at once where
    /// that has gone. What was not used is not saved up.
    pub(super) fn turn(&mut self, bytes: u64, rate: u64, now: Instant) -> Instant {
        let turn = self.free.map_or(now, |free| free.max(now));
        let nanos = u128::from(bytes) * 8 * 1_000_000_000 / u128::from(rate.max(1));
        self.free = Some(turn + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX / 4)));
        turn
    }
}
