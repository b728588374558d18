//! Two files with the latest reports, one a line: `reports.jsonl`, and `reports.old.jsonl` from before.

use prometheus::IntCounter;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use telemetry::Worker;

/// The file that is written to.
const FILE: &str = "reports.jsonl";
/// The one before.
const OLD: &str = "reports.old.jsonl";
/// A file's size, beyond which it takes the place of the old one: some ten thousand reports.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// Lines that wait for the disk: a burst of the pace.
const WAITING: usize = 256;

/// Longest wait at the end for what waits: a folder may hang.
const WRITTEN_WITHIN: Duration = Duration::from_secs(if cfg!(test) { 10 } else { 1 });

/// Who writes them, until dropped; then what waits is written, within bounds.
#[derive(Debug)]
pub(super) struct Spool {
    lines: Option<SyncSender<Vec<u8>>>,
    writing: Worker,
}

impl Spool {
    pub(super) fn start(folder: PathBuf, lost: IntCounter) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING);
        let work = move || write(&folder, &waiting, &lost);
        Ok(Self { lines: Some(lines), writing: Worker::start("feedback", work)? })
    }

    /// Has a line written; whether there is room. Never waits.
    pub(super) fn put(&self, line: Vec<u8>) -> bool {
        let sent = self.lines.as_ref().map(|lines| lines.try_send(line));
        match sent {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => false,
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        drop(self.lines.take());
        if !self.writing.ends_within(WRITTEN_WITHIN) {
            tracing::error!("the reports' folder has not taken the last ones in time; they may be lost");
        }
    }
}

fn write(folder: &Path, lines: &Receiver<Vec<u8>>, lost: &IntCounter) {
    let mut files = Files { folder, open: None };
    while let Ok(line) = lines.recv() {
        if let Err(error) = files.append(&line) {
            // Opened anew after each error: a disk may come back.
            files.open = None;
            lost.inc();
            tracing::error!(%error, folder = %folder.display(), "a report cannot be written down");
        }
    }
}

/// Both files.
struct Files<'a> {
    folder: &'a Path,
    open: Option<File>,
}

impl Files<'_> {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let file = match &mut self.open {
            Some(file) => file,
            None => self.open.insert(open_behind_a_line(&self.folder.join(FILE))?),
        };
        file.write_all(line)?;
        if file.metadata()?.len() >= MAX_FILE_BYTES {
            self.make_old()?;
        }
        Ok(())
    }

    /// The file that is full takes the place of the old one, once: the process that makes way and the next one write to the same, and
    /// what stands in its place when one of them has done so is another.
    fn make_old(&mut self) -> io::Result<()> {
        let Some(full) = self.open.take() else { return Ok(()) };
        // Let go of with the file. Where a file system knows no locks the two meet by chance alone.
        let _ = full.lock();
        let path = self.folder.join(FILE);
        match fs::metadata(&path) {
            Ok(there) if is_same(&there, &full.metadata()?) => fs::rename(path, self.folder.join(OLD)),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The file, to be gone on with on a line of its own. Whoever was killed while it wrote, or had no room left, ended within one: what
/// came next would have been a part of that, and lost with it.
fn open_behind_a_line(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    if length > 0 {
        let mut last = [0];
        File::open(path)?.read_exact_at(&mut last, length - 1)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The process that made way put the one file, of which the next process had just written the beginning, in the place of the
    /// other, which was full.
    #[test]
    fn while_one_process_makes_way_for_another_no_full_file_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let files = || Files { folder: folder.path(), open: None };
        let (mut before, mut next) = (files(), files());
        let line = |name: &str| [name, "\n"].concat().into_bytes();
        before.append(&line("before")).unwrap();
        next.append(&line(&"x".repeat(MAX_FILE_BYTES as usize))).unwrap();
        next.append(&line("next")).unwrap();
        before.append(&line("last")).unwrap();
        before.append(&line("late")).unwrap();
        let read = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let old = read(OLD);
        assert!(old.starts_with("before\nxxx") && old.ends_with("x\nlast\n"), "{} bytes", old.len());
        assert_eq!(read(FILE), "next\nlate\n");
    }
}
