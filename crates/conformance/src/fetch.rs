//! Where bytes come from: the network, a folder, or a package that is not published yet.

mod folder;
pub(crate) mod http;
mod staged;

pub use folder::Folder;
pub use http::{Bearer, Http, HttpOptions};
pub use staged::Staged;
pub(crate) use staged::address as staged_address;

use ::http::HeaderMap;
use std::io;
use std::time::Duration;
use url::Url;

/// The longest text that is read. A day of segments is 2 MB.
pub(crate) const MAX_TEXT_BYTES: u64 = 16 << 20;
/// The longest segment that is read: two minutes of 17 Mbit/s.
pub(crate) const MAX_SEGMENT_BYTES: u64 = 256 << 20;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The address.
    pub url: &'a Url,
    /// First byte and length; the whole when `None`.
    pub range: Option<(u64, u64)>,
    /// The longest answer that is taken.
    pub limit: u64,
    /// Only whether it is there, and how long it is.
    pub head: bool,
}

impl<'a> Ask<'a> {
    /// A whole text.
    pub fn text(url: &'a Url) -> Self {
        Self { url, range: None, limit: MAX_TEXT_BYTES, head: false }
    }

    /// Media, or a part of it.
    pub fn media(url: &'a Url, range: Option<(u64, u64)>) -> Self {
        Self { url, range, limit: MAX_SEGMENT_BYTES, head: false }
    }

    /// Whether it is there.
    pub fn head(url: &'a Url) -> Self {
        Self { url, range: None, limit: MAX_SEGMENT_BYTES, head: true }
    }
}

/// What came.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The body, decoded; empty when only the head was asked for.
    pub body: Vec<u8>,
    /// Length of the whole object as far as it is known, encoding removed.
    pub length: Option<u64>,
    /// What HTTP said; `None` when it was no HTTP.
    pub http: Option<Exchange>,
}

/// What HTTP said.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// Fields of the last answer.
    pub headers: HeaderMap,
    /// The body was compressed by gzip on its way.
    pub gzip: bool,
    /// Where redirects led, in order.
    pub redirects: Vec<Url>,
}

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The name leads nowhere: 404, 410, no such file.
    #[error("is not there ({0})")]
    Missing(String),
    /// The server refuses or fails.
    #[error("status {0}")]
    Status(u16),
    /// Longer than anything of its kind.
    #[error("is longer than {0} bytes")]
    TooLong(u64),
    /// The address cannot be fetched with this.
    #[error("cannot be fetched: {0}")]
    Address(String),
    /// The connection failed.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The handshake failed.
    #[error("no TLS with it: {0}")]
    Tls(String),
    /// The answer is no proper one.
    #[error("answers with nonsense: {0}")]
    Protocol(String),
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Something that has objects by address. Asked from several threads at once.
pub trait Fetch: Sync {
    /// Gets one object, or a part of it.
    ///
    /// # Errors
    /// When it is not there or cannot be had.
    fn get(&self, ask: &Ask<'_>) -> Result<Answer, FetchError>;

    /// Waits before a playlist is read again.
    fn pause(&self, time: Duration) {
        pause(time);
    }

    /// How many questions at once are useful.
    fn parallel(&self) -> usize {
        std::thread::available_parallelism().map_or(2, usize::from).min(8)
    }
}

/// The asked part of a whole object.
fn cut(ask: &Ask<'_>, whole: Vec<u8>) -> Result<Answer, FetchError> {
    let length = whole.len() as u64;
    if length > ask.limit {
        return Err(FetchError::TooLong(ask.limit));
    }
    let body = match ask.range {
        _ if ask.head => Vec::new(),
        None => whole,
        Some((start, count)) => {
            let end = start.saturating_add(count).min(length);
            let part = usize::try_from(start).ok().zip(usize::try_from(end).ok());
            part.and_then(|(start, end)| whole.get(start..end)).map(<[u8]>::to_vec).unwrap_or_default()
        }
    };
    Ok(Answer { body, length: Some(length), http: None })
}

/// Watching a live window is waiting for time to pass, and for nothing else.
#[expect(
    clippy::disallowed_methods,
    reason = "between two readings of a playlist there is no event to wait for"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
