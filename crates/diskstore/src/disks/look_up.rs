//! Finding an object on the disks.

use super::{Disks, Generation};
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
        let may_say = |disk: &Arc<Disk>| disk.may_hold(key) || (disk.is_opening() && !disk.is_hidden(key));
        self.asked(key).into_iter().any(may_say)
    }

    /// The disks that are asked for `key`, one after the other: the first that works, and behind one that takes no writes the next,
    /// which has what was put meanwhile.
    pub(super) fn asked(&self, key: &[u8]) -> Vec<&Arc<Disk>> {
        let working = |disk: &&Arc<Disk>| disk.is_readable() || disk.is_opening();
        let mut asked = Vec::new();
        for disk in self.ranked(key).into_iter().filter(working) {
            asked.push(disk);
            if disk.takes_work() {
                break;
            }
        }
        asked
    }

    /// Whether something seems to be under `key`. Costs no reading; only [`Disks::look_up`] tells for certain.
    pub fn may_hold(&self, key: &[u8]) -> bool {
        self.asked(key).into_iter().any(|disk| disk.may_hold(key))
    }

    /// Whether it is known that this version of what is under `key` lies nowhere any more. A disk that is away does not say. Asks
    /// the index alone.
    pub fn lacks(&self, key: &[u8], generation: Generation) -> bool {
        let is_its_own =
            |disk: &&Arc<Disk>| disk.volume().is_some_and(|volume| volume.name() == generation.store);
        let mut readable = self.disks.iter().map(|placed| &placed.disk).filter(|disk| disk.is_readable());
        match readable.find(is_its_own) {
            Some(disk) => !disk.may_hold(key),
            None => self.are_readable(),
        }
    }

    /// On how many disks something seems to be under `key`, whichever of them is asked for it. Costs no reading.
    pub fn holding(&self, key: &[u8]) -> usize {
        self.disks.iter().filter(|placed| placed.disk.may_hold(key)).count()
    }

    /// What is stored under `key`. `None` is a miss, also when the disk is away, damaged or too busy. Costs a thread's turn
    /// only where something seems to be there that the system has not in memory.
    ///
    /// The caller bounds the wait: a disk may hang, and one that is opening is waited for.
    pub async fn look_up(&self, key: &[u8]) -> Option<Stored> {
        'asking: loop {
            for disk in self.asked(key) {
                if disk.is_opening() {
                    disk.until_open().await;
                    continue 'asking;
                }
                if let Some(stored) = look_up_on(disk, key).await {
                    return Some(stored);
                }
            }
            return None;
        }
    }
}

async fn look_up_on(disk: &Arc<Disk>, key: &[u8]) -> Option<Stored> {
    for _ in 0..MAX_LOOKS {
        let stored = find(disk, key).await?;
        // It may have been removed while it was read, and that be written down by now; or replaced or moved.
        if stored.is_current() {
            return Some(stored);
        }
    }
    None
}

async fn find(disk: &Arc<Disk>, key: &[u8]) -> Option<Stored> {
    let volume = disk.volume().filter(|_| disk.may_hold(key))?;
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

/// What a look-up has found, less what was damaged: that must not come back at the next start. What could not be read has been given up.
fn looked_up(
    disk: &Disk,
    volume: &Volume,
    key: &[u8],
    found: Result<Option<Located>, ReadError>,
) -> Result<Option<Located>, ReadError> {
    if matches!(found, Ok(None)) && !volume.may_hold(key) {
        disk.bury(Bytes::copy_from_slice(key));
    }
    if let Err(error @ ReadError::Io(_)) = &found {
        tracing::error!(disk = disk.label, %error, "what cannot be read on a disk is given up");
    }
    found
}
