//! HTTP towards the server, over hyper and rustls as everywhere here, so that no second HTTP client comes along.

use super::body::Answer;
use super::connect::Dialer;
use super::taken::Taken;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Uri, header};
use hyper::client::conn::http1::SendRequest;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpResponseBody, HttpService,
};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Connections at the same time, in the whole process. An origin's answers from a bucket hold one each while they last.
const MAX_CONNECTIONS: usize = 1_024;
/// The longest wait for one of them.
const PLACE_WAIT: Duration = Duration::from_secs(5);
/// Unused connections kept.
const MAX_IDLE: usize = 64;
/// How long an unused connection is kept: less than what servers commonly allow.
const IDLE_FOR: Duration = Duration::from_secs(20);
/// From the last byte of the request that was taken to the answer's head. Listing a large folder takes servers seconds.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

pub(super) type Sender = SendRequest<HttpRequestBody>;

/// Gives `object_store` its HTTP client.
#[derive(Debug)]
pub(super) struct Connector(Arc<Pool>);

impl Connector {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self(Arc::new(Pool {
            dialer: Dialer::new()?,
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            idle: Mutex::default(),
        })))
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client(Arc::clone(&self.0))))
    }
}

#[derive(Debug)]
struct Client(Arc<Pool>);

/// All connections to the server.
pub(super) struct Pool {
    dialer: Dialer,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

/// A connection that nobody uses.
struct Idle {
    lease: Lease,
    since: Instant,
}

/// A connection in use.
pub(super) struct Lease {
    sender: Sender,
    taken: Taken,
    /// Scheme and authority.
    server: String,
    /// Which runtime carries it: another one may be gone, and its connections with it.
    runtime: Id,
    _place: OwnedSemaphorePermit,
}

impl HttpService for Client {
    fn call<'life0, 'async_trait>(
        &'life0 self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(Pool::exchange(Arc::clone(&self.0), request))
    }
}

impl Pool {
    async fn exchange(self: Arc<Self>, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let target = request.uri().clone();
        let mut request = origin_form(request)?;
        loop {
            let (mut lease, reused) = self.lease(&target).await?;
            match lease.taken.wait(ANSWER_WAIT, lease.sender.try_send_request(request)).await {
                Some(Ok(response)) => {
                    let (head, body) = response.into_parts();
                    let body = HttpResponseBody::new(Answer::new(body, lease, self));
                    return Ok(HttpResponse::from_parts(head, body));
                }
                Some(Err(mut failed)) => match failed.take_message() {
                    // The server had closed it while nobody looked. Nothing was sent, so another one may carry it.
                    Some(unsent) if reused => request = unsent,
                    _ => return Err(broken(failed.into_error())),
                },
                None => return Err(HttpError::new(HttpErrorKind::Timeout, late("no answer", ANSWER_WAIT))),
            }
        }
    }

    /// A connection to `target`'s server, and whether it has been used before.
    async fn lease(&self, target: &Uri) -> Result<(Lease, bool), HttpError> {
        let server = format!(
            "{}://{}",
            target.scheme_str().unwrap_or_default(),
            target.authority().map_or("", |a| a.as_str())
        );
        let runtime = Handle::current().id();
        if let Some(lease) = self.reuse(&server, runtime) {
            return Ok((lease, true));
        }
        let place = timeout(PLACE_WAIT, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(HttpError::new(HttpErrorKind::Connect, late("all connections are busy", PLACE_WAIT)));
        };
        let taken = Taken::new();
        let sender = self.dialer.dial(target, &taken).await;
        let sender = sender.map_err(|error| HttpError::new(HttpErrorKind::Connect, error))?;
        Ok((Lease { sender, taken, server, runtime, _place: place }, false))
    }

    /// The connection used last that still stands; what does not is dropped.
    fn reuse(&self, server: &str, runtime: Id) -> Option<Lease> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| !idle.lease.sender.is_closed() && idle.since.elapsed() < IDLE_FOR);
        let usable = |idle: &Idle| {
            idle.lease.server == server && idle.lease.runtime == runtime && idle.lease.sender.is_ready()
        };
        let place = idle.iter().rposition(usable)?;
        Some(idle.remove(place).lease)
    }

    /// Takes a connection back. One that still has to read the rest of an answer is not ready, and is not lent.
    pub(super) fn give_back(&self, lease: Lease) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE && !lease.sender.is_closed() {
            idle.push(Idle { lease, since: Instant::now() });
        }
    }
}

/// The request as HTTP/1.1 has it: path and query, the server's name in Host (RFC 9112 §3.2.1).
fn origin_form(request: HttpRequest) -> Result<Request<HttpRequestBody>, HttpError> {
    let (mut head, body) = request.into_parts();
    let host = head.uri.authority().map(|authority| HeaderValue::try_from(authority.as_str()));
    if let Some(Ok(host)) = host {
        head.headers.insert(header::HOST, host);
    }
    let path = head.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    head.uri = Uri::from(path);
    Ok(Request::from_parts(head, body))
}

/// A connection that broke before the answer's head. Whether the server acted on the request is not known, and need not
/// be: everything we send may be sent again, conditional puts too (see `settled`).
fn broken(error: hyper::Error) -> HttpError {
    let kind = if error.is_parse() { HttpErrorKind::Decode } else { HttpErrorKind::Request };
    HttpError::new(kind, io::Error::other(error))
}

pub(super) fn late(what: &str, waited: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("{what} within {waited:?}"))
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("free", &self.places.available_permits()).finish_non_exhaustive()
    }
}
