//! One JSON object a line. Names after Alibaba's and Tencent's real-time logs, where they have one.

use super::{Reader, Second, Told, address, digits, hit, number, protocol};
use jiff::Timestamp;
use std::fmt::Write as _;
use std::io::Write as _;

pub(super) fn write(told: &Told<'_>, second: &mut Second, out: &mut Vec<u8>) {
    let Told { entry, subject, lesson, slot, reader } = told;
    let (facts, words) = (&entry.facts, &entry.words);
    out.extend_from_slice(br#"{"time":""#);
    time(facts.at, second, out);
    out.extend_from_slice(br#"","client_ip":""#);
    address(reader.address(entry), out);
    out.push(b'"');
    if *reader == Reader::Security {
        out.extend_from_slice(br#","client_port":"#);
        number(facts.port, out);
    }
    text(r#","scheme":"#, if facts.https { "https" } else { "http" }, out);
    text(r#","proto":"#, protocol(facts.version), out);
    text(r#","method":"#, words.method(), out);
    text(r#","domain":"#, words.host(), out);
    text(r#","uri":"#, reader.target(entry), out);
    out.extend_from_slice(br#","status":"#);
    number(facts.status.as_u16(), out);
    out.extend_from_slice(br#","request_time_ms":"#);
    number(u64::try_from(facts.took.as_millis()).unwrap_or(u64::MAX), out);
    out.extend_from_slice(br#","body_bytes_sent":"#);
    number(facts.sent, out);
    flag(r#","whole":"#, facts.whole, out);
    text(r#","hit_info":"#, hit(facts.hit), out);
    text(r#","cache":"#, facts.cache, out);
    flag(r#","fill":"#, facts.fill, out);
    flag(r#","coalesced":"#, facts.coalesced, out);
    text(r#","content_type":"#, words.content_type(), out);
    text(r#","http_range":"#, words.range(), out);
    text(r#","referer":"#, reader.referer(entry), out);
    text(r#","user_agent":"#, words.agent(), out);
    text(r#","lesson":"#, lesson, out);
    text(r#","package":"#, subject.package, out);
    text(r#","rung":"#, subject.rung, out);
    text(r#","slot":"#, slot, out);
    out.extend_from_slice(br#","trace":""#);
    out.extend_from_slice(&digits(facts.trace));
    out.extend_from_slice(br#""}"#);
}

/// RFC 3339 in UTC, with as many digits behind the second as say something.
fn time(at: Timestamp, second: &mut Second, out: &mut Vec<u8>) {
    let Ok(mut nanos) = u32::try_from(at.subsec_nanosecond()) else {
        // Before 1970. Writing into memory does not fail.
        let _ = write!(out, "{at}");
        return;
    };
    out.extend_from_slice(second.text(at.as_second(), |text| {
        let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
        let _ = write!(text, "{whole}");
        text.pop();
    }));
    if nanos > 0 {
        let mut digits = *b".000000000";
        for digit in digits[1..].iter_mut().rev() {
            *digit += u8::try_from(nanos % 10).unwrap_or_default();
            nanos /= 10;
        }
        let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        out.extend_from_slice(&digits[..end]);
    }
    out.push(b'Z');
}

/// A field whose value is text. `name` with its comma, quotes and colon.
fn text(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    // All of it is looked at, many bytes at once; that one of them has to be escaped is rare.
    if value.bytes().fold(false, |odd, byte| odd | (byte < b' ') | (byte == b'"') | (byte == b'\\')) {
        let _ = serde_json::to_writer(out, value);
    } else {
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
    }
}

fn flag(name: &str, value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Entry, Named};
    use crate::line::Scribe;
    use crate::line::tests::{entry, lent};
    use crate::options::Format;
    use http::Version;
    use serde::Serialize;
    use std::net::IpAddr;
    use std::time::Duration;

    /// As a serializer writes it.
    #[derive(Serialize)]
    struct Line<'a> {
        time: Timestamp,
        client_ip: IpAddr,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_port: Option<u16>,
        scheme: &'a str,
        proto: &'a str,
        method: &'a str,
        domain: &'a str,
        uri: &'a str,
        status: u16,
        request_time_ms: u64,
        body_bytes_sent: u64,
        whole: bool,
        hit_info: &'a str,
        cache: &'a str,
        fill: bool,
        coalesced: bool,
        content_type: &'a str,
        http_range: &'a str,
        referer: &'a str,
        user_agent: &'a str,
        lesson: &'a str,
        package: &'a str,
        rung: &'a str,
        slot: &'a str,
        trace: String,
    }

    fn serialized(entry: &Entry<&str>, named: &Named, reader: Reader) -> String {
        let (facts, words, subject) = (&entry.facts, &entry.words, entry.subject());
        let line = Line {
            time: facts.at,
            client_ip: reader.address(entry),
            client_port: (reader == Reader::Security).then_some(facts.port),
            scheme: if facts.https { "https" } else { "http" },
            proto: protocol(facts.version),
            method: words.method(),
            domain: words.host(),
            uri: reader.target(entry),
            status: facts.status.as_u16(),
            request_time_ms: u64::try_from(facts.took.as_millis()).unwrap(),
            body_bytes_sent: facts.sent,
            whole: facts.whole,
            hit_info: hit(facts.hit),
            cache: facts.cache,
            fill: facts.fill,
            coalesced: facts.coalesced,
            content_type: words.content_type(),
            http_range: words.range(),
            referer: reader.referer(entry),
            user_agent: words.agent(),
            lesson: if named.lesson.is_empty() { subject.lesson } else { &named.lesson },
            package: subject.package,
            rung: subject.rung,
            slot: &named.slot,
            trace: format!("{:016x}", facts.trace),
        };
        serde_json::to_string(&line).unwrap() + "\n"
    }

    #[test]
    fn a_line_is_what_a_serializer_would_write() {
        let named = [Named::default(), Named { lesson: "数学 \"7\"".into(), slot: "08:30".into() }];
        let mut scribes =
            [Reader::Analysis, Reader::Security].map(|reader| Scribe::new(reader, Format::Json));
        let mut line = Vec::new();
        // One behind the other: a second's text is used again, or made anew.
        for (number, (target, client, at)) in [
            ("/p/0123abc/s2/1.m4s?a=\"b\"", "203.0.113.77", "2026-09-01T00:30:07.25Z"),
            ("/p/0123abc/audio/lo/1.m4s", "2001:db8:1:2:3:4:5:6", "2026-09-01T00:30:07Z"),
            ("/lessons/math/a\\b", "::ffff:192.0.2.255", "2026-09-01T00:30:07.000000001Z"),
            ("/\u{6570}\u{1}\t\u{7f}", "::1", "2026-09-01T00:30:08.999999999Z"),
            ("/", "0.0.0.0", "2026-12-31T23:59:59.1Z"),
            ("*", "::", "2026-09-01T00:30:07.0102Z"),
            ("/a", "255.255.255.255", "1969-12-31T23:59:59.5Z"),
            ("/a", "255.255.255.255", "1970-01-01T00:00:00.5Z"),
        ]
        .into_iter()
        .enumerate()
        {
            let mut entry = entry(target);
            let odd = number % 2 == 1;
            entry.facts.at = at.parse().unwrap();
            entry.facts.client = client.parse().unwrap();
            (entry.facts.whole, entry.facts.hit, entry.facts.fill) = (odd, !odd, odd);
            (entry.facts.https, entry.facts.coalesced) = (odd, !odd);
            (entry.facts.sent, entry.facts.port) = (u64::MAX >> number, 443);
            entry.facts.took = Duration::from_micros(number as u64 * 999);
            if odd {
                entry.facts.version = [Version::HTTP_11, Version::HTTP_3][number / 2 % 2];
                entry.words.answered_with(None);
            }
            for scribe in &mut scribes {
                for named in &named {
                    line.clear();
                    scribe.write(&lent(&entry), named, &mut line);
                    let line = std::str::from_utf8(&line).unwrap();
                    assert_eq!(line, serialized(&lent(&entry), named, scribe.reader()));
                }
            }
        }
    }
}
