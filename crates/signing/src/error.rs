//! Why a key cannot be used.

use faults::{Blame, Fault};
use std::io;
use std::path::PathBuf;

/// Why a key cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The file cannot be read.
    #[error("cannot read key {}: {source}; give a file that this user may read", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write key {}: {source}; keys are never overwritten, give a new name in a folder that is there", path.display())]
    NotWritten {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No Ed25519 key in it.
    #[error("{} is no Ed25519 private key in PKCS#8 PEM; make one with `airclass package keygen --out FILE`", .0.display())]
    NoKey(PathBuf),
    /// The cryptography library gave no key.
    #[error("the system gives no randomness for a key; try again")]
    NotMade,
}

impl Fault for SigningError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "KEY_UNREADABLE",
            Self::NotWritten { .. } => "KEY_NOT_WRITTEN",
            Self::NoKey(_) => "KEY_INVALID",
            Self::NotMade => "KEY_NOT_MADE",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::NotMade => Blame::Ours,
            _ => Blame::Input,
        }
    }
}
