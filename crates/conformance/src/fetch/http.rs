//! HTTP and HTTPS, with hyper and rustls.

mod connection;
mod pool;

use super::{Answer, Ask, Exchange, Fetch, FetchError};
use ::http::{HeaderMap, StatusCode, header};
use flate2::read::MultiGzDecoder;
use pool::Pool;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;
use url::Url;

/// Redirects followed for one object.
const MAX_REDIRECTS: usize = 5;
/// Questions at once: what a browser would ask of one server.
const PARALLEL: usize = 6;

/// How to reach servers.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Certificates to trust beside the system's, PEM.
    pub cacert: Option<PathBuf>,
    /// For a connection, and for each answer to come whole.
    pub timeout: Duration,
    /// Who asks.
    pub user_agent: &'static str,
    /// What is shown to one server, and to no other that it redirects to.
    pub bearer: Option<Bearer>,
}

/// A token for one server (RFC 6750 2.1).
#[derive(Clone)]
pub struct Bearer {
    /// Any address of the server.
    pub server: Url,
    /// The token.
    pub token: String,
}

/// Not in a log.
impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bearer").field("server", &self.server.as_str()).finish_non_exhaustive()
    }
}

impl Default for HttpOptions {
    /// Thirty seconds: a slow line takes that for a long segment.
    fn default() -> Self {
        Self { cacert: None, timeout: Duration::from_secs(30), user_agent: "airclass-check", bearer: None }
    }
}

/// Objects at `http:` and `https:` addresses.
#[derive(Debug)]
pub struct Http {
    runtime: Runtime,
    pool: Pool,
    timeout: Duration,
}

impl Http {
    /// A client.
    ///
    /// # Errors
    /// When the certificates cannot be read, the token cannot be in a header, or the system gives no threads.
    pub fn new(options: &HttpOptions) -> Result<Self, FetchError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { runtime, pool: Pool::new(options)?, timeout: options.timeout })
    }

    async fn follow(&self, ask: &Ask<'_>) -> Result<Answer, FetchError> {
        let mut url = ask.url.clone();
        let mut redirects = Vec::new();
        loop {
            let (status, headers, body) = self.pool.exchange(ask, &url).await?;
            if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
                if redirects.len() == MAX_REDIRECTS {
                    return Err(FetchError::Protocol(format!("more than {MAX_REDIRECTS} redirects")));
                }
                url = target(&url, &headers)?;
                redirects.push(url.clone());
                continue;
            }
            match status {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => {}
                StatusCode::NOT_FOUND | StatusCode::GONE => {
                    return Err(FetchError::Missing(format!("status {status}")));
                }
                other => return Err(FetchError::Status(other.as_u16())),
            }
            return answer(ask, status, headers, body, redirects);
        }
    }
}

impl Fetch for Http {
    fn get(&self, ask: &Ask<'_>) -> Result<Answer, FetchError> {
        self.runtime.block_on(async {
            let limit = || FetchError::Unreachable(format!("no whole answer within {:?}", self.timeout));
            tokio::time::timeout(self.timeout, self.follow(ask)).await.map_err(|_| limit())?
        })
    }

    fn parallel(&self) -> usize {
        PARALLEL
    }
}

fn target(from: &Url, headers: &HeaderMap) -> Result<Url, FetchError> {
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| FetchError::Protocol("a redirect without Location".to_owned()))?;
    from.join(location).map_err(|_| FetchError::Protocol(format!("a redirect to `{location}`")))
}

fn answer(
    ask: &Ask<'_>,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    redirects: Vec<Url>,
) -> Result<Answer, FetchError> {
    let gzip = headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip");
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let body = if gzip && !ask.head { gunzip(&body, ask.limit)? } else { body };
    let length = match status {
        StatusCode::PARTIAL_CONTENT => total(&headers),
        _ if ask.head => told.filter(|_| !gzip),
        _ => Some(body.len() as u64),
    };
    // A server may answer a range with the whole (RFC 9110 §14.2).
    let body = match ask.range {
        Some(_) if status == StatusCode::OK => super::cut(ask, body)?.body,
        _ => body,
    };
    Ok(Answer { body, length, http: Some(Exchange { headers, gzip, redirects }) })
}

/// `Content-Range: bytes 0-99/1234`
fn total(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_RANGE)?.to_str().ok()?.rsplit('/').next()?.parse().ok()
}

fn gunzip(body: &[u8], limit: u64) -> Result<Vec<u8>, FetchError> {
    let mut plain = Vec::new();
    let mut decoder = MultiGzDecoder::new(body).take(limit.saturating_add(1));
    decoder
        .read_to_end(&mut plain)
        .map_err(|error: io::Error| FetchError::Protocol(format!("its gzip cannot be undone: {error}")))?;
    if plain.len() as u64 > limit { Err(FetchError::TooLong(limit)) } else { Ok(plain) }
}
