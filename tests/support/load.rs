//! A steady load that notes every request that fails.

use crate::client::{self, Certificate};
use crate::http3::{Failure, Http3};
use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How one client asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// HTTP/1.1 over a connection that is kept.
    Kept,
    /// HTTP/1.1, each request over a connection of its own.
    Fresh,
    /// HTTP/2 over a connection that is kept.
    Http2,
    /// HTTP/1.1 over TLS, each request over a connection of its own.
    Encrypted,
    /// HTTP/3 over a connection that is kept.
    Http3,
}

/// Clients in a round: as many kept connections as all others together.
const MANNERS: [Manner; 9] = [
    Manner::Kept,
    Manner::Fresh,
    Manner::Kept,
    Manner::Http2,
    Manner::Kept,
    Manner::Encrypted,
    Manner::Kept,
    Manner::Http3,
    Manner::Fresh,
];

/// What is asked, of whom.
pub struct Target {
    /// Plain.
    pub plain: SocketAddr,
    /// TLS.
    pub tls: SocketAddr,
    /// Any of these may be shown.
    pub certificates: Vec<Rc<Certificate>>,
    /// The path.
    pub path: String,
    /// Its body's length.
    pub length: usize,
}

/// What came of it so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Requests answered whole.
    pub answered: Cell<usize>,
    /// Requests that were not, and why.
    pub failed: RefCell<Vec<String>>,
}

/// How many requests a second: `AIRCLASS_LOAD`, 300 when it is not set.
pub fn pace() -> usize {
    std::env::var("AIRCLASS_LOAD").ok().and_then(|pace| pace.parse().ok()).unwrap_or(300)
}

/// Asks `pace` times a second until the future that this returns is dropped. Runs on a `LocalSet`.
pub async fn ask_steadily(target: Rc<Target>, tally: Rc<Tally>, pace: usize) {
    // Each client asks some twenty times a second.
    let clients = (pace / 20).max(MANNERS.len());
    let pause = Duration::from_secs(1) * u32::try_from(clients).unwrap_or(u32::MAX)
        / u32::try_from(pace).unwrap_or(u32::MAX);
    let mut all = tokio::task::JoinSet::new();
    for manner in MANNERS.into_iter().cycle().take(clients) {
        all.spawn_local(one(manner, Rc::clone(&target), Rc::clone(&tally), pause));
    }
    while all.join_next().await.is_some() {}
}

async fn one(manner: Manner, target: Rc<Target>, tally: Rc<Tally>, pause: Duration) {
    let mut pace = interval(pause);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut kept, mut http3) = (None, None);
    loop {
        pace.tick().await;
        let asked = match manner {
            Manner::Http3 => ask_http3(&target, &mut http3).await,
            _ => ask(manner, &target, &mut kept).await,
        };
        match asked {
            Ok(length) if length == target.length => tally.answered.set(tally.answered.get() + 1),
            Ok(length) => tally.failed.borrow_mut().push(format!("{manner:?}: {length} bytes")),
            Err(error) => tally.failed.borrow_mut().push(format!("{manner:?}: {error}")),
        }
    }
}

/// A connection that is kept, besides HTTP/3's.
enum Kept {
    Http1(hyper::client::conn::http1::SendRequest<Empty<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Empty<Bytes>>),
}

/// A connection that the server has ended in good order is made anew before the request; that is no failure.
async fn ask(manner: Manner, target: &Target, kept: &mut Option<Kept>) -> Result<usize, Failure> {
    let mut sender = match kept.take() {
        Some(sender) => sender,
        None => connect(manner, target).await?,
    };
    let response = match sender.ask(target).await {
        // It ended meanwhile, perhaps just now: the request was never sent (RFC 9110 §9.2.2, RFC 9113 §8.7), and every
        // client asks again.
        Err(error) if error.is_canceled() || error.is_closed() => {
            sender = connect(manner, target).await?;
            sender.ask(target).await?
        }
        answer => answer?,
    };
    if response.status() != 200 {
        return Err(response.status().to_string().into());
    }
    let body = http_body_util::BodyExt::collect(response.into_body()).await?.to_bytes();
    if !matches!(manner, Manner::Fresh | Manner::Encrypted) {
        *kept = Some(sender);
    }
    Ok(body.len())
}

/// The same over HTTP/3: a connection that has said GOAWAY takes no more requests.
async fn ask_http3(target: &Target, kept: &mut Option<Http3>) -> Result<usize, Failure> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Http3::connect(&target.certificates, target.tls).await?,
    };
    let answering = match connection.begin(&target.path).await {
        Err(_) => {
            connection = Http3::connect(&target.certificates, target.tls).await?;
            connection.begin(&target.path).await?
        }
        answering => answering?,
    };
    let answer = answering.read().await?;
    if answer.status != 200 {
        return Err(answer.status.to_string().into());
    }
    *kept = Some(connection);
    Ok(answer.body.len())
}

impl Kept {
    async fn ask(&mut self, target: &Target) -> hyper::Result<http::Response<hyper::body::Incoming>> {
        let mut request = client::request("GET", &target.path, &[]);
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                // The host stands in the target, not in a field.
                *request.uri_mut() = uri(target);
                request.headers_mut().clear();
                sender.send_request(request).await
            }
        }
    }
}

fn uri(target: &Target) -> http::Uri {
    format!("http://lessons.example{}", target.path).parse().expect("a path makes an address")
}

async fn connect(manner: Manner, target: &Target) -> Result<Kept, Failure> {
    use hyper::client::conn::{http1, http2};
    Ok(match manner {
        Manner::Encrypted => {
            let stream = client::connect_tls(&target.certificates, target.tls).await?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::task::spawn_local(connection);
            Kept::Http1(sender)
        }
        Manner::Http2 => {
            let stream = tokio::net::TcpStream::connect(target.plain).await?;
            let executor = hyper_util::rt::TokioExecutor::new();
            let (sender, connection) = http2::handshake(executor, TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Kept::Http2(sender)
        }
        Manner::Kept | Manner::Fresh | Manner::Http3 => {
            let stream = tokio::net::TcpStream::connect(target.plain).await?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::task::spawn_local(connection);
            Kept::Http1(sender)
        }
    })
}
