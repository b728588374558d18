//! Compare and swap: the one step that makes something visible.

use crate::error::StoreError;
use crate::lock::Lock;
use crate::store::Store;
use bytes::Bytes;
use package::{Digest, StorePath};
use std::io;

/// The largest paper that is swapped: the catalogue's version, a pointer, a description.
pub(crate) const MAX_PAPER_BYTES: usize = 16 << 20;

/// What an object was when it was read. Equal versions are equal bytes.
///
/// For a directory it is the content's hash, not the file's stamps: two writes within a tick of the file system's
/// clock look alike to a stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(Digest);

/// What came of a swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swapped {
    /// The new bytes are there.
    Done(Version),
    /// Somebody was faster; this is what is there now (`None`: nothing). Nothing was written.
    Conflict(Option<Version>),
}

impl Version {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Digest::of(bytes))
    }
}

impl Store {
    /// Puts `new` at `path` if what is there is still `expected` (`None`: nothing). Durable when it returns.
    ///
    /// Of any number of swaps from the same version, one is done and the others are told so. Dropping the future does not
    /// stop a swap that has begun.
    ///
    /// # Errors
    /// When the store cannot be written or its lock is held too long; what was there is then still there.
    pub async fn swap(
        &self,
        path: &StorePath,
        expected: Option<&Version>,
        new: Bytes,
    ) -> Result<Swapped, StoreError> {
        // A task of its own: a caller who goes away must not let go of the lock while the disk is still writing, or the late
        // write would overtake somebody else's swap.
        let (store, path, expected) = (self.clone(), path.clone(), expected.cloned());
        let swap = tokio::spawn(async move { store.swap_alone(&path, expected.as_ref(), new).await });
        swap.await.map_err(|error| self.unwritten("a pointer", io::Error::other(error)))?
    }

    async fn swap_alone(
        &self,
        path: &StorePath,
        expected: Option<&Version>,
        new: Bytes,
    ) -> Result<Swapped, StoreError> {
        let _held = self.lock_exclusive(Lock::Swap).await?;
        let current = self.get(path, MAX_PAPER_BYTES).await?.map(|found| found.version);
        if current.as_ref() != expected {
            return Ok(Swapped::Conflict(current));
        }
        let version = Version::of(&new);
        self.put(path, new).await?;
        Ok(Swapped::Done(version))
    }
}
