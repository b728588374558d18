//! `rollback`, `delete` and `gc`.

use super::planned::{self, Showing};
use super::text::{bytes, say};
use super::{Clear, Delete, RollBack};
use crate::clock;
use faults::AnyFault;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use storage::{Collect, Kind, Removed};

/// `airclass package rollback`
pub(super) fn roll_back(options: &RollBack) -> Result<(), AnyFault> {
    let (runtime, store) = options.place.open()?;
    let done = runtime.block_on(storage::roll_back(&store, &options.lesson, options.to))?;
    let from = done.from.map_or_else(|| "deleted".to_owned(), |package| package.to_string());
    say(&format!("lesson {} is package {} again (was {from})", options.lesson, done.to));
    Ok(())
}

/// `airclass package delete`
pub(super) fn delete(options: &Delete) -> Result<(), AnyFault> {
    let (runtime, store) = options.place.open()?;
    runtime.block_on(storage::delete(&store, &options.lesson))?;
    say(&format!(
        "lesson {lesson} is deleted; `airclass package rollback {lesson}` brings it back until `gc` has removed its package",
        lesson = options.lesson
    ));
    // By a clock that says no year at all, every plan is still to come.
    let now = Timestamp::try_from(clock::now()).unwrap_or(Timestamp::UNIX_EPOCH);
    let lesson = &options.lesson;
    for Showing { date, begun } in runtime.block_on(planned::days(&store, &options.lesson, now))? {
        say(&match begun {
            false => format!(
                "note: the plan of {date} still shows it; take it out of that day's timetable and compile again"
            ),
            true => format!(
                "note: it has begun on {date} and stays on television; leave what has begun in that day's timetable, take later showings out and compile again, and `airclass purge --prefix https://HOST/lessons/{lesson}/` has edges forget it"
            ),
        });
    }
    Ok(())
}

/// `airclass package gc`
pub(super) fn gc(options: &Clear) -> Result<(), AnyFault> {
    let (runtime, store) = options.place.open()?;
    let how = Collect { grace: options.grace.0, dry_run: options.dry_run, now: clock::now() };
    let mut sums: BTreeMap<Kind, (usize, u64)> = BTreeMap::new();
    let mut on = |removed: Removed| {
        let (count, sum) = sums.entry(removed.kind).or_default();
        *count += 1;
        *sum += removed.bytes;
        if options.json {
            let Removed { kind, path, bytes } = &removed;
            say(&json!({"removed": kind.as_str(), "path": path, "bytes": bytes}).to_string());
        } else if removed.kind == Kind::Package {
            say(&format!("{}  {}", removed.path, bytes(removed.bytes)));
        }
    };
    let left = runtime.block_on(storage::collect(&store, &how, &mut on))?;
    if options.json {
        let removed: BTreeMap<_, _> = sums
            .iter()
            .map(|(kind, (count, bytes))| (kind.as_str(), json!({"count": count, "bytes": bytes})))
            .collect();
        let end = json!({
            "dry_run": options.dry_run, "removed": removed,
            "left": {"needed": left.needed, "young": left.young, "busy": left.busy},
        });
        say(&end.to_string());
        return Ok(());
    }
    let verb = if options.dry_run { "would be removed" } else { "removed" };
    for (kind, (count, sum)) in &sums {
        say(&format!("{count} x {} {verb}, {}", kind.as_str(), bytes(*sum)));
    }
    if sums.is_empty() {
        say("nothing to remove");
    }
    say(&format!(
        "packages left: {} needed, {} not old enough, {} in use by a publisher",
        left.needed, left.young, left.busy
    ));
    Ok(())
}
