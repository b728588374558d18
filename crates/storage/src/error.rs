//! Why a store did not do what it was asked.

use faults::{Blame, Fault};
use package::StorePath;
use std::error::Error;
use std::io;
use std::time::Duration;

/// Why a store did not do what it was asked. An object that is not there is no error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A kind of address this release cannot open.
    #[error(
        "`{address}`: {kind} stores are not built in; give a directory, a file:// URL or s3://BUCKET/PREFIX"
    )]
    Unsupported {
        /// As given.
        address: String,
        /// Its scheme.
        kind: String,
    },
    /// An address that is none.
    #[error("`{0}` is no store; give a directory, a file:// URL or s3://BUCKET/PREFIX")]
    Address(String),
    /// The environment says something about a bucket that cannot be.
    #[error("store {store}: {problem}; see the AWS_ variables of this program's environment")]
    Settings {
        /// Its address.
        store: String,
        /// What cannot be.
        problem: String,
    },
    /// No directory there, or no bucket.
    #[error("store {store}: {source}; {}", advice(store, source))]
    NotThere {
        /// Its address.
        store: String,
        /// What the system said.
        source: io::Error,
    },
    /// Writing is refused.
    #[error("cannot write {what} to store {store}: {source}; make it writable for this user")]
    NotWritable {
        /// Its address.
        store: String,
        /// What was to be written.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// No room, or a quota used up.
    #[error("store {store} is full, {what} was not written; make room and run again")]
    Full {
        /// Its address.
        store: String,
        /// What was to be written.
        what: String,
    },
    /// A server that would let two publishers overwrite each other.
    #[error(
        "store {store}: the server {what} on writing (If-Match, If-None-Match), so publishers could overwrite each other; use a server with conditional puts (AWS S3, Ceph, MinIO), or a directory"
    )]
    NoConditionalPut {
        /// Its address.
        store: String,
        /// What it does.
        what: &'static str,
    },
    /// An object is there and cannot be read.
    #[error("cannot read {path} from the store: {source}{}", way_out(source.as_ref()))]
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
    #[error("another program has locked the store for {waited:?}; see which one runs (its lock is {lock})")]
    Busy {
        /// The lock file or object.
        lock: String,
        /// How long we waited.
        waited: Duration,
    },
}

impl Fault for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "STORE_UNSUPPORTED",
            Self::Address(_) => "STORE_ADDRESS",
            Self::Settings { .. } => "STORE_SETTINGS",
            Self::NotThere { .. } => "STORE_NOT_THERE",
            Self::NotWritable { .. } => "STORE_NOT_WRITABLE",
            Self::Full { .. } => "STORE_FULL",
            Self::NoConditionalPut { .. } => "STORE_NO_CONDITIONAL_PUT",
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
    pub(crate) fn write(store: impl ToString, what: impl ToString, source: io::Error) -> Self {
        let (store, what) = (store.to_string(), what.to_string());
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { store, what },
            _ => Self::NotWritable { store, what, source },
        }
    }
}

/// What to do about a store that is not there.
fn advice(store: &str, source: &io::Error) -> &'static str {
    if store.starts_with("s3://") {
        "give the bucket and prefix that ingest publishes to, and see AWS_ENDPOINT_URL and the keys"
    } else if source.kind() == io::ErrorKind::PermissionDenied {
        MAKE_READABLE
    } else {
        "give a directory that exists"
    }
}

/// What to do about an object that is there and cannot be read; nothing where the store itself has said it.
fn way_out(source: &(dyn Error + Send + Sync + 'static)) -> String {
    let kind = source.downcast_ref::<io::Error>().map(io::Error::kind);
    if kind == Some(io::ErrorKind::PermissionDenied) { format!("; {MAKE_READABLE}") } else { String::new() }
}

/// The way out where the system lets this user not see what is there.
const MAKE_READABLE: &str = "make the store and what is in it readable for this user (chmod -R a+rX), or run as the user that owns it";

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
