//! Connections kept for the next question.

use super::connection::{self, Sender};
use super::{Bearer, HttpOptions};
use crate::fetch::{Ask, FetchError};
use ::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio_rustls::TlsConnector;
use url::Url;

/// Connections kept for one server.
const MAX_IDLE: usize = 8;

/// Idle connections by scheme, host and port.
pub(super) struct Pool {
    tls: TlsConnector,
    user_agent: &'static str,
    /// Of which server, and what it is shown.
    bearer: Option<(String, HeaderValue)>,
    idle: Mutex<HashMap<String, Vec<Sender>>>,
}

impl Pool {
    pub(super) fn new(options: &HttpOptions) -> Result<Self, FetchError> {
        let HttpOptions { cacert, user_agent, bearer, .. } = options;
        let bearer = bearer.as_ref().map(credentials).transpose()?;
        let tls = connection::tls(cacert.as_deref())?;
        Ok(Self { tls, user_agent, bearer, idle: Mutex::default() })
    }

    /// One question and its whole answer. A kept connection that turns out closed is replaced once.
    pub(super) async fn exchange(
        &self,
        ask: &Ask<'_>,
        url: &Url,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), FetchError> {
        let server = url.origin().ascii_serialization();
        while let Some(mut sender) = self.take(&server) {
            if sender.ready().await.is_ok()
                && let Ok(answer) = self.one(&mut sender, ask, url).await
            {
                self.keep(server, sender);
                return answer;
            }
        }
        let mut sender = connection::open(&self.tls, url).await?;
        let answer = self.one(&mut sender, ask, url).await;
        let answer = answer.map_err(|error| FetchError::Unreachable(error.to_string()))?;
        self.keep(server, sender);
        answer
    }

    /// The outer error is the connection's, the inner one the answer's.
    async fn one(&self, sender: &mut Sender, ask: &Ask<'_>, url: &Url) -> Result<Whole, hyper::Error> {
        let Ok(mut request) = request(ask, url) else {
            return Ok(Err(FetchError::Address(format!("{url} cannot be asked for"))));
        };
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(self.user_agent));
        if let Some((server, shown)) = &self.bearer
            && *server == url.origin().ascii_serialization()
        {
            headers.insert(header::AUTHORIZATION, shown.clone());
        }
        let (head, body) = sender.send_request(request).await?.into_parts();
        let limit = usize::try_from(ask.limit).unwrap_or(usize::MAX);
        let body = match Limited::new(body, limit).collect().await {
            Ok(body) => body.to_bytes().to_vec(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Ok(Err(FetchError::TooLong(ask.limit)));
            }
            Err(error) => return Ok(Err(FetchError::Protocol(format!("the answer breaks off: {error}")))),
        };
        Ok(Ok((head.status, head.headers, body)))
    }

    fn take(&self, server: &str) -> Option<Sender> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(server)?.pop()
    }

    fn keep(&self, server: String, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.entry(server).or_default();
        if kept.len() < MAX_IDLE && !sender.is_closed() {
            kept.push(sender);
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

type Whole = Result<(StatusCode, HeaderMap, Vec<u8>), FetchError>;

/// A server's name and the field it is sent, which logs leave out.
fn credentials(Bearer { server, token }: &Bearer) -> Result<(String, HeaderValue), FetchError> {
    let shown = HeaderValue::try_from(format!("Bearer {token}"));
    let mut shown = shown.map_err(|_| FetchError::Address("no header can hold the token".to_owned()))?;
    shown.set_sensitive(true);
    Ok((server.origin().ascii_serialization(), shown))
}

fn request(ask: &Ask<'_>, url: &Url) -> Result<Request<Empty<Bytes>>, ::http::Error> {
    let method = if ask.head { Method::HEAD } else { Method::GET };
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, host)
        .header(header::ACCEPT, "*/*");
    match ask.range {
        Some((start, length)) => {
            let last = start.saturating_add(length).saturating_sub(1);
            request = request.header(header::RANGE, format!("bytes={start}-{last}"));
        }
        // A range of what is compressed would be another range.
        None => request = request.header(header::ACCEPT_ENCODING, "gzip"),
    }
    request.body(Empty::new())
}
