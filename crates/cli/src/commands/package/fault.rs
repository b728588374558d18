//! What can be wrong with a command about packages.

use ::package::PackageId;
use faults::{Blame, Fault};
use std::io;
use std::path::PathBuf;

/// Why a command about packages ends badly.
#[derive(Debug, thiserror::Error)]
pub(super) enum PackageFault {
    #[error("the system gives no event queue: {0}; try again")]
    System(#[source] io::Error),
    #[error("`{0}` is neither a package nor a lesson of this store; `airclass package ls` shows all")]
    Unknown(String),
    #[error("package {package} is not whole: {problem}; ingest its lesson again")]
    NotWhole { package: PackageId, problem: String },
    #[error(
        "{damaged} of {all} packages are damaged or not signed as they should be; the lines above say how, ingest their lessons again"
    )]
    Damaged { damaged: usize, all: usize },
    #[error("cannot read {}: {source}; give a file that is there", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
}

impl Fault for PackageFault {
    fn code(&self) -> &'static str {
        match self {
            Self::System(_) => "SYSTEM",
            Self::Unknown(_) => "PACKAGE_UNKNOWN",
            Self::NotWhole { .. } => "PACKAGE_NOT_WHOLE",
            Self::Damaged { .. } => "PACKAGE_DAMAGED",
            Self::Unreadable { .. } => "TRUST_UNREADABLE",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::System(_) => Blame::Ours,
            _ => Blame::Input,
        }
    }
}
