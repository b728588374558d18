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
    /// Has written down what is not. A disk that is away for days is not written to each second for it; one that has hung is told as
    /// soon as it answers.
    pub(super) async fn write_orders(&mut self) {
        let change = self.disk.changes_of_orders();
        let before = std::mem::replace(&mut self.hanging, self.disk.hanging());
        let has_answered = before.iter().zip(&self.hanging).any(|(before, now)| *before && !now);
        let is_new = change != self.refused.change || has_answered;
        let is_due = is_new || self.refused.again.is_none_or(|again| again <= Instant::now());
        if is_due && self.lacking(change).contains(&true) {
            self.write_now().await;
        }
    }

    /// Which disks have not written down what was to be as of this change.
    fn lacking(&self, change: u64) -> Vec<bool> {
        self.written.iter().map(|&written| written != Some(change)).collect()
    }

    /// The same whatever was refused.
    pub(super) async fn write_now(&mut self) {
        let (now, change) = (Instant::now(), self.disk.changes_of_orders());
        self.noted = Some(now);
        let written = self.disk.write_orders(&self.lacking(change)).await;
        for (at, walk) in self.walks.iter().enumerate().filter(|&(at, _)| written[at]) {
            self.written[at] = Some(change);
            self.orders.values_mut().for_each(|order| order.courses[at].is_written_down(walk.next_part()));
        }
        self.hanging = self.disk.hanging();
        self.refused = if !self.lacking(change).contains(&true) {
            Refused::default()
        } else {
            let is_new = change != self.refused.change;
            let wait =
                if is_new { AWAY_PAUSE } else { (self.refused.wait * 2).clamp(AWAY_PAUSE, WRITE_AGAIN) };
            Refused { change, wait, again: Some(now + wait) }
        };
    }
}
