//! How an answer is written down: one line, whatever clients put into their fields.

mod alibaba;
mod json;

use crate::entry::{Entry, Named, Subject};
use crate::mask;
use crate::options::Format;
use http::Version;
use std::io::Write;
use std::net::IpAddr;

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Whoever counts: no address, no query, no foreign path.
    Analysis,
    /// Whoever has the key.
    Security,
}

/// Who writes the lines of one log.
#[derive(Debug)]
pub(crate) struct Scribe {
    reader: Reader,
    format: Format,
    second: Second,
}

/// What was written of a time last: thousands of answers are over in one second.
#[derive(Debug, Default)]
struct Second {
    /// Since 1970.
    of: Option<i64>,
    text: String,
}

impl Second {
    /// Its text, made by `say` where it is another second than before.
    fn text(&mut self, second: i64, say: impl FnOnce(&mut String)) -> &[u8] {
        if self.of != Some(second) {
            self.text.clear();
            say(&mut self.text);
            self.of = Some(second);
        }
        self.text.as_bytes()
    }
}

/// What a line tells, in whichever form.
struct Told<'a> {
    entry: &'a Entry<&'a str>,
    subject: Subject<'a>,
    /// As the plan calls it, or else the path.
    lesson: &'a str,
    slot: &'a str,
    reader: Reader,
}

impl Scribe {
    pub(crate) fn new(reader: Reader, format: Format) -> Self {
        Self { reader, format, second: Second::default() }
    }

    pub(crate) fn reader(&self) -> Reader {
        self.reader
    }

    /// Appends a line and its end.
    pub(crate) fn write(&mut self, entry: &Entry<&str>, named: &Named, line: &mut Vec<u8>) {
        let subject = entry.subject();
        let lesson = if named.lesson.is_empty() { subject.lesson } else { &named.lesson };
        let told = Told { entry, subject, lesson, slot: &named.slot, reader: self.reader };
        match self.format {
            Format::Json => json::write(&told, &mut self.second, line),
            Format::Alibaba => alibaba::write(&told, &mut self.second, line),
        }
        line.push(b'\n');
    }
}

impl Reader {
    fn address(self, entry: &Entry<&str>) -> IpAddr {
        match self {
            Self::Analysis => mask::network(entry.facts.client),
            Self::Security => entry.facts.client.to_canonical(),
        }
    }

    /// Path and query, or the path alone.
    fn target<'a>(self, entry: &'a Entry<&str>) -> &'a str {
        match self {
            Self::Analysis => entry.words.path(),
            Self::Security => entry.words.target(),
        }
    }

    /// The whole field, or scheme and host of it.
    fn referer<'a>(self, entry: &'a Entry<&str>) -> &'a str {
        let whole = entry.words.referer();
        if whole.is_empty() {
            return whole;
        }
        match (self, whole.find("://")) {
            (Self::Security, _) => whole,
            (Self::Analysis, None) => "",
            (Self::Analysis, Some(at)) => {
                let end = whole[at + 3..].find(['/', '?', '#']).map_or(whole.len(), |end| at + 3 + end);
                &whole[..end]
            }
        }
    }
}

const fn hit(hit: bool) -> &'static str {
    if hit { "HIT" } else { "MISS" }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "h2",
        Version::HTTP_3 => "h3",
        Version::HTTP_10 => "http/1.0",
        _ => "http/1.1",
    }
}

/// Decimal digits.
fn number(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// As `Display` writes it, which takes longer for what most addresses are.
fn address(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    out.push(b'.');
                }
                number(octet, out);
            }
        }
        // Writing into memory does not fail.
        IpAddr::V6(address) => drop(write!(out, "{address}")),
    }
}

