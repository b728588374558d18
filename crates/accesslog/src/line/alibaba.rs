//! The line of Alibaba's offline logs, so that what reads those reads ours, and our own words behind it:
//!
//! ```text
//! [time] client proxy ms "referer" "method URL" status request-bytes body-bytes HIT|MISS "agent" "type" ‖
//!   "lesson" "rung" "slot" cache serve|fill alone|coalesced protocol whole|cut "range" trace
//! ```

use super::{Second, Told, address, digits, hit, number, protocol};
use jiff::tz::{Offset, TimeZone};
use std::fmt::Write as _;
use std::io::Write as _;

/// Hours that Beijing is ahead of UTC.
const BEIJING: Offset = Offset::constant(8);

pub(super) fn write(told: &Told<'_>, second: &mut Second, out: &mut Vec<u8>) {
    let Told { entry, subject, lesson, slot, reader } = told;
    let (facts, words) = (&entry.facts, &entry.words);
    out.push(b'[');
    out.extend_from_slice(second.text(facts.at.as_second(), |text| {
        let time = TimeZone::fixed(BEIJING).to_datetime(facts.at);
        // Writing into memory does not fail.
        let _ = write!(text, "{}", time.strftime("%-d/%b/%Y:%H:%M:%S +0800"));
    }));
    out.extend_from_slice(b"] ");
    address(reader.address(entry), out);
    out.extend_from_slice(b" - ");
    number(facts.took.as_millis(), out);
    out.push(b' ');
    quoted(&[reader.referer(entry)], out);
    out.push(b' ');
    let scheme = if facts.https { " https://" } else { " http://" };
    quoted(&[words.method(), scheme, words.host(), reader.target(entry)], out);
    out.push(b' ');
    number(facts.status.as_u16(), out);
    out.extend_from_slice(b" 0 ");
    number(facts.sent, out);
    word(hit(facts.hit), out);
    out.push(b' ');
    for field in [words.agent(), words.content_type(), lesson, subject.rung, slot] {
        quoted(&[field], out);
        out.push(b' ');
    }
    out.extend_from_slice(facts.cache.as_bytes());
    word(if facts.fill { "fill" } else { "serve" }, out);
    word(if facts.coalesced { "coalesced" } else { "alone" }, out);
    word(protocol(facts.version), out);
    word(if facts.whole { "whole" } else { "cut" }, out);
    out.push(b' ');
    quoted(&[words.range()], out);
    out.push(b' ');
    out.extend_from_slice(&digits(facts.trace));
}

fn word(word: &str, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(word.as_bytes());
}

/// `-` for nothing. A quote, a backslash, or what is no printable ASCII stands as `\xHH`, as nginx writes it.
fn quoted(pieces: &[&str], out: &mut Vec<u8>) {
    out.push(b'"');
    let before = out.len();
    for piece in pieces {
        // All of it is looked at, many bytes at once; that one of them is odd is rare.
        if piece.bytes().fold(false, |odd, byte| odd | is_odd(byte)) {
            for byte in piece.bytes() {
                if is_odd(byte) {
                    let _ = write!(out, "\\x{byte:02X}");
                } else {
                    out.push(byte);
                }
            }
        } else {
            out.extend_from_slice(piece.as_bytes());
        }
    }
    if out.len() == before {
        out.push(b'-');
    }
    out.push(b'"');
}

const fn is_odd(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | ..b' ' | 0x7f..)
}
