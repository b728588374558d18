//! Why a node does not come in, or its agent does not start.

use crate::line::Trouble;
use faults::{Blame, Fault};
use std::io;
use std::path::{Path, PathBuf};

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A file of the node's folder.
    #[error("{}: {problem}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The control says no, or nothing.
    #[error("{control}: {trouble}")]
    Control {
        /// Which.
        control: String,
        /// What came of asking.
        trouble: Trouble,
    },
    /// Something that was given.
    #[error("`{key}` {problem}")]
    Value {
        /// Which option.
        key: &'static str,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// Keys and certificates.
    #[error("no key can be made: {0}")]
    Key(String),
    /// The machine.
    #[error("the system gives no runtime or socket: {0}")]
    System(#[from] io::Error),
}

impl AgentError {
    pub(crate) fn file(path: &Path, problem: impl ToString) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }
}

impl Fault for AgentError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "NODE_FILE",
            Self::Control { trouble: Trouble::Refused { .. }, .. } => "NODE_REFUSED",
            Self::Control { trouble: Trouble::Untrusted(_), .. } => "NODE_UNTRUSTED",
            Self::Control { .. } => "NODE_NO_CONTROL",
            Self::Value { .. } => "CONFIG_VALUE",
            Self::Key(_) => "NODE_KEY",
            Self::System(_) => "NODE_SYSTEM",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Key(_) | Self::System(_) => Blame::Ours,
            _ => Blame::Input,
        }
    }
}
