//! What commands say on standard output and standard error.
//!
//! Nobody may be there to read it: who asks `airclass node ls | head` has seen enough, and the command's work is done all the same. Output
//! that cannot be written for another reason (a full disk under `> FILE`) is a fault at the command's end, because a token or a table is lost.

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

/// A line on standard error, beside what the command is asked for.
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
pub(crate) fn all() -> Result<(), AnyFault> {
    LOST.get().map_or(Ok(()), |error| Err(OutputFault(error).into()))
}

/// As `say!`.
pub(crate) fn line(what: Arguments<'_>) {
    text(&format!("{what}\n"));
}

/// Text with its own line breaks, on standard output.
pub(crate) fn text(text: &str) {
    let mut out = io::stdout().lock();
    keep(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Standard output for who writes piece by piece. It takes everything, whether somebody reads it or not: nothing that a
/// command does may end half-way for that.
pub(crate) fn out() -> impl Write {
    Out
}

struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        keep(io::stdout().lock().write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        keep(io::stdout().lock().flush());
        Ok(())
    }
}

/// Remembers what was lost, unless nobody wanted it any more.
fn keep(written: io::Result<()>) {
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
