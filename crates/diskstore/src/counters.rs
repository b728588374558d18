//! What a disk counts. Read by whoever shows metrics.

use std::sync::atomic::{AtomicU64, Ordering};

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

    pub(crate) fn inc(&self) {
        self.add(1);
    }

    /// Now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
