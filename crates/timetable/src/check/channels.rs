//! What channels show: one thing at a time.

use super::Placed;
use crate::file::{ChannelEntry, Timetable, clock_text};
use crate::finding::{Finding, Rule};
use jiff::civil::Date;
use package::Grade;

pub(super) fn check(timetable: &Timetable, date: Date, findings: &mut Vec<Finding>) {
    for item in timetable.day(date) {
        if let Some(channel) = &item.channel
            && timetable.channels.iter().all(|entry| entry.id != *channel)
        {
            let text = format!("channel `{channel}` is not described, add a [[channel]] with id and title");
            findings.push(item.spot.error(Rule::UnknownChannel, text));
        }
    }
    for (at, entry) in timetable.channels.iter().enumerate() {
        if timetable.channels.iter().take(at).any(|other| other.id == entry.id) {
            let text = format!("channel `{}` is described twice, take one away", entry.id);
            findings.push(entry.spot.error(Rule::Duplicate, text));
        }
        let mut before: Option<Placed<'_>> = None;
        for placed in airings(timetable, date, entry) {
            if let Some(other) = before.filter(|other| other.end() > placed.start) {
                let text = format!(
                    "`{}` begins at {} on channel `{}` while `{}` (line {}) runs until {}, move one of them or use another channel",
                    placed.item.id,
                    clock_text(placed.start),
                    entry.id,
                    other.item.id,
                    other.item.spot.line,
                    clock_text(other.end())
                );
                findings.push(placed.item.spot.error(Rule::Overlap, text));
            }
            if before.is_none_or(|other| other.end() < placed.end()) {
                before = Some(placed);
            }
        }
    }
}

/// Channels that nothing of the whole file is for: their addresses are answered with 404, as if nobody had described them.
pub(super) fn silent(timetable: &Timetable, findings: &mut Vec<Finding>) {
    let days = timetable.days();
    let shows = |entry| days.iter().any(|&date| !airings(timetable, date, entry).is_empty());
    for entry in timetable.channels.iter().filter(|entry| timetable.slate.is_none() && !shows(entry)) {
        let text = format!(
            "channel `{}` shows nothing and is not there, give it grades, name it as an item's channel, or say a slate",
            entry.id
        );
        findings.push(entry.spot.note(Rule::SilentChannel, text));
    }
}

/// What a channel shows, in order of time: the items that name it, and those of its grades that name none. The earliest
/// of its grades says when.
pub(crate) fn airings<'a>(timetable: &'a Timetable, date: Date, channel: &ChannelEntry) -> Vec<Placed<'a>> {
    let shown = timetable.day(date).into_iter().filter_map(|item| {
        let for_whom: Vec<Grade> = match &item.channel {
            Some(named) if *named != channel.id => return None,
            Some(_) => item.grades.clone(),
            None => item.grades.iter().copied().filter(|grade| channel.grades.contains(grade)).collect(),
        };
        let stagger = for_whom.iter().map(|&grade| timetable.stagger(grade)).min()?;
        Some(Placed { item, start: item.start.saturating_add(stagger) })
    });
    let mut shown: Vec<_> = shown.collect();
    shown.sort_by_key(|placed| (placed.start, &placed.item.id));
    shown
}
