//! Why a queue did not do what it was asked.

use faults::{Blame, Fault};
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a queue did not do what it was asked. A lease that is lost and a job that is not there are no errors.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// An address that is none.
    #[error(
        "`{0}` is no queue; give the path of a file, or nats://host:4222 with a name after it: nats://host:4222/lessons"
    )]
    Address(String),
    /// A name under which nobody has made one.
    #[error("there is no queue at {0}; give the one that `enqueue` was given, which makes it")]
    Missing(
        /// As given, without a password.
        String,
    ),
    /// The file or its folder refuses.
    #[error("queue {}: {source}; make its folder exist and the file writable for this user", path.display())]
    File {
        /// The database.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no database, or one that is broken.
    #[error("queue {}: {source}; if it is no queue of ours, give another path; if it is, restore or remove it and enqueue again", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What the database said.
        source: Box<redb::Error>,
    },
    /// Somebody holds the lock and does not let go.
    #[error("queue {}: another process has held it for {waited:?}; look for a stopped airclass-ingest", path.display())]
    Busy {
        /// The database.
        path: PathBuf,
        /// How long it was tried.
        waited: Duration,
    },
    /// A server that does not answer, or refuses.
    #[error("queue {address}: cannot {doing}: {source}; see that a NATS server with JetStream runs there")]
    Server {
        /// As given, without a password.
        address: String,
        /// At which step.
        doing: &'static str,
        /// What the client said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The system gives no thread or event queue.
    #[error("the system gives no event queue: {0}; try again")]
    System(io::Error),
    /// Too many jobs wait.
    #[error(
        "the queue holds {0} jobs already; let workers catch up, or take out what was set aside (status --remove)"
    )]
    Full(usize),
    /// Others change the same jobs without end.
    #[error("the queue's jobs change faster than they can be read; try again")]
    Contended,
    /// A job of a later release.
    #[error("the queue holds a job of a later release (format {found}); update this program")]
    Newer {
        /// What the job says.
        found: u64,
    },
    /// A job that cannot be read.
    #[error(
        "the queue holds something that is no job: {0}; give another queue, or take it out with the queue's own tools"
    )]
    Unreadable(serde_json::Error),
}

impl Fault for QueueError {
    fn code(&self) -> &'static str {
        match self {
            Self::Address(_) | Self::Missing(_) => "QUEUE_ADDRESS",
            Self::File { .. } => "QUEUE_FILE",
            Self::Database { .. } => "QUEUE_DATABASE",
            Self::Busy { .. } => "QUEUE_BUSY",
            Self::Server { .. } => "QUEUE_SERVER",
            Self::System(_) => "SYSTEM",
            Self::Full(_) => "QUEUE_FULL",
            Self::Contended => "QUEUE_CONTENDED",
            Self::Newer { .. } => "QUEUE_NEWER",
            Self::Unreadable(_) => "QUEUE_UNREADABLE",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::System(_) | Self::Contended | Self::Busy { .. } => Blame::Ours,
            _ => Blame::Input,
        }
    }
}
