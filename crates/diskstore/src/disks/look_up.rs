//! Finding an object on the disks.

use super::{Disks, Placed};
use crate::disk::Disk;
use crate::stored::Stored;
use crate::volume::{Located, ReadError, Reading, Volume};
use bytes::Bytes;
use std::sync::{Arc, Weak};
use tokio::sync::oneshot;

/// How often a look-up looks again when what it has read is not there any more.
const MAX_LOOKS: usize = 4;

impl Disks {
    /// Whether every disk is there and can be read.
    pub fn are_readable(&self) -> bool {
        self.disks.iter().all(|placed| placed.disk.is_readable())
    }

    /// Whether [`Disks::look_up`] is worth while: something seems to be under `key`, or its disk is opening and does not say yet.
    pub fn is_worth_asking(&self, key: &[u8]) -> bool {
        self.asked(key).is_some_and(|disk| disk.is_opening() && !disk.is_hidden(key)) || self.may_hold(key)
    }

    /// The disk that is asked for `key`.
    fn asked(&self, key: &[u8]) -> Option<&Arc<Disk>> {
        self.ranked(key).into_iter().find(|disk| disk.is_readable() || disk.is_opening())
    }

    /// Whether something seems to be under `key`. Costs no reading; only [`Disks::look_up`] tells for certain.
    pub fn may_hold(&self, key: &[u8]) -> bool {
        let disk = self.ranked(key).into_iter().find(|disk| disk.is_readable());
        disk.is_some_and(|disk| {
            disk.volume().is_some_and(|volume| volume.may_hold(key)) && !disk.is_hidden(key)
        })
    }

    /// On how many disks something seems to be under `key`, whichever of them is asked for it. Costs no reading.
    pub fn holding(&self, key: &[u8]) -> usize {
        let holds = |placed: &&Placed| {
            placed.disk.volume().is_some_and(|volume| volume.may_hold(key)) && !placed.disk.is_hidden(key)
        };
        self.disks.iter().filter(holds).count()
    }

    /// What is stored under `key`. `None` is a miss, also when the disk is away, damaged or too busy. Costs a thread's turn
    /// only where something seems to be there that the system has not in memory.
    ///
    /// The caller bounds the wait: a disk may hang, and one that is opening is waited for.
    pub async fn look_up(&self, key: &[u8]) -> Option<Stored> {
        let disk = loop {
            let disk = Arc::clone(self.asked(key)?);
            if disk.is_readable() {
                break disk;
            }
            disk.until_open().await;
        };
        for _ in 0..MAX_LOOKS {
            let stored = find(&disk, key).await?;
            // It may have been removed while it was read, and that be written down by now; or replaced or moved.
            if stored.is_current() {
                return Some(stored);
            }
        }
        None
    }
}

async fn find(disk: &Arc<Disk>, key: &[u8]) -> Option<Stored> {
    let volume = disk.volume()?;
    if !volume.may_hold(key) || disk.is_hidden(key) {
        return None;
    }
    let located = match volume.look_up(key, Reading::AtHand) {
        Err(_) => {
            drop(volume);
            look_up_by_thread(disk, Bytes::copy_from_slice(key)).await?
        }
        found => (looked_up(disk, &volume, key, found).ok()??, Arc::downgrade(&volume)),
    };
    let (located, volume) = located;
    Some(Stored { _in_use: disk.use_it(), disk: Arc::clone(disk), volume, located: Arc::new(located) })
}

async fn look_up_by_thread(disk: &Arc<Disk>, key: Bytes) -> Option<(Located, Weak<Volume>)> {
    let (answer, answered) = oneshot::channel();
    let asked = Arc::clone(disk);
    let queued = disk.read(Box::new(move |volume| {
        let found = looked_up(&asked, volume, &key, volume.look_up(&key, Reading::Waits));
        let failed = found.is_err();
        // Whoever asked may be gone.
        let _ = answer.send(found.ok().flatten().map(|located| (located, Arc::downgrade(volume))));
        if failed { Err(()) } else { Ok(()) }
    }));
    if queued { answered.await.ok()? } else { None }
}

/// What a look-up has found, less what was damaged: that must not come back at the next start.
fn looked_up(
    disk: &Disk,
    volume: &Volume,
    key: &[u8],
    found: Result<Option<Located>, ReadError>,
) -> Result<Option<Located>, ReadError> {
    if matches!(found, Ok(None)) && !volume.may_hold(key) {
        disk.bury(Bytes::copy_from_slice(key));
    }
    found
}
