//! One JSON object a line. Names after Alibaba's and Tencent's real-time logs, where they have one.

use super::Reader;
use crate::entry::{Entry, Named};
use serde::Serialize;
use std::net::IpAddr;

#[derive(Serialize)]
struct Line<'a> {
    time: jiff::Timestamp,
    client_ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_port: Option<u16>,
    scheme: &'static str,
    proto: &'static str,
    method: &'a str,
    domain: &'a str,
    uri: &'a str,
    status: u16,
    request_time_ms: u64,
    body_bytes_sent: u64,
    whole: bool,
    hit_info: &'static str,
    cache: &'static str,
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
    trace: Trace,
}

/// Sixteen hexadecimal digits.
struct Trace(u64);

impl Serialize for Trace {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

pub(super) fn write(entry: &Entry, named: &Named, reader: Reader, out: &mut Vec<u8>) {
    let subject = entry.subject();
    let line = Line {
        time: entry.at,
        client_ip: reader.address(entry),
        client_port: (reader == Reader::Security).then_some(entry.port),
        scheme: if entry.https { "https" } else { "http" },
        proto: super::alibaba::protocol(entry.version),
        method: entry.method.as_str(),
        domain: entry.words.host(),
        uri: reader.target(entry),
        status: entry.status.as_u16(),
        request_time_ms: u64::try_from(entry.took.as_millis()).unwrap_or(u64::MAX),
        body_bytes_sent: entry.sent,
        whole: entry.whole,
        hit_info: super::alibaba::hit(entry.hit),
        cache: entry.cache,
        fill: entry.fill,
        coalesced: entry.coalesced,
        content_type: entry.words.content_type(),
        http_range: entry.words.range(),
        referer: reader.referer(entry),
        user_agent: entry.words.agent(),
        lesson: if named.lesson.is_empty() { subject.lesson } else { &named.lesson },
        package: subject.package,
        rung: subject.rung,
        slot: &named.slot,
        trace: Trace(entry.trace),
    };
    // Numbers and texts into memory: nothing that can fail.
    let _ = serde_json::to_writer(out, &line);
}
