//! HTTP/2 over TLS, by hyper's client: several ask at a time on one connection.

use super::connection::LARGE;
use super::{Question, Target};
use crate::tls;
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::header::RANGE;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::SockRef;
use std::time::Duration;
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Bytes that a server may send ahead, for one answer and for the connection: what Chromium offers.
const WINDOWS: (u32, u32) = (6 << 20, 15 << 20);

/// One of several who ask on a connection. It lives as long as one of them.
#[derive(Clone)]
pub(super) struct Streams(SendRequest<Empty<Bytes>>);

impl Streams {
    pub(super) async fn open(target: &Target) -> Result<Self> {
        let config = target.tls.clone().context("HTTP/2 is asked for over TLS only, as browsers do")?;
        let stream = TcpStream::connect(target.address)
            .await
            .with_context(|| format!("{} takes no connection", target.address))?;
        stream.set_nodelay(true)?;
        // As in `Connection::open`.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        let stream = BufReader::with_capacity(LARGE, stream);
        let stream =
            TlsConnector::from(config).connect(tls::server_name(), stream).await.context("TLS handshake")?;
        ensure!(stream.get_ref().1.alpn_protocol() == Some(tls::H2), "the server does not choose HTTP/2");
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WINDOWS.0)
            .initial_connection_window_size(WINDOWS.1)
            .handshake(TokioIo::new(stream))
            .await?;
        // Ends when the last asker is gone; what goes wrong before, they are told.
        drop(tokio::spawn(async move { drop(connection.await) }));
        Ok(Self(sender))
    }

    /// Asks, and compares every byte with what it must be.
    pub(super) async fn ask_and_compare(&mut self, question: &Question) -> Result<()> {
        let body = self.ask(question).await?.into_body().collect().await?.to_bytes();
        ensure!(body == question.expected(), "{} differs", question.path);
        Ok(())
    }

    /// Asks, and throws the body away. How long it was.
    pub(super) async fn ask_and_discard(&mut self, question: &Question) -> Result<u64> {
        let mut body = self.ask(question).await?.into_body();
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            length += frame?.data_ref().map_or(0, Bytes::len);
        }
        ensure!(length == question.length(), "{length} bytes instead of {}", question.length());
        Ok(length as u64)
    }

    async fn ask(&mut self, question: &Question) -> Result<Response<Incoming>> {
        let mut request = Request::get(format!("https://{}{}", tls::HOST, question.path));
        if let Some(range) = question.range_field() {
            request = request.header(RANGE, range);
        }
        self.0.ready().await?;
        let response = self.0.send_request(request.body(Empty::new())?).await?;
        let status = response.status().as_u16();
        ensure!(status == question.status(), "{} answered {status}", question.path);
        Ok(response)
    }
}
