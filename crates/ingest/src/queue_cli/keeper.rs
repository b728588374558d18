//! While a job runs: says so to the queue, and stops it when it is another's.

use crate::cancel::Cancel;
use queue::{Claim, Hold, Queue};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::clock::Stopwatch;

/// How soon a stop of the process reaches the job.
const TICK: Duration = Duration::from_millis(100);

/// Runs `work` under the lease. `work` gets a flag that is set when the process is to stop or the lease is lost; true
/// beside its result when it was lost.
pub(super) fn keep<T>(
    queue: &dyn Queue,
    claim: &Claim,
    every: Duration,
    stop: &Cancel,
    work: impl FnOnce(&Cancel) -> T,
) -> (T, bool) {
    let job = Cancel::new();
    let lost = AtomicBool::new(false);
    let (ended, end) = sync_channel::<()>(0);
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            let end = end;
            let mut since = Stopwatch::start();
            while end.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                if stop.is_stopped() {
                    job.stop();
                }
                if since.elapsed() < every {
                    continue;
                }
                since = Stopwatch::start();
                // A queue that does not answer may do so in time for the next beat; nobody else has the job till then.
                if let Ok(Hold::Lost) = queue.beat(claim) {
                    lost.store(true, Ordering::Relaxed);
                    job.stop();
                }
            }
        });
        let result = work(&job);
        drop(ended);
        result
    });
    (result, lost.into_inner())
}
