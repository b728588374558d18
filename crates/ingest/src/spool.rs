//! Where a package lies while it is being made: a hidden folder in the store's own directory.
//!
//! There, because it is on the same disk, has room or the store has none, and cannot be served: no object path starts
//! with a dot. Each folder is locked by the process that fills it; what a killed one left is unlocked, and the next
//! ingest clears it away.

use package::{Digest, ObjectPath};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder of all spools, in the store's directory.
const SPOOLS: &str = ".ingest";
/// The lock in each spool.
const LOCK: &str = ".lock";

/// A folder laid out like the package in the making. Removed when dropped.
#[derive(Debug)]
pub struct Spool {
    root: PathBuf,
    /// Held for as long as the spool is in use; the system lets go of it when the process ends, however.
    _lock: File,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Length.
    pub bytes: u64,
    /// Of the whole object.
    pub sha256: Digest,
}

impl Spool {
    /// A new spool in the directory `store`; what dead processes left there is removed first.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn create(store: &Path) -> io::Result<Self> {
        let spools = store.join(SPOOLS);
        fs::create_dir_all(&spools)?;
        sweep(&spools);
        for attempt in 0..u32::MAX {
            let root = spools.join(format!("{}-{attempt}", std::process::id()));
            match fs::create_dir(&root) {
                Ok(()) => {
                    let lock = File::create(root.join(LOCK))?;
                    lock.lock()?;
                    return Ok(Self { root, _lock: lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Writes one object.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub fn write(&self, object: &ObjectPath, bytes: &[u8]) -> io::Result<Written> {
        let path = self.root.join(object.as_str());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        File::create(path)?.write_all(bytes)?;
        Ok(Written { bytes: bytes.len() as u64, sha256: Digest::of(bytes) })
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // A folder that cannot be removed now is removed by the next ingest.
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Removes spools nobody holds. Best effort: another ingest may be doing the same.
fn sweep(spools: &Path) {
    let Ok(entries) = fs::read_dir(spools) else { return };
    for entry in entries.flatten() {
        let held = match File::open(entry.path().join(LOCK)) {
            Ok(lock) => match lock.try_lock() {
                Err(TryLockError::WouldBlock) => true,
                Ok(()) | Err(TryLockError::Error(_)) => false,
            },
            // Just made and not locked yet, or without a lock since its removal was interrupted: by its owner's life.
            Err(_) => owner(&entry.path()).is_some_and(is_alive),
        };
        if !held {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn owner(spool: &Path) -> Option<u32> {
    spool.file_name()?.to_str()?.split_once('-')?.0.parse().ok()
}

fn is_alive(process: u32) -> bool {
    Path::new("/proc").join(process.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_in_use_is_left_alone_and_a_dead_ones_is_not() {
        let store = tempfile::tempdir().unwrap();
        let dead = store.path().join(SPOOLS).join("4194305-0");
        fs::create_dir_all(dead.join("s0")).unwrap();
        fs::write(dead.join(LOCK), b"").unwrap();
        let first = Spool::create(store.path()).unwrap();
        assert!(!dead.exists());
        let object = package::Rendition::Video(package::Slot::S0).init();
        assert_eq!(first.write(&object, b"abc").unwrap().sha256, Digest::of(b"abc"));
        let second = Spool::create(store.path()).unwrap();
        assert!(first.path().join("s0/init.mp4").exists());
        let gone = first.path().to_owned();
        drop(first);
        assert!(!gone.exists() && second.path().exists());
    }
}
