//! Why a store did not do what it was asked.

use faults::{Blame, Fault};
use package::StorePath;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a store did not do what it was asked. An object that is not there is no error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A kind of address this release cannot open.
    #[error("`{address}`: {kind} stores are not built in yet; give a directory or a file:// URL")]
    Unsupported {
        /// As given.
        address: String,
        /// Its scheme.
        kind: String,
    },
    /// An address that is none.
    #[error("`{0}` is no store; give a directory or a file:// URL")]
    Address(String),
    /// No directory there.
    #[error("store {}: {source}; give a directory that exists", root.display())]
    NotThere {
        /// The directory.
        root: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing is refused.
    #[error("cannot write {what} to store {}: {source}; make it writable for this user", root.display())]
    NotWritable {
        /// The directory.
        root: PathBuf,
        /// What was to be written.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// No room, or a quota used up.
    #[error("store {} is full, {what} was not written; make room and run again", root.display())]
    Full {
        /// The directory.
        root: PathBuf,
        /// What was to be written.
        what: String,
    },
    /// An object is there and cannot be read.
    #[error("cannot read {path} from the store: {source}")]
    Unreadable {
        /// Which.
        path: StorePath,
        /// What the store said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A paper that is larger than any of ours.
    #[error("{path} has {bytes} bytes, more than the {limit} expected there")]
    TooLarge {
        /// Which.
        path: StorePath,
        /// Its length.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// An object became shorter while it was read.
    #[error("{path} ended {missing} bytes early")]
    Truncated {
        /// Which.
        path: StorePath,
        /// What was still to come.
        missing: u64,
    },
    /// Somebody else holds the store's lock for longer than anybody should.
    #[error("another program has locked the store for {waited:?}; see which one runs (lock file {})", lock.display())]
    Busy {
        /// The lock file.
        lock: PathBuf,
        /// How long we waited.
        waited: Duration,
    },
}

impl Fault for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "STORE_UNSUPPORTED",
            Self::Address(_) => "STORE_ADDRESS",
            Self::NotThere { .. } => "STORE_NOT_THERE",
            Self::NotWritable { .. } => "STORE_NOT_WRITABLE",
            Self::Full { .. } => "STORE_FULL",
            Self::Unreadable { .. } => "STORE_UNREADABLE",
            Self::TooLarge { .. } => "STORE_OBJECT_TOO_LARGE",
            Self::Truncated { .. } => "STORE_OBJECT_TRUNCATED",
            Self::Busy { .. } => "STORE_BUSY",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Truncated { .. } | Self::Busy { .. } => Blame::Ours,
            _ => Blame::Input,
        }
    }
}

impl StoreError {
    pub(crate) fn unreadable(path: &StorePath, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Unreadable { path: path.clone(), source: Box::new(source) }
    }

    /// A write that failed: for want of room, or for any other reason.
    pub(crate) fn write(root: PathBuf, what: impl ToString, source: io::Error) -> Self {
        let what = what.to_string();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { root, what },
            _ => Self::NotWritable { root, what, source },
        }
    }
}

/// The system's error inside the store's, kept because its kind decides what to do.
pub(crate) fn io_error(error: object_store::Error) -> io::Error {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<io::Error>() {
            return io
                .raw_os_error()
                .map_or_else(|| io::Error::new(io.kind(), io.to_string()), io::Error::from_raw_os_error);
        }
        cause = current.source();
    }
    io::Error::other(error)
}
