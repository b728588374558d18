//! Where a package lies while it is being made: the folder `work/<key>` of the store.
//!
//! In the store, because that is where it has room or there is none, and because whoever ingests the same file with the
//! same recipe finds there what others have made: after a crash, beside another worker, on another machine. Nothing
//! below `work/` is served. What a unit made counts once its record is there, which is written last.

use crate::unit::{Record, Unit};
use bytes::Bytes;
use package::ingest::IngestKey;
use package::manifest::MAX_OBJECT_BYTES;
use package::{Digest, ObjectPath, StorePath};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use storage::{Staged, Store, StoreError};
use tokio::runtime::Runtime;

/// The longest paper read back from a spool: the survey of a six-hour lesson, or the record of a chunk.
const MAX_PAPER_BYTES: usize = 8 << 20;

/// The folder of one package in the making.
#[derive(Debug)]
pub struct Spool<'a> {
    runtime: &'a Runtime,
    store: &'a Store,
    folder: String,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Length.
    pub bytes: u64,
    /// Of the whole object.
    pub sha256: Digest,
}

impl<'a> Spool<'a> {
    /// That of the package that `key` will become.
    pub fn new(runtime: &'a Runtime, store: &'a Store, key: &IngestKey) -> Self {
        Self { runtime, store, folder: format!("work/{}", key.short()) }
    }

    /// Writes one object of the package.
    ///
    /// # Errors
    /// When the store is full or broken.
    pub fn write(&self, object: &ObjectPath, bytes: impl Into<Bytes>) -> Result<Written, StoreError> {
        let bytes = bytes.into();
        let written = Written { bytes: bytes.len() as u64, sha256: Digest::of(&bytes) };
        self.runtime.block_on(self.store.put_immutable(&self.object(object), bytes))?;
        Ok(written)
    }

    /// What `unit` made, if it is done.
    ///
    /// # Errors
    /// When the store cannot say.
    pub fn record(&self, unit: &Unit) -> Result<Option<Record>, StoreError> {
        self.paper(&unit.name())
    }

    /// `unit` is done: all it wrote is durable, and from now on it counts.
    ///
    /// # Errors
    /// When the store is full or broken.
    pub fn done(&self, unit: &Unit, record: &Record) -> Result<(), StoreError> {
        self.runtime.block_on(self.store.settle())?;
        self.keep(&unit.name(), record)
    }

    /// A paper kept under `name`; `None` when there is none, or none that makes sense: then it is made anew.
    ///
    /// # Errors
    /// When the store cannot say.
    pub fn paper<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let found = self.runtime.block_on(self.store.get(&self.path(name), MAX_PAPER_BYTES))?;
        Ok(found.and_then(|found| serde_json::from_slice(&found.bytes).ok()))
    }

    /// Keeps a paper under `name`.
    ///
    /// # Errors
    /// When the store is full or broken.
    pub fn keep<T: Serialize>(&self, name: &str, paper: &T) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(paper).expect("plain structs with string keys");
        self.runtime.block_on(self.store.put(&self.path(name), bytes.into()))
    }

    /// Removes it: the package is published.
    pub fn clear(self) {
        // What cannot be removed now is swept when it is old.
        let _ = std::fs::remove_dir_all(self.store.root().join(&self.folder));
        let _ = std::fs::remove_dir(self.store.root().join("work"));
    }

    fn object(&self, object: &ObjectPath) -> StorePath {
        self.known(&format!("o/{object}"))
    }

    fn path(&self, name: &str) -> StorePath {
        self.known(&format!("{name}.json"))
    }

    fn known(&self, path: &str) -> StorePath {
        StorePath::parse(&format!("{}/{path}", self.folder)).expect("digits, names of units and object paths")
    }
}

impl Staged for Spool<'_> {
    async fn read(&self, object: &ObjectPath) -> io::Result<Bytes> {
        let limit = usize::try_from(MAX_OBJECT_BYTES).unwrap_or(usize::MAX);
        let found = self.store.get(&self.object(object), limit).await.map_err(io::Error::other)?;
        found.map(|found| found.bytes).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
