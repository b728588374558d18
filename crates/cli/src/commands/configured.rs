//! `--check`: whether a service would start as it is configured, without starting it.

use faults::{AnyFault, Findings, note, say};
use std::path::Path;

/// `airclass edge --check`
pub(crate) fn check_edge(flags: &edge::Options, file: Option<&Path>) -> Result<(), AnyFault> {
    tell(edge::check(&settings::layered(flags, file)?))
}

/// `airclass origin --check`
pub(crate) fn check_origin(flags: &origin::Options, file: Option<&Path>) -> Result<(), AnyFault> {
    tell(origin::check(&settings::layered(flags, file)?))
}

/// `airclass steer --check`
pub(crate) fn check_steer(flags: &steer::Options, file: Option<&Path>) -> Result<(), AnyFault> {
    tell(steer::check(&settings::layered(flags, file)?))
}

/// A line for each fault, of which the last ends the process as a start would have ended; or what was looked at.
fn tell(mut findings: Findings) -> Result<(), AnyFault> {
    super::variables::strange().for_each(|what| findings.note(what));
    for what in findings.notes() {
        note!("note: {what}");
    }
    let counted = findings.counted();
    let mut faults = findings.into_faults();
    let Some(last) = faults.pop() else {
        say!("configuration ok: {counted}");
        return Ok(());
    };
    for fault in faults {
        note!("{fault}");
    }
    Err(last)
}
