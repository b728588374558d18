//! The file that is being written: opened, appended to, turned over.
//!
//! ```text
//! access-20260901T003000Z-1a2b.log      being written    ─► …log.gz, and a line in SHA256SUMS
//! security-20260901T003000Z-1a2b.sealed being written as .open, sealed and zipped by itself ─► a line in SHA256SUMS
//! ```
//!
//! Who writes or finishes a file has it locked (`flock`): the kernel lets go when a process dies, however it dies.

use crate::line::Reader;
use crate::seal::{SealKey, Sealer};
use jiff::Timestamp;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Which log a file is of: its first word, and its end while it is written.
pub(crate) const fn names(reader: Reader) -> (&'static str, &'static str) {
    match reader {
        Reader::Analysis => ("access-", ".log"),
        Reader::Security => ("security-", ".open"),
    }
}

/// A file that is being written.
pub(crate) struct Open {
    path: PathBuf,
    file: File,
    sealer: Option<Sealer>,
    written: u64,
    begun: Timestamp,
}

impl Open {
    /// Begins a file. Its name says when and by which process, so that two processes never share one.
    pub(crate) fn begin(
        folder: &Path,
        reader: Reader,
        key: Option<&SealKey>,
        now: Timestamp,
    ) -> io::Result<Self> {
        let (first, end) = names(reader);
        let begun = now.strftime("%Y%m%dT%H%M%S%3fZ");
        let path = folder.join(format!("{first}{begun}-{:x}{end}", std::process::id()));
        let mut file = File::options().create_new(true).append(true).open(&path)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::Error::other("another process has taken the file for one that was left behind"));
        }
        let (mut sealer, mut written) = (None, 0);
        if let Some(key) = key.filter(|_| reader == Reader::Security) {
            let (begun, head) = Sealer::begin(key)?;
            if let Err(error) = file.write_all(&head) {
                // Without its head nobody reads it.
                let _ = std::fs::remove_file(&path);
                return Err(error);
            }
            written = head.len() as u64;
            sealer = Some(begun);
        }
        Ok(Self { path, file, sealer, written, begun: now })
    }

    /// Appends a batch of lines.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        match &mut self.sealer {
            Some(sealer) => {
                let piece = sealer.piece(lines, false)?;
                self.file.write_all(&piece)?;
                self.written += piece.len() as u64;
            }
            None => {
                self.file.write_all(lines)?;
                self.written += lines.len() as u64;
            }
        }
        Ok(())
    }

    /// One at `path` whose bytes go to another file.
    #[cfg(test)]
    pub(crate) fn of(path: PathBuf, file: File, begun: Timestamp) -> Self {
        Self { path, file, sealer: None, written: 0, begun }
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Seconds since it was begun; 0 when the clock was set back.
    pub(crate) fn age_s(&self, now: Timestamp) -> u64 {
        u64::try_from(now.duration_since(self.begun).as_secs()).unwrap_or(0)
    }

    /// Ends it, for who zips and sums it.
    pub(crate) fn end(mut self) -> io::Result<Over> {
        if let Some(sealer) = &mut self.sealer {
            let last = sealer.piece(b"", true)?;
            self.file.write_all(&last)?;
        }
        self.file.sync_data()?;
        Ok(self.over())
    }

    /// It is over.
    fn over(self) -> Over {
        Over { path: self.path, _locked: self.file }
    }

    /// Gives up on it, where a disk did not take all: the half batch stays where it is. Of which nothing was taken, nothing stays.
    pub(crate) fn give_up(self) -> Option<Over> {
        let is_empty = self.file.metadata().is_ok_and(|metadata| metadata.len() == 0);
        if is_empty && std::fs::remove_file(&self.path).is_ok() {
            return None;
        }
        Some(self.over())
    }
}

/// A file that nobody writes any more, and that nobody else finishes while this is there.
pub(crate) struct Over {
    path: PathBuf,
    _locked: File,
}

impl Over {
    /// The file at `path`, unless a process is at it or has just finished it.
    pub(crate) fn unlocked(path: PathBuf) -> Option<Self> {
        let file = File::open(&path).ok()?;
        let free = file.try_lock().is_ok() && path.exists();
        free.then_some(Self { path, _locked: file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
