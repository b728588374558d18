//! An HTTP/3 client that is not ours: h3 over quinn.

use crate::client::{self, Answer, Certificate};
use bytes::{Buf, Bytes, BytesMut};
use h3::client::{RequestStream, SendRequest};
use h3_quinn::{BidiStream, OpenStreams};
use http::{Request, Response};
use quinn::crypto::rustls::QuicClientConfig;
use rustls::version::TLS13;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

/// Why there was no answer.
pub type Failure = Box<dyn std::error::Error>;

/// A connection.
pub struct Http3 {
    sender: SendRequest<OpenStreams, Bytes>,
    endpoint: quinn::Endpoint,
}

/// An answer whose body is still to be read.
pub struct Answering {
    /// Its head.
    pub head: Response<()>,
    stream: RequestStream<BidiStream<Bytes>, Bytes>,
}

impl Http3 {
    /// Connects to a server that shows any of `certificates`.
    ///
    /// # Errors
    /// No handshake.
    pub async fn connect(certificates: &[Rc<Certificate>], address: SocketAddr) -> Result<Self, Failure> {
        let tls = client::config(certificates.iter().map(Rc::as_ref), &TLS13, &[b"h3"]);
        let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
        let mut endpoint = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into())?;
        endpoint.set_default_client_config(config);
        let connection = endpoint.connect(address, "localhost")?.await?;
        let (mut driver, sender) = h3::client::new(h3_quinn::Connection::new(connection)).await?;
        tokio::spawn(async move { poll_fn(|cx| driver.poll_close(cx)).await });
        Ok(Self { sender, endpoint })
    }

    /// Goes on from another port, as a telephone does that leaves the classroom.
    ///
    /// # Errors
    /// No port.
    pub fn move_on(&self) -> Result<(), Failure> {
        Ok(self.endpoint.rebind(std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?)?)
    }

    /// One GET; its body is to be read.
    ///
    /// # Errors
    /// No answer.
    pub async fn begin(&mut self, path: &str) -> Result<Answering, Failure> {
        let request = Request::get(format!("https://lessons.example{path}")).body(())?;
        let mut stream = self.sender.send_request(request).await?;
        stream.finish().await?;
        Ok(Answering { head: stream.recv_response().await?, stream })
    }

    /// One GET, its answer read to its end.
    ///
    /// # Errors
    /// No answer, or not all of it.
    pub async fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        self.begin(path).await?.read().await
    }
}

impl Answering {
    /// Reads it to its end.
    ///
    /// # Errors
    /// It broke off.
    pub async fn read(mut self) -> Result<Answer, Failure> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.stream.recv_data().await? {
            body.extend_from_slice(piece.chunk());
        }
        let (head, ()) = self.head.into_parts();
        Ok(Answer { status: head.status, headers: head.headers, body: body.freeze() })
    }
}
