//! Where records, bodies and reports are: a folder on one machine, or NATS JetStream for any number of controls.
//!
//! Records are appended by compare-and-swap on their number: of two controls that decide at the same time one is told to
//! look again. So a token is used once, wherever it is shown.

mod files;
mod nats;

use crate::error::ControlError;
use bytes::Bytes;
use files::Files;
use fleet::NodeName;
use nats::Nats;
use package::Digest;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The store gives no answer, and why; it may come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Away(pub(crate) String);

/// What came of appending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is there, and will be.
    Written,
    /// Another record has that number.
    Taken,
}

/// A report as another control was given it.
pub(crate) struct Heard {
    /// Its place among all reports.
    pub(crate) position: u64,
    /// Of which node.
    pub(crate) node: NodeName,
    /// What it said.
    pub(crate) report: Bytes,
}

/// The store.
#[derive(Clone)]
pub(crate) enum Store {
    Files(Arc<Files>),
    Nats(Arc<Nats>),
}

impl Store {
    /// Opens the one at `address`, or the folder `state`.
    pub(crate) async fn open(address: Option<&str>, state: &Path) -> Result<Self, ControlError> {
        match address {
            None => Ok(Self::Files(Arc::new(Files::open(state)?))),
            Some(address) => Ok(Self::Nats(Arc::new(Nats::open(address).await?))),
        }
    }

    /// For people: which one it is.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Files(files) => files.place(),
            Self::Nats(nats) => nats.place(),
        }
    }

    /// Whether others write to it, too.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Nats(_))
    }

    /// Appends the record `number`.
    pub(crate) async fn append(&self, number: u64, line: Vec<u8>) -> Result<Appended, Away> {
        match self {
            Self::Files(files) => beside(files, move |files| files.append(number, &line)).await,
            Self::Nats(nats) => nats.append(number, line).await,
        }
    }

    /// The records after `number`.
    pub(crate) async fn read_after(&self, number: u64) -> Result<Vec<Bytes>, Away> {
        match self {
            Self::Files(files) => beside(files, move |files| files.read_after(number)).await,
            Self::Nats(nats) => nats.read_after(number).await,
        }
    }

    /// Keeps a body under its digest. `lasting` does not go for its sake, nor for that of others: a shared store, which lets go what is
    /// old, has to be given it anew.
    pub(crate) async fn keep_body(
        &self,
        digest: Digest,
        body: Bytes,
        lasting: BTreeSet<Digest>,
    ) -> Result<(), Away> {
        match self {
            Self::Files(files) => beside(files, move |files| files.keep_body(digest, &body, &lasting)).await,
            Self::Nats(nats) => nats.keep_body(digest, body).await,
        }
    }

    /// The body with this digest.
    pub(crate) async fn body(&self, digest: Digest) -> Result<Option<Bytes>, Away> {
        let found = match self {
            Self::Files(files) => beside(files, move |files| files.body(digest)).await,
            Self::Nats(nats) => nats.body(digest).await,
        };
        Ok(found?.filter(|body| Digest::of(body) == digest))
    }

    /// Tells other controls what a node has said.
    pub(crate) async fn tell(&self, node: &NodeName, report: Bytes) -> Result<(), Away> {
        match self {
            Self::Files(_) => Ok(()),
            Self::Nats(nats) => nats.tell(node, report).await,
        }
    }

    /// What nodes have told any control since `position`.
    pub(crate) async fn reports_after(&self, position: u64) -> Result<Vec<Heard>, Away> {
        match self {
            Self::Files(_) => Ok(Vec::new()),
            Self::Nats(nats) => nats.reports_after(position).await,
        }
    }
}

/// Has a thread that may wait for disks do `work`.
async fn beside<T: Send + 'static>(
    files: &Arc<Files>,
    work: impl FnOnce(&Files) -> std::io::Result<T> + Send + 'static,
) -> Result<T, Away> {
    let files = Arc::clone(files);
    let done = tokio::task::spawn_blocking(move || work(&files)).await;
    done.map_err(|error| Away(error.to_string()))?.map_err(|error| Away(error.to_string()))
}
