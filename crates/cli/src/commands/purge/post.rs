//! Telling one edge.

use crate::commands::admin_listener::{AdminListener, host_of};
use ::purge::{Refused, Report};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest wait for an answer: a walk over millions of entries takes seconds, and others may wait before.
const ANSWER: Duration = Duration::from_secs(120);
/// The largest answer: a hundred of the longest URLs.
const MAX_ANSWER_BYTES: usize = 2 << 20;
/// An edge whose clock is behind, or that is busy, is told so often.
const TRIES: u32 = 5;
/// With so long between.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Why an edge has not obeyed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    /// It says so.
    #[error("{}: {}", .0.refused.as_str(), .0.problem)]
    Refused(Refused),
    /// Something answers that is no edge, or an older one.
    #[error("no_edge: it answers {0}, and not as an edge does; give the address of its admin listener")]
    NoEdge(StatusCode),
    /// Nothing answers.
    #[error("unreachable: {0}; give the address of its admin listener")]
    Unreachable(String),
    /// It does not answer in time; it may have obeyed.
    #[error("no_answer: it said nothing, and may have obeyed; give the order again")]
    NoAnswer,
}

impl AdminListener {
    /// Gives the order `sent`, and again where that may help.
    pub(super) async fn order(&self, sent: Bytes) -> Result<Report, PostError> {
        for _ in 1..TRIES {
            match self.order_once(sent.clone()).await {
                Err(PostError::Refused(Refused { refused, .. })) if refused.passes() => {
                    sleep(AGAIN_AFTER).await
                }
                end => return end,
            }
        }
        self.order_once(sent).await
    }

    async fn order_once(&self, sent: Bytes) -> Result<Report, PostError> {
        let unreachable = |error: &dyn fmt::Display| PostError::Unreachable(error.to_string());
        let stream = timeout(CONNECT, TcpStream::connect(&self.address))
            .await
            .map_err(|error| unreachable(&error))?
            .map_err(|error| unreachable(&error))?;
        timeout(ANSWER, self.exchange(stream, sent)).await.map_err(|_| PostError::NoAnswer)?
    }

    async fn exchange(&self, stream: TcpStream, sent: Bytes) -> Result<Report, PostError> {
        let host = host_of(&stream);
        // Once connected, an error leaves open whether the order has arrived.
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|_| PostError::NoAnswer)?;
        drop(tokio::spawn(connection));
        let request = Request::post("/purge")
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(sent))
            .expect("an address is a field value");
        let response = sender.send_request(request).await.map_err(|_| PostError::NoAnswer)?;
        let (status, body) = (response.status(), Limited::new(response.into_body(), MAX_ANSWER_BYTES));
        let text = body.collect().await.map_err(|_| PostError::NoAnswer)?.to_bytes();
        let answer = match status {
            StatusCode::OK => serde_json::from_slice(&text).map(Ok),
            _ => serde_json::from_slice(&text).map(|refused| Err(PostError::Refused(refused))),
        };
        answer.unwrap_or(Err(PostError::NoEdge(status)))
    }
}
