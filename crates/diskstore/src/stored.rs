//! An object that was found on a disk, and reading it.

use crate::disk::Disk;
use crate::disks::Generation;
use crate::volume::{Located, ReadError, Reading, Volume};
use bytes::Bytes;
use std::sync::{Arc, Weak};
use tokio::sync::oneshot;

/// An object on a disk, as it stood when it was looked up.
#[derive(Debug, Clone)]
pub struct Stored {
    pub(crate) disk: Arc<Disk>,
    pub(crate) volume: Weak<Volume>,
    pub(crate) located: Arc<Located>,
    /// While it is there the disk is not let go.
    pub(crate) _in_use: Arc<()>,
}

impl Stored {
    /// The caller's own words about it.
    pub fn head(&self) -> &Bytes {
        &self.located.front.head
    }

    /// Bytes of the whole body, where known.
    pub fn length(&self) -> Option<u64> {
        self.located.front.total
    }

    /// Whether it is what a look-up would find now. Asks the index alone; where the disk has moved it, it is not.
    pub fn is_current(&self) -> bool {
        self.volume.upgrade().is_some_and(|volume| volume.is_current(&self.located))
            && !self.disk.is_hidden(&self.located.front.key)
    }

    /// Which version it is.
    pub fn generation(&self) -> Option<Generation> {
        let store = self.volume.upgrade()?.name();
        Some(Generation { store, number: self.located.front.generation })
    }

    /// Numbers of the blocks that are there, ascending.
    pub fn blocks(&self) -> Vec<u32> {
        let Some(volume) = self.volume.upgrade() else { return Vec::new() };
        let front = &self.located.front;
        let numbers = front.table.iter().map(|entry| entry.number);
        numbers.filter(|&number| volume.has_block(front, number)).collect()
    }

    /// Reads a block that the system has in memory, at once. Takes as long as to copy it and to verify it.
    ///
    /// # Errors
    /// See [`ReadError`]; [`ReadError::NotAtHand`] where it is a matter of waiting, which is what [`Stored::read`] does.
    pub fn read_at_hand(&self, number: u32) -> Result<Bytes, ReadError> {
        let volume = self.volume.upgrade().ok_or(ReadError::Offline)?;
        let read = volume.read_block(&self.located, number, Reading::AtHand);
        if matches!(read, Err(ReadError::Damaged)) {
            self.disk.bury(self.located.front.key.clone());
        }
        read
    }

    /// Reads blocks, one behind the other; every byte of them is as it was put.
    ///
    /// # Errors
    /// See [`ReadError`]; a block that cannot be read fails them all.
    pub async fn read(&self, numbers: Vec<u32>) -> Result<Vec<Bytes>, ReadError> {
        let (answer, answered) = oneshot::channel();
        let (located, then) = (Arc::clone(&self.located), self.volume.clone());
        let disk = Arc::clone(&self.disk);
        let queued = self.disk.read(Box::new(move |volume| {
            // The disk may have been away since, and another store be there.
            if !std::ptr::eq(Arc::as_ptr(volume), then.as_ptr()) {
                let _ = answer.send(Err(ReadError::Offline));
                return Ok(());
            }
            let read: Result<Vec<Bytes>, _> =
                numbers.iter().map(|&number| volume.read_block(&located, number, Reading::Waits)).collect();
            if matches!(read, Err(ReadError::Damaged)) {
                disk.bury(located.front.key.clone());
            }
            let failed = matches!(read, Err(ReadError::Io(_)));
            let _ = answer.send(read);
            if failed { Err(()) } else { Ok(()) }
        }));
        if !queued {
            return Err(ReadError::Busy);
        }
        answered.await.unwrap_or(Err(ReadError::Offline))
    }
}
