//! The threads that read, and whether they come back.

use super::{Disk, READ_ERRORS, State};
use crate::clock;
use crate::queue::Popped;
use crate::volume::Volume;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A disk whose every reader has been in one read for so long hangs.
const HUNG_AFTER: Duration = Duration::from_secs(3);
/// How long a reader waits at a time; it is woken when something comes.
const IDLE: Duration = Duration::from_secs(3_600);

/// One look-up or read. It answers whoever asked, and tells whether the system failed it.
pub(crate) type ReadJob = Box<dyn FnOnce(&Arc<Volume>) -> Result<(), ()> + Send>;

/// Since when each of some threads has been at work.
#[derive(Debug)]
pub(crate) struct Watch {
    begun: Instant,
    /// Milliseconds after that; 0: idle.
    since: Vec<AtomicU64>,
}

impl Watch {
    pub(crate) fn new(threads: usize) -> Self {
        Self { begun: clock::now(), since: (0..threads).map(|_| AtomicU64::new(0)).collect() }
    }

    fn now(&self) -> u64 {
        u64::try_from(clock::now().duration_since(self.begun).as_millis()).unwrap_or(u64::MAX).max(1)
    }

    pub(crate) fn is_hung(&self) -> bool {
        self.are_busy_for(HUNG_AFTER)
    }

    /// Whether all of them have been busy for longer than this.
    pub(crate) fn are_busy_for(&self, limit: Duration) -> bool {
        let busy = |since: &AtomicU64| match since.load(Ordering::Relaxed) {
            0 => false,
            since => u128::from(self.now().saturating_sub(since)) > limit.as_millis(),
        };
        self.since.iter().all(busy)
    }

    /// Notes that the one at `place` begins.
    pub(crate) fn begins(&self, place: usize) {
        self.since[place].store(self.now(), Ordering::Relaxed);
    }

    /// Notes that it has ended.
    pub(crate) fn ends(&self, place: usize) {
        self.since[place].store(0, Ordering::Relaxed);
    }
}

impl Disk {
    pub(super) fn read_until_closed(&self, place: usize) {
        loop {
            let job = match self.reads.pop(IDLE) {
                Popped::Item(job) => job,
                Popped::Nothing => continue,
                Popped::Closed => return,
            };
            // Dropped unanswered, it tells whoever asked that the disk is away.
            let Some(volume) = self.volume() else { continue };
            self.watch.begins(place);
            // A reader that is gone would leave everybody behind it waiting.
            let began = clock::now();
            // Before whoever asked has the answer.
            self.counters.read_jobs.inc();
            let read = catch_unwind(AssertUnwindSafe(|| job(&volume)));
            self.counters.read_micros.add_since(began);
            self.watch.ends(place);
            match read {
                Ok(Ok(())) => self.failed_reads.store(0, Ordering::Relaxed),
                Ok(Err(())) => self.read_failed(),
                Err(_) => tracing::error!(disk = self.label, "a read panicked; this is a bug"),
            }
        }
    }

    /// Queues a read. `false` when too many are waiting.
    pub(crate) fn read(&self, job: ReadJob) -> bool {
        let queued = self.reads.push(job, 1).is_ok();
        if !queued {
            self.counters.dropped_reads.inc();
        }
        queued
    }

    fn read_failed(&self) {
        let failed = self.failed_reads.fetch_add(1, Ordering::Relaxed) + 1;
        if failed == READ_ERRORS && matches!(self.state(), State::Online | State::ReadOnly) {
            // The writer looks after the rest.
            self.set_state(State::Offline);
            self.writes.nudge();
            tracing::error!(disk = self.label, "reads keep failing; the disk is left alone for a while");
        }
    }
}
