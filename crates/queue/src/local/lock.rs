//! Turns of processes at one file.
//!
//! `flock` on a file beside the database: the kernel lets go when the holder dies, however it dies. The lock's file
//! holds a number that every change moves on, so that who waits for work can look without opening the database.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use crate::clock::Deadline;

/// How often the lock is tried. A transaction takes a few milliseconds.
const RETRY: Duration = Duration::from_millis(2);

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(super) struct Held(File);

/// Takes the lock, or gives up: `None` after `wait`.
pub(super) fn take(path: &Path, wait: Duration) -> io::Result<Option<Held>> {
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    let deadline = Deadline::after(wait);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(Held(file))),
            Err(TryLockError::WouldBlock) if deadline.left().is_zero() => return Ok(None),
            Err(TryLockError::WouldBlock) => std::thread::park_timeout(RETRY),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// How often the queue has changed, as far as can be seen without the lock.
pub(super) fn changes(path: &Path) -> u64 {
    File::open(path).map_or(0, |file| read(&file))
}

impl Held {
    /// The queue has changed.
    pub(super) fn changed(&self) -> io::Result<()> {
        self.0.write_all_at(&read(&self.0).wrapping_add(1).to_be_bytes(), 0)
    }
}

fn read(file: &File) -> u64 {
    let mut number = [0; 8];
    // A file that is new or cut short counts from zero.
    match file.read_exact_at(&mut number, 0) {
        Ok(()) => u64::from_be_bytes(number),
        Err(_) => 0,
    }
}
