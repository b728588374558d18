//! How an answer is written down: one line, whatever clients put into their fields.

mod alibaba;
mod json;

use crate::entry::{Entry, Named};
use crate::mask;
use crate::options::Format;
use std::net::IpAddr;

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Whoever counts: no address, no query, no foreign path.
    Analysis,
    /// Whoever has the key.
    Security,
}

/// Appends a line and its end.
pub(crate) fn write(entry: &Entry, named: &Named, format: Format, reader: Reader, line: &mut Vec<u8>) {
    match format {
        Format::Json => json::write(entry, named, reader, line),
        Format::Alibaba => alibaba::write(entry, named, reader, line),
    }
    line.push(b'\n');
}

impl Reader {
    fn address(self, entry: &Entry) -> IpAddr {
        match self {
            Self::Analysis => mask::network(entry.client),
            Self::Security => entry.client.to_canonical(),
        }
    }

    /// Path and query, or the path alone.
    fn target(self, entry: &Entry) -> &str {
        match self {
            Self::Analysis => entry.words.path(),
            Self::Security => entry.words.target(),
        }
    }

    /// The whole field, or scheme and host of it.
    fn referer(self, entry: &Entry) -> &str {
        let whole = entry.words.referer();
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
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
        let mut words = Words::of(target, &fields);
        words.answered_with(Some(&content_type));
        Entry {
            at: "2026-09-01T00:30:07.250Z".parse().unwrap(),
            trace: 0x00ab_cdef,
            took: Duration::from_millis(1_542),
            client: "203.0.113.77".parse().unwrap(),
            port: 51_000,
            https: true,
            version: Version::HTTP_2,
            method: Method::GET,
            words,
            status: StatusCode::OK,
            sent: 191_000,
            whole: true,
            cache: "collapsed",
            hit: false,
            fill: true,
            coalesced: true,
        }
    }

    fn line(format: Format, reader: Reader, target: &str) -> String {
        let named = Named { lesson: "math-7-1".into(), slot: "08:30".into() };
        let mut line = Vec::new();
        write(&entry(target), &named, format, reader, &mut line);
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
