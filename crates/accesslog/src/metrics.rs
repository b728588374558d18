//! What is counted of the log itself.

use prometheus::{IntCounter, IntGauge};
use telemetry::{Label, Telemetry};

/// Why a line is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The writer was behind, and the queue full.
    Queue,
    /// The disk did not take it.
    Disk,
}

impl Label for Lost {
    const ALL: &'static [Self] = &[Self::Queue, Self::Disk];

    fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Disk => "disk",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pub(crate) lines: IntCounter,
    pub(crate) files: IntCounter,
    pub(crate) removed: IntCounter,
    pub(crate) bytes: IntGauge,
    lost: Vec<IntCounter>,
}

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        Self {
            lines: telemetry.counter("access_log_lines_total", "Answers written down in the access log"),
            files: telemetry
                .counter("access_log_files_total", "Files of the access log turned over, zipped and summed"),
            removed: telemetry
                .counter("access_log_removed_files_total", "Files of the access log removed for their age"),
            bytes: telemetry.gauge("access_log_bytes", "Bytes that the access log's files take"),
            lost: telemetry::counters::<Lost>(
                telemetry,
                "access_log_lost_lines_total",
                "Answers that are missing in the access log, by reason",
                "reason",
            ),
        }
    }

    pub(crate) fn lost(&self, why: Lost, lines: u64) {
        self.lost[why.index()].inc_by(lines);
    }

    #[cfg(test)]
    pub(crate) fn lost_so_far(&self, why: Lost) -> u64 {
        self.lost[why.index()].get()
    }
}
