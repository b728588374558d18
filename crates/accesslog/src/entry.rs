//! What is said of one answer.

use crate::words::Words;
use http::{StatusCode, Version};
use jiff::Timestamp;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// One answer, when it is over. Its words are its own, or (`&str`) in the text of its [`Batch`](crate::batch::Batch).
#[derive(Debug, Clone, Default)]
pub struct Entry<T = String> {
    /// What can be said without words.
    pub facts: Facts,
    /// What request and answer say.
    pub words: Words<T>,
}

/// What can be said of an answer without words: copied as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// When it was over.
    pub at: Timestamp,
    /// The number that the client was told (Airclass-Trace), by which a report of it is found.
    pub trace: u64,
    /// From the request's head to the answer's last byte, or until it was given up.
    pub took: Duration,
    /// The client.
    pub client: IpAddr,
    /// Its port.
    pub port: u16,
    /// Whether it came through TLS.
    pub https: bool,
    /// Of HTTP.
    pub version: Version,
    /// The answer's status.
    pub status: StatusCode,
    /// Bytes of its body that were handed over.
    pub sent: u64,
    /// Whether that was all of it.
    pub whole: bool,
    /// What became of the request, in the edge's word.
    pub cache: &'static str,
    /// Whether it was answered from the cache.
    pub hit: bool,
    /// Whether the upstream was asked on its behalf.
    pub fill: bool,
    /// Whether it waited for a fill that another request had begun.
    pub coalesced: bool,
}

impl Default for Facts {
    /// Of nothing yet.
    fn default() -> Self {
        Self {
            at: Timestamp::UNIX_EPOCH,
            trace: 0,
            took: Duration::ZERO,
            client: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 0,
            https: false,
            version: Version::HTTP_11,
            status: StatusCode::OK,
            sent: 0,
            whole: false,
            cache: "",
            hit: false,
            fill: false,
            coalesced: false,
        }
    }
}

impl<T: AsRef<str>> Entry<T> {
    /// `/lessons/<lesson>/…` or `/p/<package>/<rung>/<file>`, where a rung is `s2`, `audio/lo` or `ts/s1`: as far as they are there.
    pub(crate) fn subject(&self) -> Subject<'_> {
        let path = self.words.path();
        if let Some((lesson, _)) = path.strip_prefix("/lessons/").and_then(|rest| rest.split_once('/')) {
            return Subject { lesson, ..Subject::default() };
        }
        let Some((package, rest)) = path.strip_prefix("/p/").and_then(|rest| rest.split_once('/')) else {
            return Subject::default();
        };
        Subject { package, rung: rest.rsplit_once('/').map_or("", |(rung, _)| rung), ..Subject::default() }
    }
}

/// What a path is about; empty where it says nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject<'a> {
    pub(crate) lesson: &'a str,
    pub(crate) package: &'a str,
    pub(crate) rung: &'a str,
}

/// What the day plan calls a path's subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The lesson.
    pub lesson: String,
    /// When it opens, as HH:MM where its day is.
    pub slot: String,
}

#[cfg(test)]
mod tests {
    use crate::line::tests::entry;

    #[test]
    fn a_path_says_what_it_is_about() {
        for (path, lesson, package, rung) in [
            ("/lessons/maths-7/main.m3u8", "maths-7", "", ""),
            ("/lessons/maths-7", "", "", ""),
            ("/p/0123/s2/00001.m4s", "", "0123", "s2"),
            ("/p/0123/audio/lo/00001.m4s", "", "0123", "audio/lo"),
            ("/p/0123/ts/s1/00001.ts", "", "0123", "ts/s1"),
            ("/p/0123/manifest.json", "", "0123", ""),
            ("/p/0123/a?b=/c/d", "", "0123", ""),
            ("/p/0123", "", "", ""),
            ("/", "", "", ""),
        ] {
            let entry = entry(path);
            let subject = entry.subject();
            assert_eq!((subject.lesson, subject.package, subject.rung), (lesson, package, rung), "{path}");
        }
    }
}
