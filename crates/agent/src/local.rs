//! The edge beside us, by its admin listener.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest wait for an answer: a walk over millions of entries takes seconds.
const ANSWER: Duration = Duration::from_secs(60);
/// The largest answer.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// An edge's admin listener.
#[derive(Debug, Clone, Copy)]
pub struct Local(SocketAddr);

/// It gives no answer, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheard(pub String);

impl Local {
    /// At this address.
    pub fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.0
    }

    /// GET.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn get(&self, path: &str) -> Result<(StatusCode, Bytes), Unheard> {
        self.get_of(&self.0.to_string(), path).await.map(|answer| (answer.status(), answer.into_body()))
    }

    /// GET of what `host` has at `path`, with all that is said of it.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn get_of(&self, host: &str, path: &str) -> Result<Response<Bytes>, Unheard> {
        self.ask(Method::GET, host, path, Bytes::new()).await
    }

    /// POST.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn post(&self, path: &str, body: Bytes) -> Result<(StatusCode, Bytes), Unheard> {
        let answer = self.ask(Method::POST, &self.0.to_string(), path, body).await?;
        Ok((answer.status(), answer.into_body()))
    }

    async fn ask(
        &self,
        method: Method,
        host: &str,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, Unheard> {
        let unheard = |error: &dyn std::fmt::Display| Unheard(error.to_string());
        let exchange = async {
            let stream = TcpStream::connect(self.0).await.map_err(|error| unheard(&error))?;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
                .await
                .map_err(|error| unheard(&error))?;
            tokio::spawn(connection);
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::HOST, host)
                .body(Full::new(body))
                .map_err(|error| unheard(&error))?;
            let response = sender.send_request(request).await.map_err(|error| unheard(&error))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
            Ok(Response::from_parts(head, body.map_err(|error| unheard(&error))?.to_bytes()))
        };
        timeout(ANSWER, exchange).await.map_err(|_| Unheard("no answer in time".to_owned()))?
    }
}
