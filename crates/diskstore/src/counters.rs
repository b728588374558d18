//! What a disk counts. Read by whoever shows metrics.

use crate::clock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Since the start of the process.
#[derive(Debug, Default)]
pub struct Counters {
    /// Fronts and blocks read and found whole.
    pub reads: Counter,
    /// Their bytes.
    pub read_bytes: Counter,
    /// Records written.
    pub writes: Counter,
    /// Their bytes.
    pub written_bytes: Counter,
    /// Questions that a reading thread has answered; what the kernel has in memory the cores read themselves.
    pub read_jobs: Counter,
    /// What these took, in microseconds.
    pub read_micros: Counter,
    /// Pieces of work that the writing thread has done.
    pub write_jobs: Counter,
    /// What these took, in microseconds.
    pub write_micros: Counter,
    /// Objects written again because they were popular or pinned when their region was given up.
    pub kept: Counter,
    /// Objects given up with their region.
    pub evictions: Counter,
    /// Fronts or blocks that were not as they had been written. None was given to anybody.
    pub checksum_failures: Counter,
    /// Reads that the system failed.
    pub read_errors: Counter,
    /// Writes and barriers that the system failed.
    pub write_errors: Counter,
    /// Objects not written because the disk was slower than what came, or away.
    pub dropped_writes: Counter,
    /// Look-ups and reads given up because too many were waiting.
    pub dropped_reads: Counter,
    /// Objects that were pinned and had to be given up all the same.
    pub lost_pins: Counter,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Adds the microseconds since `began`.
    pub(crate) fn add_since(&self, began: Instant) {
        let took = clock::now().saturating_duration_since(began);
        self.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn inc(&self) {
        self.add(1);
    }

    /// Now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
