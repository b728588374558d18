//! A connection's sending half. Its other half runs as a task of this core until the upstream closes it or the sender
//! is dropped.

use super::UpstreamError;
use super::question::RequestBody;
use super::strict::{Answers, Strict};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

/// Sends requests, one after the other.
pub(super) struct Sender {
    requests: SendRequest<RequestBody>,
    answers: Answers,
    connection: AbortHandle,
}

/// Fields an answer may have.
const MAX_HEADERS: usize = 128;

impl Sender {
    /// Speaks HTTP/1.1 over `stream`.
    pub(super) async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    ) -> Result<Self, UpstreamError> {
        let (stream, answers) = Strict::new(stream);
        let (requests, connection) = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| UpstreamError::Protocol)?;
        let running = tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "upstream connection ended");
            }
        });
        Ok(Self { requests, answers, connection: running.abort_handle() })
    }

    /// Closes the connection at once, whatever goes on over it.
    pub(super) fn abort(&self) {
        self.connection.abort();
    }

    /// Whether a request may be sent this instant.
    pub(super) fn is_ready(&self) -> bool {
        self.requests.is_ready()
    }

    /// Waits until one may.
    pub(super) async fn ready(&mut self) -> hyper::Result<()> {
        self.requests.ready().await
    }

    /// Sends one and waits for the answer's header section.
    pub(super) async fn send_request(
        &mut self,
        request: Request<RequestBody>,
    ) -> hyper::Result<Response<Incoming>> {
        self.answers.expect();
        self.requests.send_request(request).await
    }
}
