//! `check`.

use super::fault::TimetableFault;
use super::{Check, read, stock};
use faults::AnyFault;
use serde_json::json;
use std::io::{self, Write};
use timetable::{Finding, Timetable, Weight};

/// `airclass timetable check`
pub(super) fn check(options: &Check) -> Result<(), AnyFault> {
    let (findings, about) = match read::timetable(&options.written)? {
        Err(findings) => (findings, String::new()),
        Ok(timetable) => {
            let stock = match &options.store {
                None => None,
                Some(store) => Some(stock::runtime()?.block_on(async {
                    let store = stock::open(store).await?;
                    stock::stock(&store, &timetable).await
                })?),
            };
            let mut findings = timetable::days_over(&timetable, read::now()?);
            findings.extend(timetable::check(&timetable, stock.as_ref()));
            (findings, about(&timetable))
        }
    };
    say(options, &findings, &about).map_err(TimetableFault::System)?;
    Ok(read::judge(&findings)?)
}

fn about(timetable: &Timetable) -> String {
    let (days, items, channels) = (timetable.days().len(), timetable.items.len(), timetable.channels.len());
    format!("{}: days: {days}, items: {items}, channels: {channels}", timetable.spot.file)
}

fn say(options: &Check, findings: &[Finding], about: &str) -> io::Result<()> {
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
    let errors = findings.iter().any(|finding| finding.weight == Weight::Error);
    if !options.json && !errors {
        writeln!(out, "{about}, notes: {}; nothing wrong", findings.len())?;
    }
    Ok(())
}
