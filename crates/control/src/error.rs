//! Why the control does not start, or cannot go on.

use faults::{Blame, Fault};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A file of the state folder.
    #[error("{}: {problem}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The records do not hold together.
    #[error(
        "{place}: record {number} {error}; bring back the last good copy, and find out who has changed it"
    )]
    Chain {
        /// Which file or stream.
        place: String,
        /// Which record.
        number: u64,
        /// What is wrong with it.
        error: fleet::ChainError,
    },
    /// No address for the store.
    #[error("`store` {0}; give a folder by leaving it out, or nats://HOST[:PORT][,HOST]/NAME")]
    Store(String),
    /// NATS.
    #[error("{address}: cannot {doing}: {problem}; is the server there, with JetStream?")]
    Nats {
        /// Without passwords.
        address: String,
        /// What was to be done.
        doing: &'static str,
        /// What came of it.
        problem: String,
    },
    /// The address is taken.
    #[error("{address}: {source}; choose a free one with --listen")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Certificates.
    #[error("no certificate can be made: {0}")]
    Certificate(String),
    /// The machine.
    #[error("the system gives no runtime or socket: {0}")]
    System(#[from] io::Error),
}

impl ControlError {
    pub(crate) fn file(path: &Path, problem: impl ToString) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }
}

impl Fault for ControlError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "CONTROL_FILE",
            Self::Chain { .. } => "CONTROL_RECORDS",
            Self::Store(_) => "CONTROL_STORE",
            Self::Nats { .. } => "CONTROL_NATS",
            Self::Listen { .. } => "LISTEN_FAILED",
            Self::Certificate(_) => "CONTROL_CERTIFICATE",
            Self::System(_) => "CONTROL_SYSTEM",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Certificate(_) | Self::System(_) => Blame::Ours,
            _ => Blame::Input,
        }
    }
}
