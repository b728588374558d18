//! What is still to be ingested, and who is at it.
//!
//! ```text
//! add → waiting → running → done
//!         ▲  ▲       │
//!         │  └───────┤ failed, given back, or its worker was not heard of (some tries)
//!         └── retry ─┴─► set aside, with its reason
//! ```
//!
//! | what | where |
//! |---|---|
//! | what is to be done, and what makes two jobs the same | [`job`] |
//! | what may happen to a job; leases, tries, back-off (pure) | [`entry`], [`policy`] |
//! | who is next (pure) | [`order`] |
//! | a database file, shared by the processes of one machine | [`local`] |
//! | NATS JetStream, shared by machines | [`nats`] |
//!
//! Both back-ends store [`Entry`]s and change them by the same functions; they differ in how a change is made one at a
//! time (a lock, or compare-and-swap) and in whose clock ends a lease (this machine's, or the server's).
//!
//! A job runs *at least* once: a worker that loses its lease may still be at work when another begins. Ingest can bear
//! that, since a package is named by its content and publishing twice is publishing once. But a later job of the same lesson
//! may have been done meanwhile: so it asks, by a beat, whether the job is still its own just before the lesson changes.

pub mod clock;
pub mod entry;
pub mod error;
pub mod job;
pub mod local;
pub mod nats;
pub mod order;
pub mod policy;

pub use clock::{Clock, Moment, System};
pub use entry::{Ended, Ending, Entry, LeaseLost, Reason, State};
pub use error::QueueError;
pub use job::{Job, JobKey, Priority};
pub use local::Local;
pub use nats::Nats;
pub use policy::Policy;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Jobs in a queue that are not done. A nation's lessons fit; a runaway script does not.
pub const MAX_JOBS: usize = 100_000;
/// How long it is remembered that a job was done, so that a watched folder does not bring it again.
pub const DONE_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A queue, whichever it is. Every call waits at most for what it names.
pub trait Queue: Send + Sync {
    /// Adds jobs. One that is there already stays as it is, or moves forward when it is now more urgent.
    ///
    /// # Errors
    /// When the queue cannot be reached or is full. Then some of them may have been added; adding again is safe.
    fn add(&self, jobs: &[Job], repeat: Repeat) -> Result<Vec<Added>, QueueError>;

    /// The next job, for `worker` alone. Waits up to `wait` for one; `None` when there was none.
    ///
    /// # Errors
    /// When the queue cannot be reached.
    fn claim(&self, worker: &str, wait: Duration) -> Result<Option<Claim>, QueueError>;

    /// Says that the worker is still at it. To be called every [`Policy::beat_every`].
    ///
    /// # Errors
    /// When the queue cannot be reached. The lease may still hold: try again.
    fn beat(&self, claim: &Claim) -> Result<Hold, QueueError>;

    /// Says how it ended. `Err(LeaseLost)` inside: somebody else has the job, and what was said is not noted.
    ///
    /// # Errors
    /// When the queue cannot be reached. The job then comes back when its lease ends.
    fn end(&self, claim: &Claim, ending: Ending) -> Result<Result<Ended, LeaseLost>, QueueError>;

    /// Every job that is not done, in the order in which they would run; those that run first, those set aside last.
    ///
    /// # Errors
    /// When the queue cannot be reached.
    fn list(&self) -> Result<Vec<Entry>, QueueError>;

    /// Every job that was done in the last [`DONE_KEPT`], oldest first.
    ///
    /// # Errors
    /// When the queue cannot be reached.
    fn done(&self) -> Result<Vec<Entry>, QueueError>;

    /// Lets a job that was set aside run again, its tries forgotten.
    ///
    /// # Errors
    /// When the queue cannot be reached.
    fn retry(&self, key: &JobKey) -> Result<Change, QueueError>;

    /// Takes a job out that is waiting or set aside.
    ///
    /// # Errors
    /// When the queue cannot be reached.
    fn remove(&self, key: &JobKey) -> Result<Change, QueueError>;
}

/// Whether a job that was done may be done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Somebody asked for it by name.
    Allowed,
    /// A watched folder shows the same file again.
    Unwanted,
}

/// What became of a job that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It waits now.
    New,
    /// It waited already and is now more urgent.
    Raised,
    /// It waits already.
    Waiting,
    /// Somebody is at it.
    Running,
    /// It failed before; it stays set aside until somebody lets it run again.
    SetAside(Reason),
    /// It was done, and nobody wants it again.
    Done,
}

/// A job that is this worker's for as long as it is heard of.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The job, as it was when it was claimed.
    pub entry: Entry,
    /// NATS: where to answer for the message that is the lease.
    pub(crate) ticket: Option<String>,
}

/// Whether a worker may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The lease runs anew from now.
    Held,
    /// Somebody else has the job, or it was taken out: stop.
    Lost,
}

/// What became of a wish about one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// As wished.
    Made,
    /// There is no such job.
    Unknown,
    /// Not while it is in this state.
    NotNow(&'static str),
}

/// Opens the queue at `address`: `nats://host:4222/name`, `tls://…`, or the path of a database file, which is made when
/// it is not there.
///
/// # Errors
/// When the address is none, the file cannot be used, or the server cannot be reached.
pub fn open(address: &str, policy: Policy) -> Result<Arc<dyn Queue>, QueueError> {
    Ok(match Kind::of(address)? {
        Kind::File(path) => Arc::new(Local::open(path, policy, Arc::new(System))?),
        Kind::Server(address) => Arc::new(Nats::open(address, policy, Arc::new(System))?),
    })
}

/// The same, of a queue that is there: none is made.
///
/// # Errors
/// As [`open`], and [`QueueError::Missing`].
pub fn find(address: &str, policy: Policy) -> Result<Arc<dyn Queue>, QueueError> {
    match Kind::of(address)? {
        Kind::File(path) if !path.exists() => return Err(QueueError::Missing(path.display().to_string())),
        Kind::Server(address) => Nats::look(address)?,
        Kind::File(_) => {}
    }
    open(address, policy)
}

/// What an address names.
enum Kind<'a> {
    File(&'a Path),
    Server(&'a str),
}

impl<'a> Kind<'a> {
    fn of(address: &'a str) -> Result<Self, QueueError> {
        match address.split_once("://") {
            None => Ok(Self::File(Path::new(address))),
            Some(("file", path)) => Ok(Self::File(Path::new(path))),
            Some(("nats" | "tls", _)) => Ok(Self::Server(address)),
            Some(_) => Err(QueueError::Address(address.to_owned())),
        }
    }
}