/// A trace's sixteen hexadecimal digits.
#[must_use]
pub fn digits(trace: u64) -> [u8; 16] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 16];
    for (place, digit) in text.iter_mut().rev().enumerate() {
        *digit = DIGITS[usize::try_from(trace >> (4 * place) & 0xf).unwrap_or_default()];
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::entry::Facts;
    use crate::words::{Fields, Words};
    use http::{HeaderValue, Method, StatusCode, Version};
    use std::time::Duration;

    pub(crate) fn entry(target: &str) -> Entry {
        let field = |text: &'static str| HeaderValue::from_static(text);
        let [referer, agent, range, content_type] = [
            field("https://school.example/class/7?pupil=12"),
            field("Mozilla/5.0 (\\\"x\")"),
            field("bytes=0-1"),
            field("video/iso.segment"),
        ];
        let fields = Fields {
            host: "lessons.example",
            referer: Some(&referer),
            agent: Some(&agent),
            range: Some(&range),
        };
        let mut words = Words::default();
        words.asked(&Method::GET, target, &fields);
        words.answered_with(Some(&content_type));
        let facts = Facts {
            at: "2026-09-01T00:30:07.250Z".parse().unwrap(),
            trace: 0x00ab_cdef,
            took: Duration::from_millis(1_542),
            client: "203.0.113.77".parse().unwrap(),
            port: 51_000,
            https: true,
            version: Version::HTTP_2,
            status: StatusCode::OK,
            sent: 191_000,
            whole: true,
            cache: "collapsed",
            hit: false,
            fill: true,
            coalesced: true,
        };
        Entry { facts, words }
    }

    /// As it stands in a batch.
    pub(super) fn lent(entry: &Entry) -> Entry<&str> {
        let Words { text, ends } = &entry.words;
        Entry { facts: entry.facts, words: Words { text, ends: *ends } }
    }

    fn line(format: Format, reader: Reader, target: &str) -> String {
        let named = Named { lesson: "math-7-1".into(), slot: "08:30".into() };
        let mut line = Vec::new();
        Scribe::new(reader, format).write(&lent(&entry(target)), &named, &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn alibabas_tools_can_read_it() {
        let target = "/p/0123abc/s2/00001.m4s?token=secret";
        assert_eq!(
            line(Format::Alibaba, Reader::Analysis, target),
            "[1/Sep/2026:08:30:07 +0800] 203.0.113.0 - 1542 \"https://school.example\" \"GET https://lessons.example/p/0123abc/s2/00001.m4s\" 200 0 191000 MISS \"Mozilla/5.0 (\\x5C\\x22x\\x22)\" \"video/iso.segment\" \"math-7-1\" \"s2\" \"08:30\" collapsed fill coalesced h2 whole \"bytes=0-1\" 0000000000abcdef\n"
        );
        let full = line(Format::Alibaba, Reader::Security, target);
        assert!(
            full.contains(" 203.0.113.77 ") && full.contains("?token=secret\"") && full.contains("pupil=12")
        );
    }

    #[test]
    fn json_is_one_object_a_line() {
        let said = line(Format::Json, Reader::Analysis, "/p/0123abc/s2/00001.m4s?token=secret");
        let object: serde_json::Value = serde_json::from_str(&said).unwrap();
        for (field, value) in [
            ("client_ip", "203.0.113.0"),
            ("uri", "/p/0123abc/s2/00001.m4s"),
            ("referer", "https://school.example"),
            ("lesson", "math-7-1"),
            ("rung", "s2"),
            ("slot", "08:30"),
            ("cache", "collapsed"),
            ("hit_info", "MISS"),
            ("time", "2026-09-01T00:30:07.25Z"),
            ("trace", "0000000000abcdef"),
        ] {
            assert_eq!(object[field], value, "{field}: {said}");
        }
        assert_eq!((object["coalesced"].as_bool(), object["fill"].as_bool()), (Some(true), Some(true)));
        assert_eq!(
            (object["status"].as_u64(), object["body_bytes_sent"].as_u64()),
            (Some(200), Some(191_000))
        );
        assert!(!said.contains("secret") && !said.contains("pupil") && !said.contains(".77"), "{said}");
        let full = line(Format::Json, Reader::Security, "/a?token=secret");
        assert!(full.contains("secret") && full.contains("203.0.113.77") && full.contains("51000"), "{full}");
    }
}
