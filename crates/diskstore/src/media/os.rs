//! Files of the operating system, through the page cache.
//!
//! Not direct: the cache takes the writer's bytes at once and the kernel writes them out behind it, every file system
//! can do it, and no buffer has to be aligned. What was written or read stays there as long as the kernel has no better use for the
//! memory: whoever asks for it when the RAM tier has turned it away needs neither the disk nor a thread ([`Media::read_at_hand`]).
//! What was written lies there in large pieces, as it came, and what was read from the disk page by page: an answer from the first
//! costs four fifths of one from the second. What nobody will ask for is dropped ([`Media::forget`]).

use super::{Folder, Media};
use rustix::fs::{Advice, FallocateFlags, FlockOperation};
use rustix::io::{Errno, ReadWriteFlags};
use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, IoSliceMut};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Only the service reads what it keeps.
const MODE: u32 = 0o600;
/// The name of the lock's file.
const LOCK: &str = "lock";
/// Parts the kernel takes in one call (IOV_MAX).
const MOST_PARTS: usize = 1_024;

/// A directory by its path. It is never made: on a disk that is not mounted it is not there, and that must show.
#[derive(Debug)]
pub(crate) struct OsFolder {
    path: PathBuf,
    /// The lock's file, as it was locked last.
    locked: Mutex<Option<Inode>>,
}

/// Which directory entry a file is, over all file systems.
type Inode = (u64, u64);

impl OsFolder {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), locked: Mutex::default() }
    }

    fn open_file(&self, name: &str) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(MODE)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(self.path.join(name))
    }

    fn inode(&self) -> io::Result<Inode> {
        let metadata = std::fs::symlink_metadata(self.path.join(LOCK))?;
        Ok((metadata.dev(), metadata.ino()))
    }
}

impl Folder for OsFolder {
    fn lock(&self) -> io::Result<Box<dyn Debug + Send + Sync>> {
        let file = self.open_file(LOCK)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => return Err(error.into()),
        }
        let metadata = file.metadata()?;
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        // A mount point whose disk went away is an empty directory of another disk: nothing may be put there.
        if locked.is_some_and(|(device, _)| device != metadata.dev()) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "another file system is there now"));
        }
        *locked = Some((metadata.dev(), metadata.ino()));
        Ok(Box::new(file))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn Media>> {
        let file = self.open_file(name)?;
        // Reads are of whole blocks; reading ahead of them would be for nobody. A hint: no harm when it is not taken.
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::Random);
        Ok(Arc::new(OsFile { file, tells: AtomicBool::new(true) }))
    }

    fn is_there(&self) -> bool {
        let locked = *self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        locked.is_some_and(|locked| self.inode().is_ok_and(|now| now == locked))
    }
}

#[derive(Debug)]
struct OsFile {
    file: File,
    /// Whether the file system tells what it has in memory, as far as is known.
    tells: AtomicBool,
}

impl OsFile {
    /// What becomes of a file that was `before` bytes long and is to be `length`.
    fn after_reserving(&self, reserved: Result<(), Errno>, before: u64, length: u64) -> io::Result<()> {
        match reserved {
            Ok(()) => Ok(()),
            // Not every file system can; there a full disk shows when it is written to.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.file.set_len(length),
            Err(error) => {
                // ext4 has given all that was free by then, and lengthened the file by it: others need that.
                self.file.set_len(before)?;
                Err(error.into())
            }
        }
    }
}

impl Media for OsFile {
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(into, at)
    }

    fn read_at_hand(&self, into: &mut [u8], at: u64) -> io::Result<Option<usize>> {
        if !self.tells.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match rustix::io::preadv2(&self.file, &mut [IoSliceMut::new(into)], at, ReadWriteFlags::NOWAIT) {
            Ok(read) => Ok(Some(read)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                self.tells.store(false, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn write_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        let parts = &parts[..parts.len().min(MOST_PARTS)];
        Ok(rustix::io::pwritev(&self.file, parts, at)?)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        let now = self.length()?;
        if length < now {
            return self.file.set_len(length);
        }
        if length == 0 {
            return Ok(());
        }
        // Over the whole length and not the new part: what an earlier run could not reserve is reserved now.
        let reserved = rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, length);
        self.after_reserving(reserved, now, length)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn forget(&self, range: Range<u64>) {
        if let Some(length) = NonZeroU64::new(range.end.saturating_sub(range.start)) {
            // A hint: memory is used less well when it is not taken, nothing else.
            let _ = rustix::fs::fadvise(&self.file, range.start, Some(length), Advice::DontNeed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_as_long_as_it_should_is_as_long_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let file = File::create_new(directory.path().join("data")).unwrap();
        let file = OsFile { file, tells: AtomicBool::new(true) };
        file.file.set_len(4_096).unwrap();
        // As a file system does that is full before the end.
        file.file.set_len(65_536).unwrap();
        let error = file.after_reserving(Err(Errno::NOSPC), 4_096, 1 << 20).unwrap_err();
        assert_eq!((error.kind(), file.length().unwrap()), (io::ErrorKind::StorageFull, 4_096));
        // One that cannot reserve gives the length without the room.
        file.after_reserving(Err(Errno::OPNOTSUPP), 4_096, 8_192).unwrap();
        assert_eq!(file.length().unwrap(), 8_192);
    }
}
