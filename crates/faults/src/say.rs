//! What programs say on standard output and standard error.
//!
//! Nobody may be there to read it: who asks `airclass node ls | head` has seen enough, and a log on a full disk takes no more lines; the
//! work is done all the same. Output that cannot be written for another reason than its reader's leaving (a full disk under `> FILE`) is a
//! fault at the end, because a token or a table is lost.

use crate::{AnyFault, Blame, Fault};
use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// The first thing that could not be written.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// A line on standard output.
#[macro_export]
macro_rules! say {
    ($($what:tt)*) => { $crate::say::line(format_args!($($what)*)) };
}

/// A line on standard error, beside what the program is asked for.
#[macro_export]
macro_rules! note {
    ($($what:tt)*) => { $crate::say::beside(format_args!($($what)*)) };
}

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
/// What the system said to the first thing that was lost.
pub fn all() -> Result<(), AnyFault> {
    LOST.get().map_or(Ok(()), |error| Err(OutputFault(error).into()))
}

/// As `say!`.
pub fn line(what: Arguments<'_>) {
    text(&format!("{what}\n"));
}

/// Text with its own line breaks, on standard output.
pub fn text(text: &str) {
    let mut out = io::stdout().lock();
    keep(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Standard output for who writes piece by piece. It takes everything, whether somebody reads it or not: nothing that a
/// program does may end half-way for that.
pub fn out() -> impl Write {
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
pub fn beside(what: Arguments<'_>) {
    let _ = io::stderr().lock().write_all(format!("{what}\n").as_bytes());
}
