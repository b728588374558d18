//! `diff`.

use super::fault::TimetableFault;
use super::{Diff, read};
use faults::AnyFault;
use serde_json::json;
use std::io::{self, Write};
use timetable::{Change, Plan};

/// `airclass timetable diff`
pub(super) fn diff(options: &Diff) -> Result<(), AnyFault> {
    let (before, after) = (read::plan(&options.before)?, read::plan(&options.after)?);
    if before.date != after.date {
        return Err(TimetableFault::OtherDays { before: before.date, after: after.date }.into());
    }
    let changes = timetable::diff(&before, &after);
    say(options, &before, &after, &changes).map_err(TimetableFault::System)?;
    Ok(())
}

fn say(options: &Diff, before: &Plan, after: &Plan, changes: &[Change]) -> io::Result<()> {
    let mut out = faults::say::out();
    let editions = [before.edition, after.edition];
    if options.json {
        return writeln!(out, "{}", json!({ "date": before.date, "editions": editions, "changes": changes }));
    }
    for change in changes {
        writeln!(out, "{change}")?;
    }
    let [first, second] = editions;
    writeln!(out, "{}: {} changes from edition {first} to {second}", before.date, changes.len())
}
