//! Workers that try their walls, and what that must lead to.

use crate::cancel::Cancel;
use crate::fault::MediaError;
use crate::worker::attempt::{Attempt, Told};
use crate::worker::{Confinement, Ending, Frame, Limits, Program, WorkerError, run_program};
use serde::Serialize;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;
use units::ByteCount;

/// One protection, tried.
#[derive(Debug, Serialize)]
pub struct Trial {
    /// What was tried.
    pub name: &'static str,
    /// It was stopped, or, for what workers are for, it worked.
    pub holds: bool,
    /// Media are not opened without it.
    pub required: bool,
    /// What happened.
    pub found: String,
}

/// What has to come of an attempt.
enum Expected {
    /// The system says no, or the worker dies of it.
    Refused,
    /// It dies, and leaves no memory image.
    NoImage,
    /// The parent or the kernel ends it.
    Ended,
    /// It works.
    Works,
}

const TRIALS: [(&str, Attempt, Expected); 21] = [
    ("opening a file", Attempt::OpenFile, Expected::Refused),
    ("asking whether a file is there", Attempt::StatFile, Expected::Refused),
    ("listing a folder", Attempt::ListFolder, Expected::Refused),
    ("making a file", Attempt::WriteFile, Expected::Refused),
    ("a network socket", Attempt::Internet, Expected::Refused),
    ("a local socket", Attempt::LocalSocket, Expected::Refused),
    ("starting a program", Attempt::StartProgram, Expected::Refused),
    ("becoming another program", Attempt::BecomeProgram, Expected::Refused),
    ("debugging", Attempt::Debug, Expected::Refused),
    ("a signal to its parent", Attempt::SignalParent, Expected::Refused),
    ("new executable code", Attempt::ExecutableMemory, Expected::Refused),
    ("memory that is not counted", Attempt::SharedMemory, Expected::Refused),
    ("rights in a new namespace", Attempt::NewNamespace, Expected::Refused),
    ("work queued in the kernel", Attempt::KernelQueue, Expected::Refused),
    ("descriptors without end", Attempt::MoreDescriptors, Expected::Refused),
    ("memory without end", Attempt::TakeMemory, Expected::Refused),
    ("processor time without end", Attempt::Spin, Expected::Ended),
    ("output without end", Attempt::Flood, Expected::Ended),
    ("a crash for its memory image", Attempt::Crash, Expected::NoImage),
    ("hanging", Attempt::Hang, Expected::Ended),
    ("encoding H.264, AV1 and AAC", Attempt::Encode, Expected::Works),
];

/// What `/proc` has to say of a worker.
const STATUS: [(&str, &str); 3] = [("NoNewPrivs", "1"), ("Seccomp", "2"), ("CapEff", "0000000000000000")];

/// Tries everything; also what the workers had put up.
pub(super) fn all(program: &Program) -> (Vec<Trial>, Option<Confinement>) {
    let mut confinement = None;
    let mut trials: Vec<Trial> = TRIALS
        .iter()
        .map(|(name, attempt, expected)| {
            let (found, holds) = match tried(program, *attempt) {
                Ok((result, told)) => {
                    if let Ok(held) = &result {
                        confinement = Some(held.clone());
                    }
                    judge(&result, told, expected)
                }
                Err(error) => (error.to_string(), false),
            };
            Trial { name, holds, required: true, found }
        })
        .collect();
    trials.push(seen_from_outside(program));
    (trials, confinement)
}

type Tried = (Result<Confinement, WorkerError>, Option<Told>);

fn tried(program: &Program, attempt: Attempt) -> std::io::Result<Tried> {
    let mut told = None;
    let result = start(program, attempt, &mut |frame| {
        told = serde_json::from_slice(&frame.header).ok();
        Ok(())
    })?;
    Ok((result, told))
}

fn start(
    program: &Program,
    attempt: Attempt,
    on_frame: &mut dyn FnMut(Frame) -> Result<(), MediaError>,
) -> std::io::Result<Result<Confinement, WorkerError>> {
    let source = File::open("/proc/self/exe")?;
    let task = serde_json::to_vec(&attempt)?;
    // Small, so that trials end soon; only encoding needs more.
    let limits = Limits {
        memory: ByteCount(if attempt == Attempt::Encode { 2 << 30 } else { 256 << 20 }),
        cpu: Duration::from_secs(if attempt == Attempt::Spin { 1 } else { 60 }),
        wall: Duration::from_secs(if attempt == Attempt::Hang { 1 } else { 120 }),
        output: ByteCount(32 << 20),
        ..Limits::default()
    };
    Ok(run_program(program, &task, &source, &limits, &Cancel::new(), on_frame))
}

fn judge(
    result: &Result<Confinement, WorkerError>,
    told: Option<Told>,
    expected: &Expected,
) -> (String, bool) {
    match (expected, result, told) {
        (Expected::Refused, Ok(_), Some(Told::Refused(why))) => (format!("refused ({why})"), true),
        (Expected::Refused, Err(WorkerError::Died { ending: Ending::Signal(libc::SIGSYS), .. }), None) => {
            ("the worker was killed for it".to_owned(), true)
        }
        (Expected::Ended, Err(WorkerError::Hung(limit)), _) => {
            (format!("ended after {} s", limit.as_secs_f64()), true)
        }
        (Expected::Ended, Err(WorkerError::Flooded(limit)), _) => (format!("ended at {limit}"), true),
        (Expected::NoImage, Err(WorkerError::Died { ending, image: false, .. }), _) => {
            (format!("it died ({ending}) and left none"), true)
        }
        (Expected::Works, Ok(_), Some(Told::Done(digest))) => {
            (format!("works (digest {})", digest.get(..12).unwrap_or_default()), true)
        }
        (_, Ok(_), Some(Told::Done(_))) => ("it was possible".to_owned(), false),
        (_, Ok(_), told) => (format!("{told:?}"), false),
        (_, Err(error), _) => (error.to_string(), false),
    }
}

/// A waiting worker as the kernel describes it.
fn seen_from_outside(program: &Program) -> Trial {
    let mut found = "no worker is to be seen in /proc".to_owned();
    let mut holds = false;
    let _ = start(program, Attempt::Hang, &mut |_| {
        if let Some(status) = only_child() {
            let value = |key: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
                line.map(str::trim).unwrap_or("?").to_owned()
            };
            holds = STATUS.iter().all(|(key, expected)| value(key) == *expected);
            let told: Vec<_> = STATUS.iter().map(|(key, _)| format!("{key} {}", value(key))).collect();
            found = told.join(", ");
        }
        Err(MediaError::Stopped)
    });
    Trial { name: "as the kernel describes it", holds, required: true, found }
}

/// The status of this process's child; it has one worker at a time.
fn only_child() -> Option<String> {
    let parent = format!("PPid:\t{}", std::process::id());
    let statuses = fs::read_dir(Path::new("/proc")).ok()?.flatten();
    let mut statuses = statuses.filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok());
    statuses.find(|status| status.lines().any(|line| line == parent))
}
