//! One request and its answer.

use super::connect::Dial;
use super::pool::{Lease, Pool};
use super::{Address, UpstreamError};
use crate::metrics::Metrics;
use crate::options::UpstreamLimits;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, Version, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::timeout;

/// One core's way to the upstream.
#[derive(Clone)]
pub(crate) struct Upstream {
    address: Arc<Address>,
    limits: UpstreamLimits,
    pool: Rc<Pool>,
    metrics: Arc<Metrics>,
}

/// An answer whose body is still to come.
pub(crate) type UpstreamResponse = Response<Incoming>;

/// What is asked, without its body.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) method: &'a Method,
    /// Path and query.
    pub(crate) target: &'a Uri,
    /// End-to-end fields; Host becomes the upstream's own.
    pub(crate) headers: &'a HeaderMap,
}

impl Question<'_> {
    fn request(&self, address: &Address, body: RequestBody) -> Request<RequestBody> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.clone();
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(header::HOST, address.authority().clone());
        request
    }
}

/// What is sent with a request.
pub(crate) enum RequestBody {
    /// Nothing.
    Empty,
    /// The client's own body, passed on as it comes.
    Client(Incoming),
}

impl RequestBody {
    fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Client(body) => body.is_end_stream(),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Client(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Client(body) => body.size_hint(),
        }
    }
}

/// Tries on kept connections that turn out to be closed, before a new one is made.
const MAX_STALE_CONNECTIONS: usize = 3;

impl Upstream {
    pub(crate) fn new(
        address: Arc<Address>,
        dial: Dial,
        limits: UpstreamLimits,
        metrics: Arc<Metrics>,
    ) -> Self {
        let pool = Pool::new(dial, &limits, Arc::clone(&metrics));
        Self { address, limits, pool, metrics }
    }

    /// Waits and bounds towards the upstream.
    pub(crate) fn limits(&self) -> &UpstreamLimits {
        &self.limits
    }

    /// Asks and waits for the header section.
    ///
    /// A question without a body that may be repeated (RFC 9110 §9.2.2) is asked again when a kept connection turns out to
    /// be closed (RFC 9112 §9.3.1); nothing else is repeated here, and anything else gets a connection of its own.
    pub(crate) async fn exchange(
        &self,
        question: Question<'_>,
        body: RequestBody,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let result = self.try_exchange(question, body).await;
        if let Err(error) = result {
            self.metrics.upstream_failed(error);
        }
        result
    }

    async fn try_exchange(
        &self,
        question: Question<'_>,
        body: RequestBody,
    ) -> Result<UpstreamResponse, UpstreamError> {
        if question.method.is_idempotent() && body.is_empty() {
            for _ in 0..MAX_STALE_CONNECTIONS {
                let Some(lease) = self.pool.idle() else { break };
                match self.send(lease, question.request(&self.address, RequestBody::Empty)).await {
                    Err(UpstreamError::Protocol) => {}
                    result => return result,
                }
            }
        }
        let lease = self.pool.connect(self.limits.connect).await?;
        self.send(lease, question.request(&self.address, body)).await
    }

    async fn send(
        &self,
        mut lease: Lease,
        request: Request<RequestBody>,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let answer = timeout(self.limits.response, lease.sender.send_request(request)).await;
        let response = match answer {
            Err(_) => return Err(UpstreamError::ResponseTimeout),
            Ok(Err(error)) if error.is_user() => return Err(UpstreamError::RequestBody),
            Ok(Err(error)) => {
                tracing::debug!(%error, reused = lease.reused, "upstream exchange");
                return Err(UpstreamError::Protocol);
            }
            Ok(Ok(response)) => response,
        };
        self.pool.give_back(lease);
        Ok(response)
    }
}
