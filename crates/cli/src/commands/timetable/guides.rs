//! Guides of channels, from all plans that are published.

use super::fault::TimetableFault;
use super::read;
use bytes::Bytes;
use faults::AnyFault;
use futures_util::{TryStreamExt, future};
use jiff::civil::Date;
use package::StorePath;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use storage::Store;
use timetable::guide::{LimitTable, ics, xmltv};
use timetable::{MAX_ENVELOPE_BYTES, Plan, days_path, limits_path, plan_path};

/// Writes them, of all days from the one before `first` on: what runs over midnight stays in them. `first` is today at the latest,
/// or who publishes next week takes this one away from receivers.
pub(super) async fn write(shelves: &[Store], first: Date) -> Result<(), AnyFault> {
    let first = first.yesterday().unwrap_or(first);
    for shelf in shelves {
        let dates = shelf.list(Some(&folder("plans"))).try_filter_map(|(path, _)| future::ok(date_of(&path)));
        let mut dates: Vec<Date> = dates.try_collect().await?;
        dates.sort_unstable();
        let days: Vec<String> = dates.iter().map(|date| format!("\"{date}\"")).collect();
        shelf.put(&days_path(), format!("{{\"days\":[{}]}}\n", days.join(",")).into()).await?;
        let mut plans: BTreeMap<Date, Plan> = BTreeMap::new();
        let mut all_read = true;
        for date in dates.into_iter().filter(|&date| date >= first) {
            let Some(found) = shelf.get(&plan_path(date), MAX_ENVELOPE_BYTES).await? else { continue };
            match read::plan_in(&plan_path(date).to_string(), &found.bytes) {
                Ok((_, plan)) => drop(plans.insert(date, plan)),
                // Nobody follows it, and what was asked for is published by now.
                Err(problem) => {
                    all_read = false;
                    writeln!(faults::say::out(), "note: {problem}; the guides leave {date} out")
                        .map_err(TimetableFault::System)?
                }
            }
        }
        let plans: Vec<&Plan> = plans.values().collect();
        if let Some(newest) = plans.last() {
            shelf.put(&limits_path(), LimitTable::of(newest).to_bytes().into()).await?;
        }
        let channels: BTreeSet<&str> =
            plans.iter().flat_map(|plan| &plan.channels).map(|channel| channel.channel.as_str()).collect();
        for channel in &channels {
            for (extension, text) in
                [("xml", xmltv(&plans, Some(channel))), ("ics", ics(&plans, Some(channel)))]
            {
                let path = StorePath::parse(&format!("guide/{channel}.{extension}"));
                let path = path.expect("a channel's name is part of a path");
                shelf.put(&path, Bytes::from(text)).await?;
            }
        }
        // A channel that is no more has no guide, which receivers would go on reading.
        if all_read {
            let kept: Vec<StorePath> =
                shelf.list(Some(&folder("guide"))).map_ok(|(path, _)| path).try_collect().await?;
            let is_gone =
                |path: &StorePath| channel_of(path).is_some_and(|channel| !channels.contains(channel));
            for path in kept.iter().filter(|path| is_gone(path)) {
                shelf.delete(path).await?;
            }
        }
    }
    Ok(())
}

fn folder(name: &str) -> StorePath {
    StorePath::parse(name).expect("a constant path is valid")
}

/// `plans/2026-09-01.json`
fn date_of(path: &StorePath) -> Option<Date> {
    path.as_str().split('/').next_back()?.strip_suffix(".json")?.parse().ok()
}

/// `guide/g9.xml`
fn channel_of(path: &StorePath) -> Option<&str> {
    let file = path.as_str().strip_prefix("guide/")?;
    file.strip_suffix(".xml").or_else(|| file.strip_suffix(".ics"))
}
