//! Which of the disks are there, and whether one was away in between.

use super::Disks;
use crate::disk::Disk;
use crate::volume::Volume;
use std::sync::{Arc, Weak};

/// One time that a disk was opened. Equal as long as it has been there since: nothing that was seen on it has come undone.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Never another's address, as it is held.
    volume: Weak<Volume>,
    store: u64,
}

impl Opening {
    /// The name of the store on it, see [`super::Generation::store`].
    pub fn store(&self) -> u64 {
        self.store
    }
}

impl PartialEq for Opening {
    fn eq(&self, other: &Self) -> bool {
        self.volume.ptr_eq(&other.volume)
    }
}

impl Eq for Opening {}

impl Disks {
    /// Each disk as it is there to be read, as they are configured; `None` while it is not.
    pub fn openings(&self) -> Vec<Option<Opening>> {
        self.disks.iter().map(|placed| placed.disk.opening()).collect()
    }
}

impl Disk {
    fn opening(&self) -> Option<Opening> {
        let volume = self.volume().filter(|_| self.is_readable())?;
        Some(Opening { volume: Arc::downgrade(&volume), store: volume.name() })
    }
}
