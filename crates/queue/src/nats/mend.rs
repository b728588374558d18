//! Seeing that no job is without a ticket and none without a worker for ever, and sweeping.
//!
//! Idle workers do it, who have nothing better to do, and once a lease those who are not: where there is always work, nobody is idle.

use super::Nats;
use crate::clock::Moment;
use crate::error::QueueError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A running job that is so many leases late has lost its ticket: somebody emptied the stream.
const ORPHANED_AFTER_LEASES: u32 = 10;
/// Markers swept away at once.
const SWEPT_AT_ONCE: usize = 100;

/// When this process last did it.
#[derive(Debug)]
pub(super) struct Mended(AtomicU64);

impl Mended {
    pub(super) fn at(now: Moment) -> Self {
        Self(AtomicU64::new(now.0))
    }

    /// Whether that is a lease ago, or to come by a clock that was set back.
    fn is_due(&self, now: Moment, lease: Duration) -> bool {
        let last = Moment(self.0.load(Ordering::Relaxed));
        now < last || now.since(last) >= lease
    }
}

impl Nats {
    /// As [`Nats::mend`], where nobody of this process has for a lease.
    pub(super) async fn mend_if_due(&self) -> Result<(), QueueError> {
        match self.mended.is_due(self.clock.now(), self.policy.lease) {
            true => self.mend().await,
            false => Ok(()),
        }
    }

    /// Looks for a job whose worker is gone with its ticket, adds the tickets that are missing, and sweeps.
    pub(super) async fn mend(&self) -> Result<(), QueueError> {
        let mut mirror = self.mirror.lock().await;
        self.server.catch_up(&mut mirror).await?;
        let now = self.clock.now();
        self.mended.0.store(now.0, Ordering::Relaxed);
        let long = Moment(0).after(self.policy.lease * ORPHANED_AFTER_LEASES).0;
        if let Some(mut orphan) = mirror.overdue(Moment(now.0.saturating_sub(long))).cloned() {
            orphan.lapse(now, &self.policy);
            // Somebody else may have been quicker; the next look tells.
            self.server.write(&mut mirror, &orphan).await?;
        }
        let wanted = mirror.unfinished();
        for _ in self.server.count_tickets().await?..wanted {
            self.server.ticket().await?;
        }
        for (key, revision) in mirror.old_markers(now, SWEPT_AT_ONCE) {
            self.server.sweep(&key, revision).await?;
            mirror.doubt(&key);
        }
        Ok(())
    }
}
