//! What a process says when it stops: one line, `CODE: what is wrong, what to do`; and what it says before that ([`say`](mod@say)).
//!
//! Exit 0 means done, 1 our fault, 2 the input's fault. A code is stable: scripts and runbooks match on it, so
//! renaming one is a breaking change and goes into the changelog.

mod findings;
pub mod say;

pub use findings::Findings;

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// Who has to act so that the next try succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The file, flag, configuration or address that was given: exit 2.
    Input,
    /// This program or its machine: exit 1.
    Ours,
}

impl Blame {
    /// The exit status that says so.
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Input => 2,
            Self::Ours => 1,
        }
    }
}

/// An error that can end a process. `Display` is "what is wrong, what to do", one line, no code in it.
pub trait Fault: Error {
    /// Stable, upper case, underscores: `SOURCE_TRUNCATED`.
    fn code(&self) -> &'static str;

    /// Who has to act. Most faults are the input's.
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// A fault of any kind on its way to the end of the process.
pub struct AnyFault(Box<dyn Fault + Send + Sync>);

impl AnyFault {
    /// The line for standard error, without a line break. Line breaks inside become spaces: one fault, one line.
    pub fn line(&self) -> String {
        format!("{}: {}", self.0.code(), self.0.to_string().replace(['\n', '\r'], " "))
    }

    /// Prints the line to standard error, if that can be written, and gives the exit status, which then says it alone.
    pub fn report(&self) -> ExitCode {
        let _ = io::stderr().lock().write_all(format!("{}\n", self.line()).as_bytes());
        self.exit_code()
    }

    /// The exit status without the line, for who has no standard error to write to.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.0.blame().exit_status())
    }

    /// The fault's stable code.
    pub fn code(&self) -> &'static str {
        self.0.code()
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        self.0.blame()
    }
}

impl<F: Fault + Send + Sync + 'static> From<F> for AnyFault {
    fn from(fault: F) -> Self {
        Self(Box::new(fault))
    }
}

impl fmt::Display for AnyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line())
    }
}

impl fmt::Debug for AnyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("two\nlines")]
    struct Wordy;

    impl Fault for Wordy {
        fn code(&self) -> &'static str {
            "WORDY"
        }
    }

    #[test]
    fn a_fault_is_one_line_whatever_it_says() {
        let fault = AnyFault::from(Wordy);
        assert_eq!(fault.line(), "WORDY: two lines");
        assert_eq!(fault.blame().exit_status(), 2);
    }
}
