//! An HTTP client that a test can watch: plain, TLS, HTTP/1.1 and HTTP/2.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// An answer read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status code.
    pub status: StatusCode,
    /// Its fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// A field's text; empty when it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a field that is text"))
    }
}

/// A request without a body for `path`.
pub fn request(method: &str, path: &str, fields: &[(&str, &str)]) -> Request<Empty<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header("host", "lessons.example");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Empty::new()).expect("a test's request")
}

/// A plain HTTP/1.1 connection.
pub async fn connect(address: SocketAddr) -> http1::SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1 begins");
    tokio::spawn(connection);
    sender
}

/// A plain HTTP/2 connection, begun with the preface.
pub async fn connect_http2(address: SocketAddr) -> http2::SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2 begins");
    tokio::spawn(connection);
    sender
}

/// One GET over a connection of its own.
pub async fn get(address: SocketAddr, path: &str, fields: &[(&str, &str)]) -> Answer {
    ask(&mut connect(address).await, "GET", path, fields).await
}

/// One request over `sender`, its answer read to its end.
pub async fn ask(
    sender: &mut http1::SendRequest<Empty<Bytes>>,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> Answer {
    sender.ready().await.expect("the connection is kept");
    read(sender.send_request(request(method, path, fields)).await.expect("an answer")).await
}

/// Reads an answer to its end.
pub async fn read(response: Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    Answer { status: head.status, headers: head.headers, body }
}

/// A certificate for `localhost`, as files, and how to trust it.
pub struct Certificate {
    /// The chain, PEM.
    pub cert: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// Makes one in `folder`.
    pub fn make(folder: &std::path::Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&cert, made.cert.pem()).expect("a scratch folder takes files");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("a scratch folder takes files");
        Self { cert, key, der: made.cert.der().clone() }
    }

    /// One that was made before.
    pub fn read(cert: PathBuf, key: PathBuf) -> Self {
        use rustls::pki_types::pem::PemObject;
        let der = CertificateDer::from_pem_file(&cert).expect("a certificate");
        Self { cert, key, der }
    }

    /// A TLS 1.3 connection for HTTP/1.1 over `stream`, which is connected.
    pub async fn encrypt(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        handshake([self], stream, &TLS13, &[b"http/1.1"]).await
    }

    /// A TLS connection of one protocol version, offering `alpn`.
    pub async fn connect(
        &self,
        address: SocketAddr,
        version: &'static SupportedProtocolVersion,
        alpn: &[&[u8]],
    ) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        handshake([self], stream, version, alpn).await.expect("a handshake")
    }
}

/// A TLS 1.3 connection for HTTP/1.1 to a server that shows any of `certificates`.
pub async fn connect_tls(
    certificates: &[Rc<Certificate>],
    address: SocketAddr,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    handshake(certificates.iter().map(Rc::as_ref), stream, &TLS13, &[b"http/1.1"]).await
}

async fn handshake(
    trusted: impl IntoIterator<Item = &Certificate>,
    stream: TcpStream,
    version: &'static SupportedProtocolVersion,
    alpn: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let config = config(trusted, version, alpn);
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// What a TLS client needs to know.
pub fn config<'a>(
    trusted: impl IntoIterator<Item = &'a Certificate>,
    version: &'static SupportedProtocolVersion,
    alpn: &[&[u8]],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(certificate.der.clone()).expect("our own certificate");
    }
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .expect("the provider knows the version")
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}
