//! Having orders written down: what a disk has not taken is given to it again.

use super::{AWAY_PAUSE, Rounds};
use std::time::Duration;
use tokio::time::Instant;

/// The longest until orders that a disk did not take are given to it again; one that comes back is told at once.
pub(super) const WRITE_AGAIN: Duration = Duration::from_secs(30);

/// What a disk has not taken.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// As of this change.
    change: u64,
    wait: Duration,
    again: Option<Instant>,
}

impl Rounds {
    /// Has written down what is not. A disk that is away for days is not written to each second for it.
    pub(super) async fn write_orders(&mut self) {
        let is_new = self.disk.changes_of_orders() != self.refused.change;
        let is_due = is_new || self.refused.again.is_none_or(|again| again <= Instant::now());
        if self.disk.has_unwritten_orders() && is_due {
            self.write_now().await;
        }
    }

    /// The same whatever was refused.
    pub(super) async fn write_now(&mut self) {
        let (now, change) = (Instant::now(), self.disk.changes_of_orders());
        self.noted = Some(now);
        let written = self.disk.write_orders().await;
        for (at, walk) in self.walks.iter().enumerate().filter(|&(at, _)| written[at]) {
            self.orders.values_mut().for_each(|order| order.courses[at].is_written_down(walk.next_part()));
        }
        self.refused = if written.iter().all(|&written| written) {
            Refused::default()
        } else {
            let is_new = change != self.refused.change;
            let wait =
                if is_new { AWAY_PAUSE } else { (self.refused.wait * 2).clamp(AWAY_PAUSE, WRITE_AGAIN) };
            Refused { change, wait, again: Some(now + wait) }
        };
    }
}
