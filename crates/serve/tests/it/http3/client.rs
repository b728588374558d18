//! Clients: one that keeps the rules, and one that writes every byte of a stream itself.

use crate::server::Server;
use crate::tls::Files;
use bytes::{Buf, Bytes};
use h3::client::SendRequest;
use http::{HeaderMap, Request, StatusCode};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint, RecvStream, SendStream, TransportConfig, VarInt};
use rustls::version::TLS13;
use serve::{LimitOptions, Options};
use std::future::poll_fn;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

pub(super) const DATA: u64 = 0;
pub(super) const HEADERS: u64 = 1;
pub(super) const SETTINGS: u64 = 4;
pub(super) const GOAWAY: u64 = 7;

/// Error codes (RFC 9114 §8.1).
pub(super) const STREAM_CREATION_ERROR: u64 = 0x103;
pub(super) const CLOSED_CRITICAL_STREAM: u64 = 0x104;
pub(super) const FRAME_UNEXPECTED: u64 = 0x105;
pub(super) const FRAME_ERROR: u64 = 0x106;
pub(super) const EXCESSIVE_LOAD: u64 = 0x107;
pub(super) const ID_ERROR: u64 = 0x108;
pub(super) const REQUEST_REJECTED: u64 = 0x10b;
pub(super) const MESSAGE_ERROR: u64 = 0x10e;
pub(super) const DECOMPRESSION_FAILED: u64 = 0x200;
pub(super) const ENCODER_STREAM_ERROR: u64 = 0x201;

/// A server that speaks HTTP/3, and what a client has to trust.
pub(super) struct Scene {
    pub(super) server: Server,
    pub(super) files: Files,
}

impl Scene {
    pub(super) fn start(limits: LimitOptions) -> Self {
        Self::with(Options { limits: Some(limits), ..Options::default() })
    }

    pub(super) fn with(options: Options) -> Self {
        let files = Files::make(&[&["localhost"]]);
        let server = files.server_with(Options { http3: Some(true), ..options });
        Self { server, files }
    }

    /// With listeners of their own settings alone.
    pub(super) fn with_tables(options: Options) -> Self {
        let files = Files::make(&[&["localhost"]]);
        let (cert, key) = (Some(files.cert.clone()), Some(files.key.clone()));
        let server = Server::with(Options { cert, key, ..options });
        Self { server, files }
    }

    /// A client of its own port, before it has connected to anything.
    pub(super) fn endpoint(&self, transport: TransportConfig) -> Endpoint {
        let mut tls = Arc::unwrap_or_clone(self.files.client(&TLS13));
        tls.alpn_protocols = vec![b"h3".to_vec()];
        let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
        config.transport_config(Arc::new(transport));
        let mut endpoint = Endpoint::client(any()).unwrap();
        endpoint.set_default_client_config(config);
        endpoint
    }

    pub(super) async fn connect(&self) -> Connection {
        connect(&self.endpoint(TransportConfig::default()), self.server.address()).await
    }

    /// By the rules.
    pub(super) async fn client(&self) -> Client {
        Client::over(self.connect().await).await
    }

    /// Without any.
    pub(super) async fn wire(&self) -> Wire {
        Wire::over(self.connect().await).await
    }
}

/// A port of this machine's choice.
pub(super) fn any() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// A socket of one, which waits for nothing.
pub(super) fn udp() -> tokio::net::UdpSocket {
    let socket = UdpSocket::bind(any()).unwrap();
    socket.set_nonblocking(true).unwrap();
    tokio::net::UdpSocket::from_std(socket).unwrap()
}

pub(super) async fn connect(endpoint: &Endpoint, address: SocketAddr) -> Connection {
    endpoint.connect(address, "localhost").unwrap().await.unwrap()
}

/// Runs a test's story.
pub(super) fn run(story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        story.await;
        // Connections that it has closed are to be heard of: their last packets are other tasks' work.
        for _ in 0..FAREWELLS {
            tokio::task::yield_now().await;
        }
    });
}

/// Turns that the tasks behind a connection get to say good-bye.
const FAREWELLS: usize = 16;

/// h3's own client.
pub(super) struct Client {
    pub(super) connection: Connection,
    sender: SendRequest<h3_quinn::OpenStreams, Bytes>,
}

/// An answer read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.close(NO_ERROR, b"");
    }
}

impl Client {
    pub(super) async fn over(connection: Connection) -> Self {
        let (mut driver, sender) =
            h3::client::new(h3_quinn::Connection::new(connection.clone())).await.unwrap();
        tokio::task::spawn_local(async move { drop(poll_fn(|cx| driver.poll_close(cx)).await) });
        Self { connection, sender }
    }

    pub(super) async fn get(&mut self, path: &str) -> Result<Answer, h3::error::StreamError> {
        self.ask(Request::get(format!("https://localhost{path}")).body(()).unwrap(), &[]).await
    }

