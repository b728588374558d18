//! A connection's sending half. Its other half runs as a task of this core until the upstream closes it or the sender
//! is dropped: at once where an exchange is given up before its answer, otherwise with a good-bye.

use super::UpstreamError;
use super::hangup::Heard;
use super::question::RequestBody;
use super::strict::{Answers, MAX_HEAD, Strict};
use super::width::Width;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

/// Sends requests, one after the other.
pub(super) struct Sender {
    requests: SendRequest<RequestBody>,
    answers: Answers,
    connection: AbortHandle,
    /// Whether it has sent something that there is no answer to.
    asks: bool,
    /// Where it leads to; `None`: not over the network.
    pub(super) peer: Option<SocketAddr>,
    pub(super) width: Width,
}

/// Fields an answer may have.
const MAX_HEADERS: usize = 128;

/// Bytes that are read at once, and so what a connection may hold beside the body that it brings: more than a header section may have
/// (`strict`). By itself hyper takes three times as much.
pub(crate) const READ: usize = 2 * MAX_HEAD;

impl Sender {
    /// Speaks HTTP/1.1 over `stream` with `parent`.
    pub(super) async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
        parent: &str,
    ) -> Result<Self, UpstreamError> {
        let (stream, answers) = Strict::new(Heard::new(stream), parent);
        let (requests, connection) = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .max_buf_size(READ)
            // Which a proxy takes out (RFC 9112 §5.1).
            .allow_spaces_after_header_name_in_responses(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| UpstreamError::Protocol)?;
        let running = tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "upstream connection ended");
            }
        });
        Ok(Self {
            requests,
            answers,
            connection: running.abort_handle(),
            asks: false,
            peer: None,
            width: Width::default(),
        })
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

    /// Whether anything has come in answer to the last one.
    pub(super) fn is_answered(&self) -> bool {
        self.answers.have_begun()
    }

    /// Sends one and waits for the answer's header section.
    pub(super) async fn send_request(
        &mut self,
        request: Request<RequestBody>,
    ) -> hyper::Result<Response<Incoming>> {
        self.answers.expect(request.uri());
        self.asks = true;
        let answer = self.requests.send_request(request).await;
        self.asks = answer.is_err();
        answer
    }
}

impl Drop for Sender {
    /// A good-bye behind what the upstream does not take would wait for it for ever.
    fn drop(&mut self) {
        if self.asks {
            self.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, DuplexStream, ReadBuf};
    use tokio::task::LocalSet;

    /// One whose good-bye does not go out, as of TLS behind what is not taken.
    struct Stuck(DuplexStream);

    impl AsyncRead for Stuck {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buffer)
        }
    }

    impl AsyncWrite for Stuck {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_exchange_that_is_given_up_closes_its_connection_also_where_no_good_bye_goes_out() {
        LocalSet::new()
            .run_until(async {
                let (mut upstream, ours) = tokio::io::duplex(1_024);
                let mut sender = Sender::over(Stuck(ours), "a").await.unwrap();
                let mut request = Request::new(RequestBody::Empty);
                request.headers_mut().insert("host", HeaderValue::from_static("a"));
                let limit = Duration::from_secs(1);
                assert!(tokio::time::timeout(limit, sender.send_request(request)).await.is_err());
                drop(sender);
                let mut sent = String::new();
                let ended = tokio::time::timeout(limit, upstream.read_to_string(&mut sent)).await;
                assert!(ended.is_ok() && sent.starts_with("GET "), "{ended:?} {sent}");
            })
            .await;
    }
}
