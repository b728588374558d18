//! How a worker may end other than well.

use super::wire::WireFault;
use crate::fault::{self, MediaError};
use faults::{Blame, Fault};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;
use units::ByteCount;

/// The longest text of a fault that is taken from a worker.
const MAX_TEXT: usize = 600;

/// Why a worker did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// It could not be started.
    #[error("the system starts no media worker: {0}; look at its limits on processes and memory")]
    Start(#[source] io::Error),
    /// A protection that it must not work without does not hold.
    #[error("media workers cannot be confined on this machine ({0}); see `airclass-ingest doctor`")]
    Unconfined(String),
    /// It ended without saying that it is done: a crash, or somebody killed it.
    #[error("the media worker died ({ending}){}; export the file again as MP4, or report it", last_words(.said))]
    Died {
        /// By what.
        ending: Ending,
        /// Its last words.
        said: String,
        /// It left an image of its memory.
        image: bool,
    },
    /// It did not come to an end.
    #[error("the media worker was not done after {}; export the file again as MP4, or report it", seconds(.0))]
    Hung(Duration),
    /// It stood still: no word of it, and no processor time used.
    #[error("the media worker has done nothing for {}; export the file again as MP4, or report it", seconds(.0))]
    Still(Duration),
    /// It sent more than any lesson can.
    #[error("the media worker sent more than {0}; export the file again as MP4, or report it")]
    Flooded(ByteCount),
    /// What it sent cannot be read.
    #[error("the media worker sent {0}; export the file again as MP4, or report it")]
    Garbled(WireFault),
    /// The work itself ended with a fault.
    #[error(transparent)]
    Refused(MediaError),
    /// Whoever took its frames did not want them.
    #[error(transparent)]
    Sink(MediaError),
    /// Somebody stopped it.
    #[error("stopped")]
    Stopped,
}

impl WorkerError {
    /// Whether another try of the same task may end better: what kills a worker once may have been the machine.
    pub fn may_retry(&self) -> bool {
        match self {
            Self::Start(_)
            | Self::Died { .. }
            | Self::Hung(_)
            | Self::Still(_)
            | Self::Flooded(_)
            | Self::Garbled(_) => true,
            Self::Unconfined(_) | Self::Refused(_) | Self::Sink(_) | Self::Stopped => false,
        }
    }
}

impl Fault for WorkerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Start(_) => "WORKER_START",
            Self::Unconfined(_) => "WORKER_UNCONFINED",
            Self::Died { .. } => "WORKER_DIED",
            Self::Hung(_) | Self::Still(_) => "WORKER_HUNG",
            Self::Flooded(_) => "WORKER_FLOODED",
            Self::Garbled(_) => "WORKER_GARBLED",
            Self::Refused(error) | Self::Sink(error) => error.code(),
            Self::Stopped => "INTERRUPTED",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Start(_) | Self::Unconfined(_) | Self::Stopped => Blame::Ours,
            // A file that brings down its worker, twice, is for its sender to export anew: nobody here can mend it.
            Self::Died { .. } | Self::Hung(_) | Self::Still(_) | Self::Flooded(_) | Self::Garbled(_) => {
                Blame::Input
            }
            Self::Refused(error) | Self::Sink(error) => error.blame(),
        }
    }
}

impl From<WorkerError> for MediaError {
    fn from(error: WorkerError) -> Self {
        match error {
            WorkerError::Refused(error) | WorkerError::Sink(error) => error,
            WorkerError::Stopped => Self::Stopped,
            other => Self::Worker { code: other.code(), blame: other.blame(), text: other.to_string() },
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this status.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

impl Ending {
    pub(super) fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exit(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match *self {
            Self::Exit(code) => return write!(f, "exit status {code}"),
            Self::Signal(libc::SIGSYS) => "SIGSYS: it asked for what media never needs",
            Self::Signal(libc::SIGSEGV) => "SIGSEGV",
            Self::Signal(libc::SIGBUS) => "SIGBUS",
            Self::Signal(libc::SIGABRT) => "SIGABRT",
            Self::Signal(libc::SIGILL) => "SIGILL",
            Self::Signal(libc::SIGFPE) => "SIGFPE",
            Self::Signal(libc::SIGKILL) => "SIGKILL: by somebody, or for want of memory",
            Self::Signal(libc::SIGXCPU) => "SIGXCPU: out of processor time",
            Self::Signal(number) => return write!(f, "signal {number}"),
        };
        f.write_str(meaning)
    }
}

/// A fault on its way from the worker to the parent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    code: String,
    ours: bool,
    text: String,
}

impl Told {
    pub(super) fn of(error: &MediaError) -> Self {
        Self { code: error.code().to_owned(), ours: error.blame() == Blame::Ours, text: error.to_string() }
    }

    /// The same fault here. Codes are of a closed list and texts are one short line, whatever arrived.
    pub(super) fn into_error(self) -> MediaError {
        let blame = if self.ours { Blame::Ours } else { Blame::Input };
        let text = one_line(&self.text, MAX_TEXT);
        match fault::known_code(&self.code) {
            Some(code) => MediaError::Worker { code, blame, text },
            None => MediaError::Worker { code: "MEDIA_WORKER", blame: Blame::Ours, text },
        }
    }
}

/// `text` without control characters (a terminal would obey them), at most `most` bytes.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if line.len() + character.len_utf8() > most {
            line.push('…');
            break;
        }
        line.push(if character.is_control() { ' ' } else { character });
    }
    line
}

fn last_words(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(" after saying: {said}") }
}

fn seconds(limit: &Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::SourceFault;

    #[test]
    fn a_fault_crosses_as_it_is() {
        let sent = MediaError::Source(SourceFault::NoVideo);
        let wire = serde_json::to_vec(&Told::of(&sent)).unwrap();
        let told: Told = serde_json::from_slice(&wire).unwrap();
        let got = told.into_error();
        assert_eq!((got.code(), got.blame(), got.to_string()), (sent.code(), sent.blame(), sent.to_string()));
    }

    #[test]
    fn what_a_captured_worker_says_is_not_believed() {
        let told =
            |code: &str, text: &str| Told { code: code.to_owned(), ours: false, text: text.to_owned() };
        let got = told("EVIL\x1b[2J", "x").into_error();
        assert_eq!((got.code(), got.blame()), ("MEDIA_WORKER", Blame::Ours));
        let got = told("SOURCE_EMPTY", &"\x1b]0;\n界".repeat(1_000)).into_error().to_string();
        assert!(got.len() <= MAX_TEXT + 3 && !got.chars().any(char::is_control), "{got}");
    }

    #[test]
    fn endings_are_told_in_words() {
        let died = |ending, said: &str| {
            WorkerError::Died { ending, said: said.to_owned(), image: false }.to_string()
        };
        assert!(died(Ending::Exit(101), "panicked").contains("(exit status 101) after saying: panicked"));
        assert!(died(Ending::Signal(libc::SIGSEGV), "").contains("(SIGSEGV);"));
    }
}
