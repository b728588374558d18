//! A process of its own for whatever opens media: confined first, fed one task, listened to, and always reaped.
//!
//! ```text
//! parent                                     worker: `airclass-ingest worker`, this same executable
//! ──────                                     ──────────────────────────────────────────────────────
//! run: start it, source as its input   ───▶  child: close every other descriptor
//!      orders (limits), then the task  ───▶         confine: namespaces, rlimits, Landlock, seccomp
//!      check what holds it             ◀───         what holds
//!      on_frame, on_frame, …           ◀───         work: frames as they are made
//!      End, or a typed fault           ◀───         done
//!      kill on time, flood, nonsense; reap
//! ```
//!
//! The worker is given nothing but the file, opened for reading, and a socket pair to its parent: no path, no
//! environment, no other descriptor. So whatever a file does to FFmpeg, it is done to a process that can compute and
//! answer, and nothing else. [`failure`](WorkerError) lists how that may end.

pub mod attempt;
mod child;
mod confine;
mod failure;
mod limits;
mod process;
mod remote;
mod stillness;
mod syscalls;
mod wire;

pub use child::{Sink, child};
pub use confine::{Confinement, Protection};
pub use failure::{Ending, WorkerError};
pub use limits::Limits;
pub use process::{Program, run_program};
pub use remote::{perform, serve};
pub use wire::{Frame, MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_TASK_BYTES, WireFault};

use crate::cancel::Cancel;
use crate::fault::MediaError;
use std::fs::File;

/// Runs one task in a worker and returns when that has ended well.
///
/// `task` is at most [`MAX_TASK_BYTES`] long, and what it means is between the caller and the `work` given to [`child`].
/// Frames come to `on_frame` in order; its error kills the worker. `source` may be shared: each worker reads it from
/// its own position. Blocks its thread for as long as the worker lives, and the worker dies with that thread.
///
/// # Errors
/// See [`WorkerError`]; [`WorkerError::may_retry`] says whether the same task may be tried again.
pub fn run(
    task: &[u8],
    source: &File,
    limits: &Limits,
    cancel: &Cancel,
    on_frame: &mut dyn FnMut(Frame) -> Result<(), MediaError>,
) -> Result<(), WorkerError> {
    run_program(&Program::own(), task, source, limits, cancel, on_frame).map(|_| ())
}

/// Runs `once`, and if that ended in a way that may have been the machine's fault, once more.
///
/// # Errors
/// The last try's.
pub fn retried(mut once: impl FnMut() -> Result<(), WorkerError>) -> Result<(), MediaError> {
    match once() {
        Err(error) if error.may_retry() => {
            tracing::warn!(%error, "a media worker failed; trying once more");
            once()
        }
        result => result,
    }
    .map_err(MediaError::from)
}
