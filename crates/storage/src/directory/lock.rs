//! Advisory locks on files in the store, so that two writers on one machine or one NFS share take turns.
//!
//! `flock`: the kernel lets go when the holder dies, however it dies, so there is no stale lock to clean up.

use super::{Directory, blocking};
use crate::error::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// How long a lock is waited for. Holders keep it for a read and a rename, or for clearing one package's leftovers.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// How often it is tried.
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// What a lock protects.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lock {
    /// Compare-and-swap of pointers: exclusive for a moment.
    Swap,
    /// Uploads in progress: shared by publishers, exclusive for whoever clears leftovers or removes packages.
    Uploads,
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held(#[expect(dead_code, reason = "closing the file is what unlocks")] File);

#[derive(Debug, Clone, Copy)]
enum Mode {
    Shared,
    Exclusive,
}

impl Directory {
    /// Alone.
    pub(crate) async fn lock_exclusive(&self, lock: Lock) -> Result<Held, StoreError> {
        self.lock(lock, Mode::Exclusive).await
    }

    /// With others.
    pub(crate) async fn lock_shared(&self, lock: Lock) -> Result<Held, StoreError> {
        self.lock(lock, Mode::Shared).await
    }

    /// Alone, or `None` when somebody else holds it.
    pub(crate) async fn try_lock_exclusive(&self, lock: Lock) -> Result<Option<Held>, StoreError> {
        self.try_lock(lock, Mode::Exclusive).await
    }

    async fn lock(&self, lock: Lock, mode: Mode) -> Result<Held, StoreError> {
        let tries = LOCK_WAIT.as_millis() / LOCK_RETRY.as_millis();
        for _ in 0..tries {
            if let Some(held) = self.try_lock(lock, mode).await? {
                return Ok(held);
            }
            tokio::time::sleep(LOCK_RETRY).await;
        }
        Err(StoreError::Busy { lock: self.lock_file(lock).display().to_string(), waited: LOCK_WAIT })
    }

    async fn try_lock(&self, lock: Lock, mode: Mode) -> Result<Option<Held>, StoreError> {
        let path = self.lock_file(lock);
        let tried = blocking(move || try_lock(path, mode)).await;
        tried.map_err(|source| self.unwritten("a lock file", source))
    }

    fn lock_file(&self, lock: Lock) -> PathBuf {
        self.file(match lock {
            Lock::Swap => ".airclass-swap.lock",
            Lock::Uploads => ".airclass-uploads.lock",
        })
    }
}

fn try_lock(path: PathBuf, mode: Mode) -> io::Result<Option<Held>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    let locked = match mode {
        Mode::Shared => file.try_lock_shared(),
        Mode::Exclusive => file.try_lock(),
    };
    match locked {
        Ok(()) => Ok(Some(Held(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
