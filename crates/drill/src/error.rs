//! Why a drill does not begin, or ends badly.

use faults::{Blame, Fault};
use std::io;
use std::path::PathBuf;

/// Why a drill does not begin, or ends badly.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// A node cannot be drilled.
    #[error("{node}: {problem}; give a --node that this machine can reach by name")]
    Node {
        /// As it was given.
        node: String,
        /// What the system said.
        problem: String,
    },
    /// Nobody can be believed.
    #[error(
        "{problem}; give --ca with a PEM file, or --insecure for a drill before the certificates are there"
    )]
    Certificates {
        /// What is wrong with them.
        problem: String,
    },
    /// Options that do not go together.
    #[error("{option}: {problem}")]
    Option {
        /// As it is typed.
        option: &'static str,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// So many players need more than this process may open.
    #[error(
        "{players} players at the same time need {needed} descriptors, and this process may open {allowed}; \
         run `ulimit -n {needed}` first (as root or with the limit raised), or use fewer --players"
    )]
    Descriptors {
        /// At the same time.
        players: u64,
        /// With what else is open.
        needed: u64,
        /// RLIMIT_NOFILE, the hard limit.
        allowed: u64,
    },
    /// Assumptions that cannot be read.
    #[error(transparent)]
    Assumptions(#[from] settings::SettingsError),
    /// A plan that cannot be read.
    #[error("{}: {problem}", path.display())]
    Plan {
        /// As given.
        path: PathBuf,
        /// What is wrong there, and what to do.
        problem: String,
    },
    /// The drill went through, and not well enough.
    #[error("{}", missed.join("; "))]
    Missed {
        /// Each bar that was missed, and by what.
        missed: Vec<String>,
    },
    /// A report cannot be written.
    #[error("{}: {source}; give a path that can be written", path.display())]
    Write {
        /// As given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no threads, or takes no output.
    #[error("the system gives no threads or takes no output: {0}")]
    System(#[from] io::Error),
}

impl Fault for DrillError {
    fn code(&self) -> &'static str {
        match self {
            Self::Node { .. } => "DRILL_NODE",
            Self::Certificates { .. } => "DRILL_CERTIFICATES",
            Self::Option { .. } => "DRILL_OPTION",
            Self::Assumptions(error) => error.code(),
            Self::Plan { .. } => "DRILL_PLAN",
            Self::Descriptors { .. } => "DRILL_DESCRIPTORS",
            Self::Missed { .. } => "DRILL_MISSED",
            Self::Write { .. } => "DRILL_NOT_WRITTEN",
            Self::System(_) => "DRILL_SYSTEM",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Missed { .. } | Self::System(_) | Self::Descriptors { .. } => Blame::Ours,
            _ => Blame::Input,
        }
    }
}
