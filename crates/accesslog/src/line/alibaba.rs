//! The line of Alibaba's offline logs, so that what reads those reads ours, and our own words behind it:
//!
//! ```text
//! [time] client proxy ms "referer" "method URL" status request-bytes body-bytes HIT|MISS "agent" "type" ‖
//!   "lesson" "rung" "slot" cache serve|fill alone|coalesced protocol whole|cut "range" trace
//! ```

use super::Reader;
use crate::entry::{Entry, Named};
use http::Version;
use jiff::tz::{Offset, TimeZone};
use std::io::Write;

/// Hours that Beijing is ahead of UTC.
const BEIJING: Offset = Offset::constant(8);

pub(super) fn write(entry: &Entry, named: &Named, reader: Reader, out: &mut Vec<u8>) {
    let subject = entry.subject();
    let time = TimeZone::fixed(BEIJING).to_datetime(entry.at);
    let lesson = if named.lesson.is_empty() { subject.lesson } else { &named.lesson };
    let scheme = if entry.https { "https" } else { "http" };
    let (time, client, ms) =
        (time.strftime("%-d/%b/%Y:%H:%M:%S +0800"), reader.address(entry), entry.took.as_millis());
    // Writing into memory does not fail.
    let _ = write!(out, "[{time}] {client} - {ms} ");
    quoted(&[reader.referer(entry)], out);
    out.push(b' ');
    let (host, target) = (entry.words.host(), reader.target(entry));
    quoted(&[entry.method.as_str(), " ", scheme, "://", host, target], out);
    let _ = write!(out, " {} 0 {} {} ", entry.status.as_u16(), entry.sent, hit(entry.hit));
    for field in [entry.words.agent(), entry.words.content_type(), lesson, subject.rung, &named.slot] {
        quoted(&[field], out);
        out.push(b' ');
    }
    let fill = if entry.fill { "fill" } else { "serve" };
    let coalesced = if entry.coalesced { "coalesced" } else { "alone" };
    let whole = if entry.whole { "whole" } else { "cut" };
    let _ = write!(out, "{} {fill} {coalesced} {} {whole} ", entry.cache, protocol(entry.version));
    quoted(&[entry.words.range()], out);
    let _ = write!(out, " {:016x}", entry.trace);
}

/// `-` for nothing. A quote, a backslash, or what is no printable ASCII stands as `\xHH`, as nginx writes it.
fn quoted(pieces: &[&str], out: &mut Vec<u8>) {
    out.push(b'"');
    let before = out.len();
    for byte in pieces.iter().flat_map(|piece| piece.bytes()) {
        match byte {
            b'"' | b'\\' | ..b' ' | 0x7f.. => {
                let _ = write!(out, "\\x{byte:02X}");
            }
            byte => out.push(byte),
        }
    }
    if out.len() == before {
        out.push(b'-');
    }
    out.push(b'"');
}

pub(super) const fn hit(hit: bool) -> &'static str {
    if hit { "HIT" } else { "MISS" }
}

pub(super) fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "h2",
        Version::HTTP_3 => "h3",
        Version::HTTP_10 => "http/1.0",
        _ => "http/1.1",
    }
}
