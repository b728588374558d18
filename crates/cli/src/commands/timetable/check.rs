//! `check`.

use super::fault::TimetableFault;
use super::published::{self, Next, Published};
use super::{Check, read, stock};
use faults::AnyFault;
use serde_json::json;
use std::io::{self, Write};
use timetable::{Finding, Section, Timetable, Weight};

/// What follows from items is told as a number: it is many lines, and nobody wrote it.
const WRITTEN: [Section; 3] = [Section::Guide, Section::Release, Section::Policy];

/// `airclass timetable check`
pub(super) fn check(options: &Check) -> Result<(), AnyFault> {
    let timetable = match read::timetable(&options.written)? {
        Ok(timetable) => timetable,
        Err(findings) => {
            say(options, &findings, &[], "").map_err(TimetableFault::System)?;
            return Ok(read::judge(&findings)?);
        }
    };
    let now = read::now()?;
    let (findings, days) = match &options.store {
        None => {
            let mut findings = timetable::days_over(&timetable, now);
            findings.extend(timetable::check(&timetable, None));
            (findings, Vec::new())
        }
        Some(store) => stock::runtime()?.block_on(async {
            let shelves = [stock::open(store).await?];
            let stock = stock::stock(&shelves[0], &timetable).await?;
            let published = Published::read(&shelves, &timetable).await?;
            let mut findings = published::findings(&published, &timetable, &stock, now);
            let days = published::next(&published, &timetable, &stock, now, &mut findings)?;
            Ok::<_, AnyFault>((findings, days))
        })?,
    };
    say(options, &findings, &days, &about(&timetable)).map_err(TimetableFault::System)?;
    Ok(read::judge(&findings)?)
}

fn about(timetable: &Timetable) -> String {
    let (days, items, channels) = (timetable.days().len(), timetable.items.len(), timetable.channels.len());
    format!("{}: days: {days}, items: {items}, channels: {channels}", timetable.spot.file)
}

fn say(options: &Check, findings: &[Finding], days: &[Next], about: &str) -> io::Result<()> {
    let mut out = faults::say::out();
    for finding in findings {
        if options.json {
            let finding = json!({
                "file": finding.spot.file.as_ref(),
                "line": finding.spot.line,
                "rule": finding.rule.as_str(),
                "error": finding.weight == Weight::Error,
                "text": finding.text,
            });
            writeln!(out, "{finding}")?;
        } else {
            writeln!(out, "{finding}")?;
        }
    }
    for day in days.iter().filter(|_| !options.json) {
        say_next(&mut out, day)?;
    }
    let errors = findings.iter().any(|finding| finding.weight == Weight::Error);
    if !options.json && !errors {
        writeln!(out, "{about}, notes: {}; nothing wrong", findings.len())?;
    }
    Ok(())
}

/// What is published of a day, and what would be otherwise.
fn say_next(out: &mut impl Write, day: &Next) -> io::Result<()> {
    let Next { date, edition, changes } = day;
    if changes.is_empty() {
        return writeln!(out, "{date}: edition {edition} is published and says the same");
    }
    writeln!(out, "{date}: edition {edition} is published, the next one would change")?;
    let (written, following): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| WRITTEN.contains(&change.section));
    for change in written {
        writeln!(out, "  {change}")?;
    }
    if following.is_empty() { Ok(()) } else { writeln!(out, "  and {} entries that follow", following.len()) }
}
