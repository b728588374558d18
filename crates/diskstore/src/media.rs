//! The file layer: all that the store asks of an operating system. A trait, so that tests can pull the plug.

pub(crate) mod os;
#[cfg(test)]
pub(crate) mod simulated;

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::Arc;

/// A directory with the files of one store.
pub(crate) trait Folder: Send + Sync + Debug {
    /// Keeps every other process out for as long as the returned value lives.
    ///
    /// # Errors
    /// `WouldBlock` when somebody else is inside.
    fn lock(&self) -> io::Result<Box<dyn Debug + Send + Sync>>;

    /// Opens a file for reading and writing, made when it is not there.
    fn open(&self, name: &str) -> io::Result<Arc<dyn Media>>;

    /// Whether this is still the directory that was locked: not removed, not replaced, not unmounted.
    fn is_there(&self) -> bool;
}

/// A file that is read and written by position.
pub(crate) trait Media: Send + Sync + Debug {
    /// Reads some bytes; 0 at the end.
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize>;

    /// The same of what the system has in memory: `None` where the disk itself would have to be waited for, or the system cannot
    /// tell.
    fn read_at_hand(&self, into: &mut [u8], at: u64) -> io::Result<Option<usize>>;

    /// Writes some bytes.
    fn write_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<usize>;

    /// Returns when everything written before is on the disk.
    fn sync(&self) -> io::Result<()>;

    /// Makes the file `length` bytes long, with room on the disk for all of it.
    fn reserve(&self, length: u64) -> io::Result<()>;

    /// Bytes.
    fn length(&self) -> io::Result<u64>;

    /// `range` will not be read again soon: the page cache need not keep it.
    fn forget(&self, range: Range<u64>);
}

/// Whether there is no room for what was to be written.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Fills `into` from `at`.
///
/// # Errors
/// What the system says; `UnexpectedEof` beyond the end.
pub(crate) fn read_full(media: &dyn Media, mut into: &mut [u8], mut at: u64) -> io::Result<()> {
    while !into.is_empty() {
        match media.read_at(into, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                into = &mut into[read..];
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes all of `parts` one behind the other.
///
/// # Errors
/// What the system says; `WriteZero` when it takes nothing. Some may have been written then.
pub(crate) fn write_full(media: &dyn Media, mut parts: &mut [IoSlice<'_>], mut at: u64) -> io::Result<()> {
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        match media.write_at(parts, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                IoSlice::advance_slices(&mut parts, written);
                at += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
