//! Files to timetables and plans.

use super::Written;
use super::fault::TimetableFault;
use crate::clock;
use faults::AnyFault;
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use timetable::{
    Finding, Given, MAX_ENVELOPE_BYTES, MAX_FILE_BYTES, Plan, Shipped, SignedPlan, Timetable, Weight,
};

/// The timetable, or what cannot be read of it.
pub(super) fn timetable(written: &Written) -> Result<Result<Timetable, Vec<Finding>>, AnyFault> {
    let shipped = match &written.limits {
        None => Ok(Shipped::built_in()),
        Some(path) => Shipped::read(&path.display().to_string(), &bytes(path, MAX_FILE_BYTES)?),
    };
    let shipped = match shipped {
        Ok(shipped) => shipped,
        Err(findings) => return Ok(Err(findings)),
    };
    let file = bytes(&written.file, MAX_FILE_BYTES)?;
    let name = written.file.display().to_string();
    // A sheet is named as seen from the file that names it.
    let sheet = |named: &str| {
        let path = written.file.parent().unwrap_or(Path::new("")).join(named);
        match bytes(&path, MAX_FILE_BYTES) {
            Ok(bytes) => Ok((path.display().to_string(), bytes)),
            Err(fault) => Err(fault.to_string()),
        }
    };
    Ok(Timetable::read(Given { name: &name, bytes: &file }, &shipped, sheet))
}

/// A plan from its file. Whose it is is for nodes to judge.
pub(super) fn plan(path: &Path) -> Result<Plan, AnyFault> {
    Ok(plan_in(&path.display().to_string(), &bytes(path, MAX_ENVELOPE_BYTES)?)?.1)
}

/// The envelope and the plan in `bytes`.
pub(super) fn plan_in(name: &str, bytes: &[u8]) -> Result<(SignedPlan, Plan), TimetableFault> {
    let no_plan = |problem: String| TimetableFault::NoPlan { name: name.to_owned(), problem };
    let signed =
        SignedPlan::parse(bytes).ok_or_else(|| no_plan("it has no envelope that is whole".into()))?;
    let plan = Plan::parse(&signed.plan).map_err(|error| no_plan(error.to_string()))?;
    Ok((signed, plan))
}

/// Now, by whole seconds: a plan is read by people too.
pub(super) fn now() -> Result<Timestamp, TimetableFault> {
    let now = Timestamp::try_from(clock::now()).map_err(|_| TimetableFault::Clock)?;
    Timestamp::from_second(now.as_second()).map_err(|_| TimetableFault::Clock)
}

/// Tells findings on standard error; the fault when one of them is an error.
pub(super) fn tell(findings: &[Finding]) -> Result<(), TimetableFault> {
    let mut out = io::stderr().lock();
    for finding in findings {
        writeln!(out, "{finding}")?;
    }
    judge(findings)
}

/// The fault when one of `findings` is an error.
pub(super) fn judge(findings: &[Finding]) -> Result<(), TimetableFault> {
    match findings.iter().filter(|finding| finding.weight == Weight::Error).count() {
        0 => Ok(()),
        count => Err(TimetableFault::Findings { count }),
    }
}

/// At most `limit` bytes of a file and one more, so that whoever reads it can tell that there are more.
fn bytes(path: &Path, limit: usize) -> Result<Vec<u8>, TimetableFault> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|source| TimetableFault::Unreadable { path: path.to_owned(), source })
}
