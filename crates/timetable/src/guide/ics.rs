//! iCalendar (RFC 5545), for the calendars of pupils and parents.

use super::{channels, entries};
use crate::plan::Plan;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The longest line, in octets, without its end (§3.1).
const LINE: usize = 75;

/// The guide of some days, of one channel or of all, as a calendar.
pub fn ics(plans: &[&Plan], channel: Option<&str>) -> String {
    let mut out = String::new();

    for line in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Airclass//Timetable//ZH", "CALSCALE:GREGORIAN"]
    {
        push(&mut out, line);
    }
    let zones: BTreeMap<_, _> = plans.iter().map(|plan| (zone_name(plan), offset(plan))).collect();
    for (zone, offset) in zones {
        push(&mut out, "BEGIN:VTIMEZONE");
        push(&mut out, &format!("TZID:{zone}"));
        // No zone known here changes its clocks.
        push(&mut out, "BEGIN:STANDARD");
        push(&mut out, "DTSTART:19700101T000000");
        push(&mut out, &format!("TZOFFSETFROM:{offset}"));
        push(&mut out, &format!("TZOFFSETTO:{offset}"));
        push(&mut out, "END:STANDARD");
        push(&mut out, "END:VTIMEZONE");
    }
    for channel in channels(plans, channel) {
        for (plan, entry) in entries(plans, channel) {
            let zone = zone_name(plan);
            let local = |moment: Timestamp| plan.zone.local(moment).strftime("%Y%m%dT%H%M%S").to_string();
            push(&mut out, "BEGIN:VEVENT");
            // The same event in every edition, so that calendars move it.
            push(&mut out, &format!("UID:{}-{}-{}@airclass", plan.date, channel.channel, entry.item));
            let stamp =
                jiff::tz::Offset::UTC.to_datetime(plan.made_at).strftime("%Y%m%dT%H%M%SZ").to_string();
            push(&mut out, &format!("DTSTAMP:{stamp}"));
            push(&mut out, &format!("SEQUENCE:{}", plan.edition.min(u64::from(u32::MAX >> 1))));
            push(&mut out, &format!("DTSTART;TZID={zone}:{}", local(entry.start)));
            push(&mut out, &format!("DTEND;TZID={zone}:{}", local(entry.end)));
            push(&mut out, &format!("SUMMARY:{}", text(entry.title)));
            push(&mut out, &format!("LOCATION:{}", text(&channel.title)));
            let subject = entry.subject.unwrap_or(entry.kind.name());
            push(&mut out, &format!("CATEGORIES:{}", text(subject)));
            push(&mut out, "END:VEVENT");
        }
    }
    push(&mut out, "END:VCALENDAR");
    out
}

/// A name without a colon, which a parameter could hold in quotes only.
fn zone_name(plan: &Plan) -> String {
    let name = plan.zone.to_string();
    if name.contains(':') { format!("UTC{}", name.replace(':', "")) } else { name }
}

fn offset(plan: &Plan) -> String {
    let offset = plan.zone.offset_s();
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}

/// §3.3.11
fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// One content line, folded between characters: the space in front of what goes on counts (§3.1).
pub(super) fn push(out: &mut String, line: &str) {
    let mut length = 0;
    for c in line.chars() {
        if length + c.len_utf8() > LINE {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out.push_str("\r\n");
}
