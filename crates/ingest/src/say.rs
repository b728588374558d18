//! What the program says on standard output and standard error.
//!
//! Neither may end a lesson: whoever asks `airclass-ingest enqueue … | head -1` has seen enough, and a log on a full disk takes no more lines.
//! Output that is lost in another way than by its reader's leaving is a fault at the end, when the work is done.

use faults::{AnyFault, Blame, Fault};
use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// The first thing that could not be written.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// A line on standard output.
macro_rules! say {
    ($($what:tt)*) => { $crate::say::line(format_args!($($what)*)) };
}

/// A line on standard error.
macro_rules! note {
    ($($what:tt)*) => { $crate::say::beside(format_args!($($what)*)) };
}

pub(crate) use {note, say};

#[derive(Debug, thiserror::Error)]
#[error("standard output: {0}; what was asked for is done, its answer is not whole")]
struct OutputFault(&'static io::Error);

impl Fault for OutputFault {
    fn code(&self) -> &'static str {
        "OUTPUT_LOST"
    }

    fn blame(&self) -> Blame {
        Blame::Ours
    }
}

/// Whether all was written that somebody would have read.
///
/// # Errors
/// What the system said to the first line that was lost.
pub fn all() -> Result<(), AnyFault> {
    LOST.get().map_or(Ok(()), |error| Err(OutputFault(error).into()))
}

/// As `say!`.
pub(crate) fn line(what: Arguments<'_>) {
    let mut out = io::stdout().lock();
    let written = out.write_all(format!("{what}\n").as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error);
    }
}

/// As `note!`. Where it cannot be written there is nowhere to say so.
pub(crate) fn beside(what: Arguments<'_>) {
    let _ = io::stderr().lock().write_all(format!("{what}\n").as_bytes());
}
