//! Attack 49: bodies that end before their end, in every way that a connection has of ending, plain and inside TLS.

use crate::ALONE;
use journeys::Airclass;
use journeys::client::Certificate;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// The longest wait. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(300);
/// What comes of a body, whatever was announced.
const PART: usize = 50_000;
/// Of an answer: its head and some of its body.
const BEGINNING: usize = 1_000;

/// How an origin's body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Half of the length that was announced.
    Short,
    /// Behind a chunk, and no other.
    BetweenChunks,
    /// In the middle of a chunk.
    InChunk,
    /// Behind the last chunk's size, without the line behind it.
    NoLastLine,
    /// With the connection, by which alone its end is known.
    UntilClose,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// In good order; TLS says so.
    Notified,
    /// Whatever there was to say, it is closed.
    Closed,
    /// By RST.
    Reset,
}

impl Body {
    fn bytes(self) -> Vec<u8> {
        let part = "x".repeat(PART);
        let chunk = format!("Transfer-Encoding: chunked\r\n\r\n{PART:x}\r\n{part}");
        let rest = match self {
            Self::Short => format!("Content-Length: {}\r\n\r\n{part}", 2 * PART),
            Self::BetweenChunks => format!("{chunk}\r\n"),
            Self::InChunk => format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{part}", 2 * PART),
            Self::NoLastLine => format!("{chunk}\r\n0\r\n"),
            Self::UntilClose => format!("Connection: close\r\n\r\n{part}"),
        };
        format!("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n{rest}").into()
    }
}

/// Answers every question with `body`, and ends once a client has some of it: RST takes with it what is on its way.
struct Origin {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    go: Arc<Notify>,
}

impl Origin {
    async fn start(body: Body, end: End, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (asked, go) = (Arc::<AtomicUsize>::default(), Arc::<Notify>::default());
        let (count, may) = (Arc::clone(&asked), Arc::clone(&go));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, count, may) = (tls.clone(), Arc::clone(&count), Arc::clone(&may));
                // An edge that has seen enough of it may be gone.
                tokio::spawn(async move {
                    let Some(tls) = tls else {
                        return say(stream, body, &count, &may).await.and_then(|tcp| finish(&tcp, end));
                    };
                    let mut stream = say(tls.accept(stream).await?, body, &count, &may).await?;
                    if end == End::Notified {
                        return stream.shutdown().await;
                    }
                    finish(stream.get_ref().0, end)
                });
            }
        });
        Self { address, asked, go }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    body: Body,
    asked: &AtomicUsize,
    go: &Notify,
) -> std::io::Result<S> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    asked.fetch_add(1, Ordering::SeqCst);
    stream.write_all(&body.bytes()).await?;
    stream.flush().await?;
    go.notified().await;
    Ok(stream)
}

/// Dropped behind this, it says nothing more.
fn finish(stream: &TcpStream, end: End) -> std::io::Result<()> {
    if end == End::Reset { stream.set_zero_linger() } else { Ok(()) }
}

/// What a client is given: the head, and whether the body is whole by what the head says of it.
async fn ask(edge: SocketAddr, origin: &Origin) -> (String, bool) {
    let mut stream = TcpStream::connect(edge).await.expect("the edge listens");
    let ask = b"GET /x HTTP/1.1\r\nHost: lessons.example\r\nConnection: close\r\n\r\n";
    stream.write_all(ask).await.expect("a request");
    let mut bytes = vec![0; BEGINNING];
    stream.read_exact(&mut bytes).await.expect("an answer begins");
    origin.go.notify_one();
    // Cut off, in whatever way.
    while let Ok(1..) = stream.read_buf(&mut bytes).await {}
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer begins");
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let body = &bytes[end + 4..];
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let whole = match length {
        Some(length) => length.parse() == Ok(body.len()),
        None => body.ends_with(b"\r\n0\r\n\r\n"),
    };
    assert!(head.starts_with("http/1.1 200"), "{head}");
    (head, whole)
}

/// Asked twice: how many had an unfinished body, and how many a hit.
async fn twice(edge: SocketAddr, origin: &Origin) -> (usize, usize) {
    let (mut cut, mut hits) = (0, 0);
    for _ in 0..2 {
        let (head, whole) = ask(edge, origin).await;
        cut += usize::from(!whole);
        hits += usize::from(head.contains("airclass; hit"));
    }
    (cut, hits)
}

fn run(journey: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, journey).await.expect("it happens in time") });
}

const BODIES: [Body; 5] =
    [Body::Short, Body::BetweenChunks, Body::InChunk, Body::NoLastLine, Body::UntilClose];
const ENDS: [End; 3] = [End::Notified, End::Closed, End::Reset];

#[test]
fn attack_49_a_body_that_was_cut_off_is_whole_for_nobody() {
    run(async {
        for body in BODIES {
            for end in ENDS {
                let origin = Origin::start(body, end, None).await;
                let edge = Airclass::edge(origin.address, &ALONE);
                let came = twice(edge.address(), &origin).await;
                let asked = origin.asked.load(Ordering::SeqCst);
                // Without TLS, nothing tells an end from another, but RST.
                let is_end = body == Body::UntilClose && end != End::Reset;
                let wanted = if is_end { ((0, 1), 1) } else { ((2, 0), 2) };
                assert_eq!((came, asked), wanted, "{body:?}, {end:?}");
            }
        }
    });
}

/// Who can end a connection of TCP need not be who has the key: the end of a body is said under TLS (RFC 9112, 9.8).
#[test]
fn attack_49_a_body_that_was_cut_off_inside_tls_is_whole_for_nobody() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let certificate = Certificate::make(scratch.path());
    let acceptor = acceptor(&certificate);
    let file = scratch.path().join("edge.toml");
    run(async {
        for body in BODIES {
            for end in ENDS {
                let origin = Origin::start(body, end, Some(acceptor.clone())).await;
                let group = format!(
                    "[[group]]\nname = \"a\"\ntiers = [[\"https://{}\"]]\nserver_name = \"localhost\"\nca = \"{}\"\n",
                    origin.address,
                    certificate.cert.display()
                );
                std::fs::write(&file, group).expect("a scratch folder takes files");
                let file = file.to_str().expect("scratch folders have plain names");
                let start = ["edge", "--config", file, "--listen", "127.0.0.1:0"];
                let edge = Airclass::start(&[&start[..], &ALONE].concat());
                let came = twice(edge.address(), &origin).await;
                let asked = origin.asked.load(Ordering::SeqCst);
                let is_end = body == Body::UntilClose && end == End::Notified;
                let wanted = if is_end { ((0, 1), 1) } else { ((2, 0), 2) };
                assert_eq!((came, asked), wanted, "{body:?}, {end:?}: {}", edge.log());
            }
        }
    });
}

fn acceptor(certificate: &Certificate) -> TlsAcceptor {
    let cert = CertificateDer::from_pem_file(&certificate.cert).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(&certificate.key).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows them")
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .expect("a pair");
    Arc::new(config).into()
}
