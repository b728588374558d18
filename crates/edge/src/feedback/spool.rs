//! Two files with the latest reports, one a line: `reports.jsonl`, and `reports.old.jsonl` from before.

use prometheus::IntCounter;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
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
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

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
    // Opened anew after each error: a disk may come back.
    let mut open: Option<File> = None;
    while let Ok(line) = lines.recv() {
        let mut append = || -> io::Result<()> {
            let file = match &mut open {
                Some(file) => file,
                None => open.insert(open_behind_a_line(&folder.join(FILE))?),
            };
            file.write_all(&line)?;
            if file.metadata()?.len() >= MAX_FILE_BYTES {
                open = None;
                fs::rename(folder.join(FILE), folder.join(OLD))?;
            }
            Ok(())
        };
        if let Err(error) = append() {
            open = None;
            lost.inc();
            tracing::error!(%error, folder = %folder.display(), "a report cannot be written down");
        }
    }
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
