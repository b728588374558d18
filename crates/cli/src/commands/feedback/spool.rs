//! The folder of reports that an edge writes, and beside them which are closed.

use super::FeedbackFault;
use feedback::{Entry, ReportId};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// In the order in which they were written.
const FILES: [&str; 2] = ["reports.old.jsonl", "reports.jsonl"];
/// Numbers of those that have been seen to, one a line.
const CLOSED: &str = "closed";
/// The longest file that is read: twice what an edge lets one become.
const MAX_FILE_BYTES: u64 = 8 << 20;

/// A folder.
pub(super) struct Spool {
    folder: PathBuf,
    entries: Vec<Entry>,
    closed: BTreeSet<ReportId>,
}

impl Spool {
    /// Reads it. Lines that a crash has cut are passed over.
    pub(super) fn open(folder: PathBuf) -> Result<Self, FeedbackFault> {
        let unreadable = |source| FeedbackFault::Unreadable { path: folder.clone(), source };
        fs::read_dir(&folder).map_err(unreadable)?;
        let mut entries = Vec::new();
        for name in FILES {
            let text = read(&folder.join(name)).map_err(unreadable)?;
            entries.extend(text.lines().filter_map(Entry::parse));
        }
        let closed = read(&folder.join(CLOSED)).map_err(unreadable)?;
        let closed = closed.lines().filter_map(|line| line.parse().ok()).collect();
        Ok(Self { folder, entries, closed })
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn is_closed(&self, id: ReportId) -> bool {
        self.closed.contains(&id)
    }

    /// Closes reports: all of them, or, where one is unknown, none. Forgets numbers of reports that are gone.
    pub(super) fn close(mut self, ids: &[ReportId]) -> Result<(), FeedbackFault> {
        let there: BTreeSet<_> = self.entries.iter().map(|entry| entry.id).collect();
        if let Some(&unknown) = ids.iter().find(|id| !there.contains(id)) {
            return Err(FeedbackFault::Unknown(unknown));
        }
        self.closed.extend(ids);
        let lines: String = self.closed.intersection(&there).map(|id| format!("{id}\n")).collect();
        let (path, beside) = (self.folder.join(CLOSED), self.folder.join("closed.new"));
        let write = || {
            OpenOptions::new()
                .create(true)
                .write(true)
                .truncate(true)
                .open(&beside)?
                .write_all(lines.as_bytes())?;
            fs::rename(&beside, &path)
        };
        write().map_err(|source| FeedbackFault::Unwritable { path: path.clone(), source })
    }
}

/// A file's text; empty where there is none.
fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
