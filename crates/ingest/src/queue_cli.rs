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
use std::path::{Path, PathBuf};
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
    #[error("there is no queue at {}; give the one that `enqueue` was given, which makes it", .0.display())]
    NoQueue(PathBuf),
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
            Self::NoHome | Self::NoQueue(_) => "QUEUE_ADDRESS",
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

/// The file that `address` names, where there is none.
fn absent(address: &str) -> Option<&Path> {
    let path = match address.split_once("://") {
        None => address,
        Some(("file", path)) => path,
        Some(_) => return None,
    };
    Some(Path::new(path)).filter(|path| !path.exists())
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
    match address {
        Some(address) => {
            let new = absent(address);
            let queue = queue::open(address, policy)?;
            if let Some(path) = new {
                note!("a new queue was made at {}", path.display());
            }
            Ok(queue)
        }
        None => {
            let path = state(DEFAULT_QUEUE)?;
            let text = path.to_str().ok_or_else(|| QueueUsage::Name(path.clone()))?;
            Ok(queue::open(text, policy).map_err(|error: QueueError| error)?)
        }
    }
}
