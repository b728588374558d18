//! One question to a node, and what came of it.

use crate::outcome::{CacheResult, ErrorKind};
use crate::retry::Class;
use bytes::Bytes;
use hls::ByteRange;
use http::StatusCode;
use http::uri::PathAndQuery;
use std::time::Duration;

/// Who can be asked: a connection to a node, or a script.
pub(crate) trait Fetch {
    /// Asks once, and reads the answer to its end.
    ///
    /// # Errors
    /// When no whole answer comes.
    async fn get(&mut self, ask: Ask<'_>) -> Result<Answer, Failure>;
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) path: &'a PathAndQuery,
    /// A part of it.
    pub(crate) range: Option<ByteRange>,
    /// Media is counted and thrown away as it comes; playlists are kept.
    pub(crate) class: Class,
}

/// A whole answer, of whatever status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) cache: CacheResult,
    /// Of the body, as they were sent.
    pub(crate) bytes: u64,
    /// The body of a playlist.
    pub(crate) text: Bytes,
    /// Whether the text is compressed.
    pub(crate) gzip: bool,
    /// From the question to the end.
    pub(crate) took: Duration,
}

/// No whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    /// That came nevertheless.
    pub(crate) bytes: u64,
}

impl Failure {
    pub(crate) const fn early(kind: ErrorKind) -> Self {
        Self { kind, bytes: 0 }
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            status: StatusCode::OK,
            retry_after: None,
            cache: CacheResult::Untold,
            bytes: 0,
            text: Bytes::new(),
            gzip: false,
            took: Duration::ZERO,
        }
    }
}
