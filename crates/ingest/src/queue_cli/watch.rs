//! `airclass-ingest watch`: enqueues what appears in a folder.
//!
//! It looks every few seconds and takes what has not changed for a while. The kernel's notices (inotify) would be
//! quicker by seconds, but are silent about what others write to a network disk, which is where schools' files arrive,
//! and cannot say of a copy in progress that it is complete.

use super::QueueUsage;
use super::folder::{Folder, Stamp, is_video};
use super::intake::{Intake, told};
use super::options::Watch;
use crate::cancel::Cancel;
use crate::clock::Stopwatch;
use crate::fault::shown;
use crate::{run, signals};
use faults::{AnyFault, note, say};
use package::{Digest, LessonId};
use queue::{Policy, Queue, Repeat};
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Files of one folder that are looked at.
const MAX_FILES: usize = 100_000;
/// The largest memory of them that is kept: 600 bytes for each.
const MAX_MEMORY_BYTES: usize = 64 << 20;
/// How soon a stop is noticed.
const TICK: Duration = Duration::from_millis(100);

/// Runs it until it is stopped.
pub fn run(options: &Watch) -> ExitCode {
    match begin(options) {
        Ok(status) => status,
        Err(fault) => fault.report(),
    }
}

fn begin(options: &Watch) -> Result<ExitCode, AnyFault> {
    let intake = Intake::new(&options.wish)?;
    let queue = super::open(options.at.queue.as_deref(), Policy::default())?;
    let memory = match &options.memory {
        Some(path) => path.clone(),
        None => {
            let path = std::path::absolute(&options.folder).map_err(|source| folder(options, source))?;
            let name = Digest::of(path.as_os_str().as_encoded_bytes()).to_string();
            super::state(&format!("airclass/watch-{}.json", &name[..12]))?
        }
    };
    let stop = Cancel::new();
    signals::stop_on_interrupt(&stop)
        .map_err(|source| QueueUsage::System { what: "signal handler", source })?;
    // A memory that cannot be read costs reading the files again; the queue knows what was done.
    let mut known: Folder = recall(&memory).unwrap_or_default();
    let clock = Stopwatch::start();
    while !stop.is_stopped() {
        let there = look(&options.folder).map_err(|source| folder(options, source))?;
        let complete = known.look(&there, clock.elapsed(), options.settle.0);
        for path in &complete {
            if stop.is_stopped() {
                break;
            }
            enqueue(&intake, &*queue, path, &there)?;
            known.settle(path, there[path]);
            remember(&memory, &known)
                .map_err(|source| QueueUsage::Folder { path: memory.clone(), source })?;
        }
        if options.once && known.is_quiet() {
            return Ok(ExitCode::SUCCESS);
        }
        let pause = Stopwatch::start();
        while !stop.is_stopped() && pause.elapsed() < options.every.0 {
            std::thread::park_timeout(TICK.min(options.every.0));
        }
    }
    // Asked to stop: this is how it ends.
    Ok(ExitCode::SUCCESS)
}

fn folder(options: &Watch, source: io::Error) -> QueueUsage {
    QueueUsage::Folder { path: options.folder.clone(), source }
}

/// The videos that are there, with their stamps.
fn look(folder: &Path) -> io::Result<BTreeMap<PathBuf, Stamp>> {
    let mut there = BTreeMap::new();
    for file in fs::read_dir(folder)?.take(MAX_FILES) {
        let path = file?.path();
        // What vanishes between two looks is not there.
        let Ok(about) = fs::metadata(&path) else { continue };
        if is_video(&path) && about.is_file() {
            let of = |about: &Metadata| {
                (about.len(), about.mtime().saturating_mul(1_000_000_000).saturating_add(about.mtime_nsec()))
            };
            let description = fs::metadata(path.with_extension("toml")).ok().map(|about| of(&about));
            let (bytes, modified_ns) = of(&about);
            there.insert(path, Stamp { bytes, modified_ns, description });
        }
    }
    Ok(there)
}

/// A file that cannot be used is told and passed over until it changes. A queue that cannot be reached ends the watch.
fn enqueue(
    intake: &Intake<'_>,
    queue: &dyn Queue,
    path: &Path,
    there: &BTreeMap<PathBuf, Stamp>,
) -> Result<(), AnyFault> {
    let lesson: LessonId = run::default_lesson(path);
    if let Some(other) = there.keys().find(|other| *other < path && run::default_lesson(other) == lesson) {
        note!(
            "LESSON_NAME: {} and {} would both become lesson `{lesson}`; rename the second",
            shown(other),
            shown(path)
        );
        return Ok(());
    }
    match intake.job(path, Some(&lesson), None) {
        Ok(job) => {
            for added in queue.add(std::slice::from_ref(&job), Repeat::Unwanted)? {
                say!("{}", told(&job, &added));
            }
        }
        Err(fault) => note!("{}", fault.line()),
    }
    Ok(())
}

/// What was kept; `None` where that cannot be read.
fn recall(path: &Path) -> Option<Folder> {
    let bytes = settings::small_file(path, MAX_MEMORY_BYTES as u64).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whole or not at all; not at all, too, where it would not be read again.
fn remember(path: &Path, known: &Folder) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let bytes = serde_json::to_vec(known)?;
    if bytes.len() > MAX_MEMORY_BYTES {
        return Ok(());
    }
    let beside = path.with_extension("new");
    fs::write(&beside, bytes)?;
    fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of it was read.
    #[test]
    fn a_memory_longer_than_one_is_kept_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let memory = folder.path().join("state/watch.json");
        remember(&memory, &Folder::default()).unwrap();
        assert!(recall(&memory).is_some());
        let file = fs::File::options().append(true).open(&memory).unwrap();
        io::Write::write_all(&mut &file, &vec![b' '; MAX_MEMORY_BYTES]).unwrap();
        assert!(recall(&memory).is_none());
    }
}
