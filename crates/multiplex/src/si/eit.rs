//! EIT: what is on now, next and later (EN 300 468 5.2.4; how schedules are cut: ETSI TS 101 211 4.1.4).

use super::sdt::RUNNING;
use super::section::{Head, MAX_SECTION, descriptor, reserved, section};
use super::text::text;
use super::time::{clock, utc};
use crate::guide::{Event, Guide, Service};

/// `short_event_descriptor` (6.2.37).
const SHORT_EVENT: u8 = 0x4d;
const PRESENT_AND_FOLLOWING: u8 = 0x4e;
/// The first of the tables of the schedule: four days, beginning today at midnight UTC.
const SCHEDULE: u8 = 0x50;
/// A schedule is told in parts of three hours of up to eight sections.
const PART_S: u64 = 3 * 3_600;
const PARTS: u64 = 32;
const SECTIONS_PER_PART: usize = 8;
/// `running_status` (table 6).
const NOT_RUNNING: u16 = 1;
/// What a section holds beside events: head, fields of its own, checksum.
const SECTION_HEAD: usize = 3 + 5 + 6 + 4;
/// What four packets hold.
const SHORT_SECTION: usize = 4 * 184 - 1 - SECTION_HEAD;
/// Bytes of a descriptor's content.
const MAX_DESCRIPTOR: usize = 255;
/// Of which the name takes at most so many; the rest is for the text.
const MAX_TITLE: usize = 150;

/// Both sections of what is on in `segment` and what follows.
pub(crate) fn present_and_following(guide: &Guide, segment: u64, service: &Service) -> [Vec<u8>; 2] {
    let (present, following) = guide.present_and_following(segment);
    let version = guide.present_version(segment, service);
    let one = |number, event: Option<&Event>, status| {
        let events = event.map(|event| self::event(event, status, service)).unwrap_or_default();
        let head =
            Head { table: PRESENT_AND_FOLLOWING, extension: service.service, version, number, last: 1 };
        table(head, 1, PRESENT_AND_FOLLOWING, &events, service)
    };
    [one(0, present, RUNNING), one(1, following, NOT_RUNNING)]
}

/// The sections of the schedule from the part that `segment` is in up to the last with an event, within four days.
///
/// Short ones where it can be: between two sections of one PID nothing else of it may come, and what is on now must not
/// wait for them. What does not fit into the eight sections of a part is left out: that would be hundreds of programmes
/// in three hours.
pub(crate) fn schedule(guide: &Guide, segment: u64, service: &Service) -> Vec<Vec<u8>> {
    let seconds = |segment: u64| segment * grid::SEGMENT_MS / 1_000;
    let now = seconds(segment);
    let midnight = now - now % 86_400;
    let part_of = |event: &Event| seconds(event.start).checked_sub(midnight).map(|since| since / PART_S);
    let mut events: Vec<Vec<Vec<u8>>> = Vec::new();
    for event in guide.events() {
        let Some(part) = part_of(event).filter(|&part| part < PARTS) else { continue };
        events.resize_with(events.len().max(part as usize + 1), Vec::new);
        // Whether it runs is what the other table tells: here it would be a change without a new version.
        events[part as usize].push(self::event(event, 0, service));
    }
    let parts: Vec<Vec<Vec<u8>>> = events.iter().map(|events| sections(events)).collect();
    let version = guide.schedule_version(segment);
    let number = |part: usize, index: usize| (part * SECTIONS_PER_PART + index) as u8;
    // A part without an event still has a section.
    let count = |sections: &[Vec<u8>]| sections.len().max(1);
    let Some(last) = parts.last() else { return Vec::new() };
    let last = number(parts.len() - 1, count(last) - 1);
    let this_part = ((now - midnight) / PART_S) as usize;
    let mut out = Vec::new();
    for (part, sections) in parts.iter().enumerate().skip(this_part) {
        let last_of_part = number(part, count(sections) - 1);
        for index in 0..count(sections) {
            let events = sections.get(index).map(Vec::as_slice).unwrap_or_default();
            let number = number(part, index);
            let head = Head { table: SCHEDULE, extension: service.service, version, number, last };
            out.push(table(head, last_of_part, SCHEDULE, events, service));
        }
    }
    out
}

/// The events of a part as the content of its sections.
fn sections(events: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let total: usize = events.iter().map(Vec::len).sum();
    let longest = events.iter().map(Vec::len).max().unwrap_or(0);
    let most = (total / SECTIONS_PER_PART + longest).clamp(SHORT_SECTION, MAX_SECTION - SECTION_HEAD);
    let mut sections: Vec<Vec<u8>> = Vec::new();
    for event in events {
        match sections.last_mut() {
            Some(last) if last.len() + event.len() <= most => last.extend_from_slice(event),
            _ => sections.push(event.clone()),
        }
    }
    sections.truncate(SECTIONS_PER_PART);
    sections
}

fn table(head: Head, last_of_part: u8, last_table: u8, events: &[u8], service: &Service) -> Vec<u8> {
    let mut fields = service.transport_stream.to_be_bytes().to_vec();
    fields.extend_from_slice(&service.network.to_be_bytes());
    fields.extend_from_slice(&[last_of_part, last_table]);
    fields.extend_from_slice(events);
    section(head, &fields)
}

/// One event: id, start, duration, status, and its name.
fn event(event: &Event, status: u16, service: &Service) -> Vec<u8> {
    let title = text(&event.title, MAX_TITLE);
    let more = text(&event.text, MAX_DESCRIPTOR - 5 - title.len());
    let mut content = service.language.to_vec();
    content.push(title.len() as u8);
    content.extend_from_slice(&title);
    content.push(more.len() as u8);
    content.extend_from_slice(&more);
    let descriptor = descriptor(SHORT_EVENT, &content);
    // Starts between two seconds are told as the second they are in, and durations up to the next one's start.
    let start = event.start * grid::SEGMENT_MS / 1_000;
    let end = event.end() * grid::SEGMENT_MS / 1_000;
    let mut bytes = event.id().to_be_bytes().to_vec();
    bytes.extend_from_slice(&utc(start));
    bytes.extend_from_slice(&clock(end.saturating_sub(start)));
    bytes.extend_from_slice(&reserved(status << 13, descriptor.len() as u16));
    bytes.extend_from_slice(&descriptor);
    bytes
}
