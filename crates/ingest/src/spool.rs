//! Where a package lies while it is being made: the folder `work/<key>` of the store.
//!
//! In the store, because that is where it has room or there is none, and because whoever ingests the same file with the
//! same recipe finds there what others have made: after a crash, beside another worker, on another machine. Nothing
//! below `work/` is served. What a unit made counts once its record is there, which is written last.

use crate::claim::{Claim, Holder, Onlooker, Standing};
use crate::unit::{Record, Unit};
use bytes::Bytes;
use package::ingest::IngestKey;
use package::manifest::{MAX_BUNDLE_BYTES, MAX_OBJECT_BYTES};
use package::{Digest, ObjectPath, StorePath};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use storage::{Staged, Store, StoreError, Swapped, Version};
use tokio::runtime::Runtime;

/// The longest paper read back from a spool: the survey of a six-hour lesson, or the record of a chunk.
const MAX_PAPER_BYTES: usize = 8 << 20;

/// The longest claim read.
const MAX_CLAIM_BYTES: usize = 4 << 10;

/// The folder of one package in the making.
#[derive(Debug)]
pub struct Spool<'a> {
    runtime: &'a Runtime,
    store: &'a Store,
    folder: String,
}

/// A claim of ours.
#[derive(Debug, Clone)]
pub struct Held {
    claim: Claim,
    version: Version,
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

    /// Writes one object of the package. Also where one of its length is there: whoever left it may have been another
    /// processor or release, and what is recorded is what was made now.
    ///
    /// # Errors
    /// When the store is full or broken.
    pub fn write(&self, object: &ObjectPath, bytes: impl Into<Bytes>) -> Result<Written, StoreError> {
        let bytes = bytes.into();
        let written = Written { bytes: bytes.len() as u64, sha256: Digest::of(&bytes) };
        self.runtime.block_on(self.store.put_unsettled(&self.object(object), bytes))?;
        Ok(written)
    }

    /// One object of the package, if it was written.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read_back(&self, object: &ObjectPath) -> Result<Option<Bytes>, StoreError> {
        let limit = usize::try_from(MAX_OBJECT_BYTES).unwrap_or(usize::MAX);
        let found = self.runtime.block_on(self.store.get(&self.object(object), limit))?;
        Ok(found.map(|found| found.bytes))
    }

    /// Reads one object back.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn get(&self, object: &ObjectPath) -> io::Result<Bytes> {
        self.runtime.block_on(self.read(object))
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

    /// Tries to be the one who does `unit`; `Ok(None)`: somebody else is at it.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn claim(
        &self,
        unit: &Unit,
        me: &Holder,
        onlooker: &mut Onlooker,
    ) -> Result<Option<Held>, StoreError> {
        let path = self.claim_path(unit);
        let there = self.runtime.block_on(self.store.get(&path, MAX_CLAIM_BYTES))?;
        let (version, beat) = match there {
            None => (None, 0),
            Some(found) => {
                // One that makes no sense is nobody's.
                let claim = serde_json::from_slice(&found.bytes).unwrap_or(Claim { holder: None, beat: 0 });
                if onlooker.judge(&unit.name(), &claim, me) == Standing::Held {
                    return Ok(None);
                }
                (Some(found.version), claim.beat)
            }
        };
        self.swap_claim(unit, version.as_ref(), Claim { holder: Some(me.clone()), beat: beat + 1 })
    }

    /// Shows that the holder of `held` lives; `None` when the claim was taken over.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn beat(&self, unit: &Unit, held: &Held) -> Result<Option<Held>, StoreError> {
        let claim = Claim { holder: held.claim.holder.clone(), beat: held.claim.beat + 1 };
        self.swap_claim(unit, Some(&held.version), claim)
    }

    /// Lets go of a claim, so that somebody else need not wait until it looks abandoned. Best effort.
    pub fn let_go(&self, unit: &Unit, held: &Held) {
        let claim = Claim { holder: None, beat: held.claim.beat + 1 };
        let _ = self.swap_claim(unit, Some(&held.version), claim);
    }

    fn swap_claim(
        &self,
        unit: &Unit,
        expected: Option<&Version>,
        claim: Claim,
    ) -> Result<Option<Held>, StoreError> {
        let bytes = serde_json::to_vec(&claim).expect("plain structs with string keys");
        let swapped = self
            .runtime
            .block_on(async { self.store.swap(&self.claim_path(unit), expected, bytes.into()).await })?;
        Ok(match swapped {
            Swapped::Done(version) => Some(Held { claim, version }),
            Swapped::Conflict(_) => None,
        })
    }

    fn claim_path(&self, unit: &Unit) -> StorePath {
        self.path(&format!("{}.claim", unit.name()))
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
        let folder = StorePath::parse(&self.folder).expect("a word and digits");
        let _ = self.runtime.block_on(self.store.remove_folder(&folder));
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
        let limit = usize::try_from(MAX_BUNDLE_BYTES).unwrap_or(usize::MAX);
        let found = self.store.get(&self.object(object), limit).await.map_err(io::Error::other)?;
        found.map(|found| found.bytes).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was taken for the same, the record told the sum of what was made now, and every run after that ended with
    /// `PACKAGE_ALTERED`.
    #[test]
    fn what_an_earlier_run_left_does_not_stand_for_what_is_made_now() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_str().unwrap()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let key = IngestKey::of(&Digest::of(b"source"), &Digest::of(b"recipe"), "ffmpeg");
        let spool = Spool::new(&runtime, &store, &key);
        let object = package::layout::report();
        spool.write(&object, "left").unwrap();
        let written = spool.write(&object, "made").unwrap();
        let there = spool.get(&object).unwrap();
        assert_eq!((written.bytes, written.sha256), (there.len() as u64, Digest::of(&there)));
    }
}
