//! Compare and swap: the one step that makes something visible.

use crate::bucket::{self, Bucket};
use crate::directory::lock::{Held, Lock};
use crate::error::StoreError;
use crate::store::{Place, Store, key};
use bytes::Bytes;
use package::{Digest, StorePath};
use std::io;

/// The largest paper that is swapped: the catalogue's version, a pointer, a description.
pub(crate) const MAX_PAPER_BYTES: usize = 16 << 20;

/// What an object was when it was read. Equal versions are equal bytes.
///
/// For a directory it is the content's hash, not the file's stamps: two writes within a tick of the file system's
/// clock look alike to a stamp. For a bucket it is the server's ETag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Content(Digest),
    Tag(String),
}

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
        Self(Kind::Content(Digest::of(bytes)))
    }

    pub(crate) fn tagged(tag: String) -> Self {
        Self(Kind::Tag(tag))
    }

    /// The server's ETag; `None` for the version of a file.
    pub(crate) fn tag(&self) -> Option<&str> {
        match &self.0 {
            Kind::Tag(tag) => Some(tag),
            Kind::Content(_) => None,
        }
    }
}

impl Store {
    /// Puts `new` at `path` if what is there is still `expected` (`None`: nothing). Durable when it returns.
    ///
    /// Of any number of swaps from the same version to different bytes, one is done and the others are told so. Dropping the
    /// future does not stop a swap that has begun.
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
        let swap = tokio::spawn(async move {
            match &store.place {
                Place::Directory(directory) => {
                    let held = directory.lock_exclusive(Lock::Swap).await?;
                    store.swap_held(&held, &path, expected.as_ref(), new).await
                }
                Place::Bucket(bucket) => store.swap_tagged(bucket, &path, expected.as_ref(), new).await,
            }
        });
        swap.await
            .unwrap_or_else(|error| Err(StoreError::write(self.name(), "a pointer", io::Error::other(error))))
    }

    /// Under the lock that everybody takes who swaps.
    async fn swap_held(
        &self,
        _held: &Held,
        path: &StorePath,
        expected: Option<&Version>,
        new: Bytes,
    ) -> Result<Swapped, StoreError> {
        let current = self.get(path, MAX_PAPER_BYTES).await?.map(|found| found.version);
        if current.as_ref() != expected {
            return Ok(Swapped::Conflict(current));
        }
        let version = Version::of(&new);
        self.put(path, new).await?;
        Ok(Swapped::Done(version))
    }

    /// By a put that the server does only if nothing has changed.
    async fn swap_tagged(
        &self,
        bucket: &Bucket,
        path: &StorePath,
        expected: Option<&Version>,
        new: Bytes,
    ) -> Result<Swapped, StoreError> {
        if let Some(version) = bucket.swap(&key(path), expected, new.clone()).await? {
            return Ok(Swapped::Done(version));
        }
        let found = self.get(path, MAX_PAPER_BYTES).await?;
        Ok(bucket::settled(&new, found.map(|found| (found.bytes, found.version))))
    }
}