    pub(super) async fn ask(
        &mut self,
        request: Request<()>,
        pieces: &[&'static [u8]],
    ) -> Result<Answer, h3::error::StreamError> {
        let mut stream = self.sender.send_request(request).await?;
        for piece in pieces {
            stream.send_data(Bytes::from_static(piece)).await?;
        }
        stream.finish().await?;
        let (head, ()) = stream.recv_response().await?.into_parts();
        let mut body = Vec::new();
        while let Some(mut piece) = stream.recv_data().await? {
            body.extend_from_slice(&piece.copy_to_bytes(piece.remaining()));
        }
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

/// What became of a stream that was written by hand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The bytes of an answer.
    Answered(Vec<u8>),
    /// The stream was reset with this code.
    Reset(u64),
    /// The connection was closed with this code.
    Closed(u64),
    /// The connection is over, and the word that said why was lost.
    Gone,
}

impl Outcome {
    /// Whether the answer begins with this status, for those that the static table has, and 431.
    pub(super) fn has_status(&self, status: u16) -> bool {
        let field: &[u8] = match status {
            200 => &[0xd9],
            400 => &[0xff, 4],
            // As it is written here, and as h3 writes it.
            431 => {
                return self.has(&[0x5f, 9, 3, b'4', b'3', b'1'])
                    || self.has(&[0x5f, 9, 0x83, 0x69, 0x90, 0xff]);
            }
            _ => unreachable!("no test looks for it"),
        };
        self.has(field)
    }

    /// Whether an answer's first field is this.
    fn has(&self, field: &[u8]) -> bool {
        let Self::Answered(bytes) = self else { return false };
        // Behind a frame's type, its length in one or two bytes, and the section's prefix.
        [4, 5].iter().any(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(field)))
    }
}

/// A connection with nothing but streams.
pub(super) struct Wire {
    pub(super) connection: Connection,
    /// Kept open: its end would be an error.
    pub(super) control: SendStream,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.connection.close(NO_ERROR, b"");
    }
}

impl Wire {
    pub(super) async fn over(connection: Connection) -> Self {
        let mut control = connection.open_uni().await.unwrap();
        control.write_all(&[&[0][..], &frame(SETTINGS, &[])].concat()).await.unwrap();
        Self { connection, control }
    }

    /// Sends these bytes as a whole stream.
    pub(super) async fn send(&self, bytes: &[u8]) -> Outcome {
        let Ok((mut sender, receiver)) = self.connection.open_bi().await else { return self.closed().await };
        // The server may have seen enough before the end.
        if sender.write_all(bytes).await.is_ok() {
            let _ = sender.finish();
        }
        self.outcome(receiver).await
    }

    pub(super) async fn outcome(&self, mut receiver: RecvStream) -> Outcome {
        match receiver.read_to_end(4 << 20).await {
            Ok(bytes) => Outcome::Answered(bytes),
            Err(quinn::ReadToEndError::Read(quinn::ReadError::Reset(code))) => {
                Outcome::Reset(code.into_inner())
            }
            Err(_) => self.closed().await,
        }
    }

    /// Waits for the end of the connection.
    pub(super) async fn closed(&self) -> Outcome {
        match self.connection.closed().await {
            quinn::ConnectionError::ApplicationClosed(close) => {
                Outcome::Closed(close.error_code.into_inner())
            }
            quinn::ConnectionError::Reset => Outcome::Gone,
            other => panic!("{other}"),
        }
    }
}

pub(super) fn varint(value: u64) -> Vec<u8> {
    match value {
        0..0x40 => vec![value as u8],
        0x40..0x4000 => (value as u16 | 0x4000).to_be_bytes().to_vec(),
        0x4000..0x4000_0000 => (value as u32 | 0x8000_0000).to_be_bytes().to_vec(),
        _ => (value | 0xc000_0000_0000_0000).to_be_bytes().to_vec(),
    }
}

pub(super) fn frame(kind: u64, payload: &[u8]) -> Vec<u8> {
    [&varint(kind), &varint(payload.len() as u64), payload].concat()
}

/// A field that is neither compressed nor in a table (RFC 9204 §4.5.6).
pub(super) fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = integer(0x20, 3, name.len());
    bytes.extend(name);
    bytes.extend(integer(0, 7, value.len()));
    bytes.extend(value);
    bytes
}

fn integer(flags: u8, bits: u32, value: usize) -> Vec<u8> {
    let most = (1 << bits) - 1;
    if value < most {
        return vec![flags | value as u8];
    }
    let (mut rest, mut bytes) = (value - most, vec![flags | most as u8]);
    while rest >= 128 {
        bytes.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    bytes.push(rest as u8);
    bytes
}

/// A header section.
pub(super) fn section(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    for (name, value) in fields {
        bytes.extend(field(name.as_bytes(), value.as_bytes()));
    }
    bytes
}

/// A request's header section with more fields behind the four that it must have.
pub(super) fn head(method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let first = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)];
    section(&[&first[..], more].concat())
}

/// A whole GET.
pub(super) fn get(path: &str) -> Vec<u8> {
    frame(HEADERS, &head("GET", path, &[]))
}

const NO_ERROR: VarInt = VarInt::from_u32(0x100);
pub(super) const CANCELLED: VarInt = VarInt::from_u32(0x10c);
