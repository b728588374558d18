//! `enqueue`, `work`, `watch`, `status`: ingest through a queue (the crate `queue`).
//!
//! ```text
//! enqueue, watch:  file → intake (hash, key) → queue          work:  queue → job::ingest, heard of all the while → queue
//! ```

pub mod enqueue;
mod folder;
mod intake;
mod keeper;
mod lane;
pub mod options;
pub mod status;
pub mod watch;
pub mod work;

use faults::{Fault, note};
use queue::{Policy, Queue, QueueError};
use std::path::PathBuf;
use std::sync::Arc;

/// Where a queue lies when nobody says: below the service's or the user's state folder.
const DEFAULT_QUEUE: &str = "airclass/queue.redb";

/// A command line that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueueUsage {
    #[error("there is no HOME to keep a queue in; give --queue PATH or set AIRCLASS_QUEUE")]
    NoHome,
    #[error("{} has a name that is not Unicode; rename it", .0.display())]
    Name(PathBuf),
    #[error("no job's key begins with `{0}`; `airclass-ingest status` lists them")]
    NoKey(String),
    #[error("several jobs' keys begin with `{0}`; write more of it")]
    ManyKeys(String),
    #[error("the job is {0}; only what does not run can be changed")]
    NotNow(&'static str),
    #[error("{}: {source}; give a folder that can be read", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the system gives no {what}: {source}; try again")]
    System { what: &'static str, source: std::io::Error },
}

impl Fault for QueueUsage {
    fn code(&self) -> &'static str {
        match self {
            Self::NoHome => "QUEUE_ADDRESS",
            Self::Name(_) => "SOURCE_NAME",
            Self::NoKey(_) | Self::ManyKeys(_) | Self::NotNow(_) => "QUEUE_KEY",
            Self::Folder { .. } => "WATCH_FOLDER",
            Self::System { .. } => "SYSTEM",
        }
    }

    fn blame(&self) -> faults::Blame {
        match self {
            Self::System { .. } => faults::Blame::Ours,
            _ => faults::Blame::Input,
        }
    }
}

/// A file of ours in the state folder.
fn state(name: &str) -> Result<PathBuf, QueueUsage> {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = given("STATE_DIRECTORY").or_else(|| given("XDG_STATE_HOME"));
    let folder = folder.or_else(|| given("HOME").map(|home| home.join(".local/state")));
    folder.map(|folder| folder.join(name)).ok_or(QueueUsage::NoHome)
}

/// The queue that was named, or the default one. One that is named and not there is made, and that is told: its name may be
/// mistyped.
fn open(address: Option<&str>, policy: Policy) -> Result<Arc<dyn Queue>, faults::AnyFault> {
    let Some(address) = address else { return Ok(queue::open(&default_queue()?, policy)?) };
    match queue::find(address, policy) {
        Err(QueueError::Missing(shown)) => {
            let queue = queue::open(address, policy)?;
            note!("a new queue was made at {shown}");
            Ok(queue)
        }
        found => Ok(found?),
    }
}

/// The same, without making any.
fn find(address: Option<&str>, policy: Policy) -> Result<Arc<dyn Queue>, faults::AnyFault> {
    Ok(match address {
        Some(address) => queue::find(address, policy)?,
        None => queue::find(&default_queue()?, policy)?,
    })
}

fn default_queue() -> Result<String, QueueUsage> {
    let path = state(DEFAULT_QUEUE)?;
    path.into_os_string().into_string().map_err(|name| QueueUsage::Name(name.into()))
}
