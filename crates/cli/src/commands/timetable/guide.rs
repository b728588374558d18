//! `guide`.

use super::fault::TimetableFault;
use super::{Format, Guide, read, stock};
use faults::AnyFault;
use std::io::Write;
use timetable::guide::{Day, html, ics, xmltv};
use timetable::{Making, Plan, Stock};

/// `airclass timetable guide`
pub(super) fn guide(options: &Guide) -> Result<(), AnyFault> {
    let plans = match options.written.file.extension() {
        Some(extension) if extension == "json" => vec![read::plan(&options.written.file)?],
        _ => compiled(options)?,
    };
    let has = plans.iter().map(|plan| plan.date.to_string()).collect::<Vec<_>>().join(", ");
    let plans: Vec<&Plan> =
        plans.iter().filter(|plan| options.date.is_none_or(|date| date == plan.date)).collect();
    if let (Some(date), true) = (options.date, plans.is_empty()) {
        return Err(TimetableFault::Nothing { what: format!("day {date}"), has }.into());
    }
    let channel = options.channel.as_ref().map(|channel| channel.as_str());
    if let Some(channel) = channel.filter(|channel| plans.iter().all(|plan| plan.channel(channel).is_none()))
    {
        let has = plans.iter().flat_map(|plan| &plan.channels).map(|channel| channel.channel.as_str());
        let has = has.collect::<Vec<_>>().join(", ");
        return Err(TimetableFault::Nothing { what: format!("channel `{channel}`"), has }.into());
    }
    let text = match (options.format, &plans[..]) {
        (Format::Xmltv, _) => xmltv(&plans, channel).into_bytes(),
        (Format::Ics, _) => ics(&plans, channel).into_bytes(),
        (_, []) => Vec::new(),
        (Format::Json, [plan]) => Day::of(plan, channel).to_bytes(),
        (Format::Html, [plan]) => html(plan, channel).into_bytes(),
        (Format::Json | Format::Html, _) => {
            return Err(TimetableFault::Nothing { what: "one day to show; give --date".into(), has }.into());
        }
    };
    faults::say::out().write_all(&text).map_err(TimetableFault::System)?;
    Ok(())
}

/// A guide can be had before any lesson is there.
fn compiled(options: &Guide) -> Result<Vec<Plan>, AnyFault> {
    let timetable = match read::timetable(&options.written)? {
        Ok(timetable) => timetable,
        Err(findings) => {
            read::tell(&findings)?;
            return Ok(Vec::new());
        }
    };
    let stock = match &options.store {
        None => Stock::default(),
        Some(store) => stock::runtime()?.block_on(async {
            let store = stock::open(store).await?;
            stock::stock(&store, &timetable).await
        })?,
    };
    let made_at = read::now()?;
    let making = Making { made_at, edition: None, previous: None, day_before: None, allow_missing: true };
    let mut plans = Vec::new();
    for date in timetable.days() {
        match timetable::compile(&timetable, date, &stock, making) {
            Ok(plan) => plans.push(plan),
            Err(findings) => {
                read::tell(&findings)?;
                return Err(TimetableFault::Findings { count: findings.len() }.into());
            }
        }
    }
    Ok(plans)
}
