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
const WRITTEN_WITHIN: Duration = Duration::from_secs(if cfg!(test) { 10 } else { 1 });
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
        for (date, fresh) in fresh(days) {
            let written = add(folder, date, &fresh);
            if let Err(error) = &written {
                errors.inc();
                tracing::error!(%error, %date, "the classes' numbers cannot be written; they are tried again");
            }
            if let Some(day) = lock(days).get_mut(&date) {
                day.settle(written.ok(), &fresh);
            }
        }
        let_go(&mut lock(days));
        if ended {
            return;
        }
    }
}

/// What is to be written, told once.
fn fresh(days: &Mutex<Days>) -> Vec<(Date, Tally)> {
    let mut days = lock(days);
    let fresh = days.iter_mut().filter(|(_, day)| !day.fresh.classes.is_empty());
    fresh.map(|(date, day)| (*date, day.take_fresh())).collect()
}

/// Days that are over are let go of when they have been written.
fn let_go(days: &mut Days) {
    while days.len() > DAYS && days.first_key_value().is_some_and(|(_, day)| day.fresh.classes.is_empty()) {
        days.pop_first();
    }
}

/// Adds to what is written, and gives all of it. The process that makes way counts on while the next one does: if each wrote all that
/// it knows, it would write over what the other has counted.
fn add(folder: &Path, date: Date, fresh: &Tally) -> io::Result<Tally> {
    let turn = File::open(folder)?;
    // Let go of with the file. Where a file system knows no locks the two meet by chance alone.
    let _ = turn.lock();
    let name = format!("{date}.json");
    let mut all = read(&folder.join(&name), date)?.unwrap_or_else(|| Tally::new(date));
    all.merge(fresh).map_err(io::Error::other)?;
    write(folder, &name, &all.to_bytes())?;
    Ok(all)
}

/// Whole or not at all, also when the power goes.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (path, beside) = (folder.join(name), folder.join(format!("{name}.new")));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

/// The latest days.
fn read_back(folder: &Path) -> Days {
    let mut days = Days::new();
    let Ok(entries) = fs::read_dir(folder) else { return days };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(Ok(date)) = name.strip_suffix(".json").map(str::parse) else { continue };
        match read(&path, date) {
            Ok(Some(tally)) => drop(days.insert(date, Counted::of(tally))),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "the numbers of a day cannot be read")
            }
        }
        while days.len() > DAYS {
            days.pop_first();
        }
    }
    days
}

/// What is written of a day. A file that makes no sense is set aside, so that its day's new numbers do not take its place.
fn read(path: &Path, date: Date) -> io::Result<Option<Tally>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let problem = match Tally::parse(&bytes) {
        Ok(tally) if tally.day == date => return Ok(Some(tally)),
        Ok(tally) => format!("of {}", tally.day),
        Err(error) => error.to_string(),
    };
    tracing::error!(problem, path = %path.display(), "set aside: not the numbers of the day");
    fs::rename(path, path.with_extension("json.bad"))?;
    Ok(None)
}
