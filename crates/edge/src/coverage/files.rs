//! A file a day: `<date>.json`.

use super::{Counted, DAYS, Days, lock};
use ::coverage::Tally;
use jiff::civil::Date;
use prometheus::IntCounter;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use telemetry::Worker;

/// How often numbers are written: what a power cut may cost.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// Longest wait at the end for the last numbers: a folder may hang.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);
/// The longest file read back at a start: a full day's.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Who writes them, until dropped; then what is left is written, within bounds.
#[derive(Debug)]
pub(super) struct Files {
    stop: Option<SyncSender<()>>,
    writing: Worker,
}

impl Files {
    /// Reads back what an earlier process counted, and keeps `folder` up to date with `days` from now on.
    pub(super) fn start(folder: PathBuf, days: Arc<Mutex<Days>>, errors: IntCounter) -> io::Result<Self> {
        lock(&days).extend(read_back(&folder));
        let (stop, stopped) = sync_channel(0);
        let work = move || keep(&folder, &days, &errors, &stopped);
        Ok(Self { stop: Some(stop), writing: Worker::start("coverage", work)? })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(self.stop.take());
        if !self.writing.ends_within(WRITTEN_WITHIN) {
            tracing::error!("the classes' folder has not taken the last numbers in time; they may be lost");
        }
    }
}

fn keep(folder: &Path, days: &Mutex<Days>, errors: &IntCounter, stopped: &Receiver<()>) {
    loop {
        let ended = stopped.recv_timeout(WRITE_EVERY) != Err(RecvTimeoutError::Timeout);
        for (date, bytes) in changed(days) {
            if let Err(error) = write(folder, &format!("{date}.json"), &bytes) {
                errors.inc();
                tracing::error!(%error, %date, "the classes' numbers cannot be written; they are tried again");
                if let Some(day) = lock(days).get_mut(&date) {
                    day.changed = true;
                }
            }
        }
        if ended {
            return;
        }
    }
}

/// What is to be written, told once; days that are over are let go of when they have been.
fn changed(days: &Mutex<Days>) -> Vec<(Date, Vec<u8>)> {
    let mut days = lock(days);
    let told = days
        .iter_mut()
        .filter_map(|(date, day)| std::mem::take(&mut day.changed).then(|| (*date, day.tally.to_bytes())));
    let told: Vec<_> = told.collect();
    while days.len() > DAYS
        && days.first_key_value().is_some_and(|(date, _)| told.iter().all(|(of, _)| of != date))
    {
        days.pop_first();
    }
    told
}

/// Whole or not at all, also when the power goes.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (path, beside) = (folder.join(name), folder.join(format!("{name}.new")));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

/// The latest days. A file that makes no sense is set aside, so that its day's new numbers do not take its place.
fn read_back(folder: &Path) -> Days {
    let mut days = Days::new();
    let Ok(entries) = fs::read_dir(folder) else { return days };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(Ok(date)) = name.strip_suffix(".json").map(str::parse) else { continue };
        let read = || -> io::Result<Tally> {
            let mut bytes = Vec::new();
            File::open(&path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
            Tally::parse(&bytes).map_err(io::Error::other)
        };
        match read() {
            Ok(tally) => drop(days.insert(date, Counted { tally, changed: false })),
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "set aside: not the numbers of a day");
                let _ = fs::rename(&path, path.with_extension("json.bad"));
            }
        }
        while days.len() > DAYS {
            days.pop_first();
        }
    }
    days
}
