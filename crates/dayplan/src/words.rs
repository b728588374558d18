//! How pages say when something is, and where television shows it.

use crate::gate::{Airing, Told};
use jiff::Timestamp;
use jiff::tz::Offset;
use std::fmt::Write as _;
use timetable::Zone;

/// Where television shows a lesson, a paragraph each.
pub fn airings(told: &Told) -> String {
    let mut list = String::new();
    for Airing { channel, at, again } in &told.airings {
        let what = if *again { "重播" } else { "播出" };
        let (channel, at) = (escaped(channel), chinese(told.zone, *at));
        // Writing to a String does not fail.
        let _ = writeln!(list, "<p>电视频道“{channel}” {at} {what}</p>");
    }
    list
}

/// 9月1日 08:30
pub fn chinese(zone: Zone, moment: Timestamp) -> String {
    let local = zone.local(moment);
    format!("{}月{}日 {:02}:{:02}", local.month(), local.day(), local.hour(), local.minute())
}

/// 2026-09-01T08:30:00+08:00
pub fn english(zone: Zone, moment: Timestamp) -> String {
    let offset = Offset::from_seconds(zone.offset_s()).unwrap_or(Offset::UTC);
    moment.display_with_offset(offset).to_string()
}

/// Text as it stands in a page.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
