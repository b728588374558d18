//! How much a worker may take.

use crate::ffmpeg::Verbosity;
use std::time::Duration;
use units::ByteCount;

/// Bounds of one worker. The kernel holds the first three inside it, the parent watches the rest from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Writable memory, stacks of threads included (RLIMIT_DATA). Beyond it an allocation fails.
    ///
    /// Default 6 GiB: ten encoders at once, four of them SVT-AV1, whose look-ahead takes most of it.
    pub memory: ByteCount,
    /// Processor time of all threads together (RLIMIT_CPU). Default 12 h: two hours of six busy cores.
    pub cpu: Duration,
    /// Threads (RLIMIT_NPROC; held where the worker gets a user namespace of its own). Default 1,024: ten encoders,
    /// each with its own pool, on a machine of 64 cores.
    pub threads: u32,
    /// From start to end on the clock. Default 2 h.
    pub wall: Duration,
    /// Without a word and without processor time: its threads wait for each other. Default 2 min, more than a disk that is
    /// short of breath needs for a read.
    pub still: Duration,
    /// All that it sends, headers and small frames counted in full. Default 8 GiB: six hours at 3 Mbit/s.
    pub output: ByteCount,
    /// Whether FFmpeg may speak, and the parent repeats it on standard error. Default: silent.
    pub verbosity: Verbosity,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: ByteCount(6 << 30),
            cpu: Duration::from_secs(12 * 3_600),
            threads: 1_024,
            wall: Duration::from_secs(2 * 3_600),
            still: Duration::from_secs(120),
            output: ByteCount(8 << 30),
            verbosity: Verbosity::Silent,
        }
    }
}
