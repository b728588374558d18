//! Who has given an order, and is told what it did.

use super::metrics::PurgeMetrics;
use ::purge::Report;
use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Who waits for an answer.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) answer: oneshot::Sender<Report>,
    /// By the clock of who gave the order.
    pub(super) given_at: Timestamp,
    pub(super) began: Instant,
}

impl Asker {
    /// Tells what an order has done. Who has asked may have gone; it is done all the same.
    pub(super) fn tell(self, mut report: Report, metrics: &PurgeMetrics) {
        report.duration_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        metrics.carried_out(&report, self.given_at);
        tracing::info!(
            id = %report.id,
            mode = report.mode.as_str(),
            memory = report.removed.memory + report.softened.memory,
            disk = report.removed.disk + report.softened.disk,
            disk_objects_left = report.disk_objects_left,
            lasting = report.lasting,
            fills_overtaken = report.fills_overtaken,
            duration_us = report.duration_us,
            "purged"
        );
        let _ = self.answer.send(report);
    }
}
