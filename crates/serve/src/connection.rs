//! One connection: `(handshake) → parked ⇄ active → end`.
//!
//! hyper keeps some 16 KiB of buffers for a connection even between requests. A player asks every 4.8 s and a
//! lesson's worth of students are mostly idle, so a connection that has answered everything gives hyper's state
//! back after a second and is only its socket (and its TLS session) until the next byte: *parked*. The next
//! request makes a fresh hyper connection, or goes the short way past it (`direct`); nothing is visible to the client.

mod activity;
mod answer;
mod clients;
mod direct;
mod encrypted;
mod http1;
mod http2;
mod http3;
mod lend;
mod line;
mod lookout;
mod pace;
mod places;
pub(crate) mod proxy;
mod socket;
mod stream;
mod streams;
mod strict;

pub(crate) use clients::Guest;
pub use clients::{Client, InFlight};
pub(crate) use http2::{Abuse, ReadOut};
pub use http3::http3_request;
pub(crate) use http3::{MAX_STREAMS, Upload};
pub(crate) use lend::Lending;
pub(crate) use line::Lines;
pub use places::{Busy, Load, Work};
pub(crate) use places::{Connections, Place};
pub use socket::PACKET;
pub(crate) use socket::{Socket, Tcp};

use crate::drain::Drain;
use crate::listener::LOCAL;
use crate::metrics::{End, Handshake};
use crate::options::{Limits, ProxyRule};
use crate::quic::Unfinished;
use crate::service::{Peer, Scheme, Service, Standing};
use bytes::Bytes;
use encrypted::Encrypted;
use http::{HeaderValue, Response, header};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use stream::Transport;
use telemetry::Label;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// What all connections of one core share.
pub(crate) struct Core<S> {
    pub(crate) service: Rc<S>,
    pub(crate) limits: Limits,
    pub(crate) drain: Drain,
    pub(crate) lending: Rc<Lending>,
}

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
    Http3,
}

impl Label for Protocol {
    const ALL: &'static [Self] = &[Self::Http1, Self::Http2, Self::Http3];

    fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Http2 => "h2",
            Self::Http3 => "h3",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// What the connections of one listener have in common.
#[derive(Clone)]
pub(crate) struct Here {
    /// Set when TLS is spoken.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    /// Set when load balancers stand before it.
    pub(crate) proxy: Option<Arc<ProxyRule>>,
    /// Set when HTTP/3 is spoken at the same port (Alt-Svc, RFC 7838).
    pub(crate) alternative: Option<HeaderValue>,
    /// Whether blocks are sent without a copy; `None`: where that costs less.
    pub(crate) zero_copy: Option<bool>,
    /// To which port of HTTPS whoever asks here is sent on.
    pub(crate) to_https: Option<u16>,
}

impl Here {
    /// Tells the client what else there is. An origin's own alternatives are for the origin's clients.
    fn advertise<B>(&self, mut response: Response<B>) -> Response<B> {
        if let Some(alternative) = &self.alternative {
            response.headers_mut().insert(header::ALT_SVC, alternative.clone());
        }
        response
    }
}

/// Starts a connection that was accepted from `sender`; does not wait for it.
pub(crate) fn open<S: Service>(
    core: Rc<Core<S>>,
    mut socket: Socket,
    sender: SocketAddr,
    place: Place,
    here: &Rc<Here>,
) {
    let here = Rc::clone(here);
    let Some(rule) = here.proxy.clone() else { return start(core, socket, sender, place, here) };
    // A task of its own, so that the connection's does not carry its state for the rest of its life.
    drop(tokio::task::spawn_local(async move {
        match timeout(core.limits.handshake, proxy::client(&rule, sender, &mut socket)).await {
            Ok(Ok(client)) => start(core, socket, client, place, here),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a connection without a PROXY header");
                place.leave(End::Proxy);
            }
            Err(_) => place.leave(End::Proxy),
        }
    }));
}

fn start<S: Service>(core: Rc<Core<S>>, socket: Socket, address: SocketAddr, place: Place, here: Rc<Here>) {
    // Nobody knows whose a connection over a unix socket is, unless a PROXY header has said so.
    let known = !(socket.is_unix() && address == LOCAL);
    let standing = Standing::new(known.then(|| place.clients().enter(address)));
    drop(match here.tls.clone() {
        None => {
            let peer = Peer { to_https: here.to_https, ..Peer::new(address, Scheme::Http, standing) };
            tokio::task::spawn_local(plain(core, socket, peer, place, here))
        }
        Some(config) => {
            let peer = Peer::new(address, Scheme::Https, standing);
            tokio::task::spawn_local(encrypted(core, socket, peer, place, here, config))
        }
    });
}

/// Runs a plain connection to its end.
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn keeps each argument twice for as long as the connection lives"
)]
fn plain<S: Service>(
    core: Rc<Core<S>>,
    mut stream: Socket,
    peer: Peer,
    place: Place,
    here: Rc<Here>,
) -> impl Future<Output = ()> {
    async move {
        let end = match wait_for_bytes(&core, &stream, core.limits.header, End::HeaderTimeout).await {
            Err(end) => end,
            // An HTTP/2 client that knows whom it speaks to begins with the preface (RFC 9113 §3.3).
            Ok(()) => match timeout(core.limits.header, stream.peek(http2::begins)).await {
                Err(_) => End::HeaderTimeout,
                Ok(Ok(Some(true))) => {
                    place.metrics().speaks(Protocol::Http2);
                    Box::pin(http2::run(core, stream, peer, &place, &here)).await
                }
                Ok(_) => alternate(&core, &mut stream, &peer, &place, &here).await,
            },
        };
        place.leave(end);
    }
}

/// Runs a TLS connection to its end. No async fn, as above.
fn encrypted<S: Service>(
    core: Rc<Core<S>>,
    stream: Socket,
    peer: Peer,
    place: Place,
    here: Rc<Here>,
    config: Arc<rustls::ServerConfig>,
) -> impl Future<Output = ()> {
    // On the heap: it is large, and over soon.
    let handshake = Box::pin(timeout(core.limits.handshake, TlsAcceptor::from(config).accept(stream)));
    async move {
        let shaken = match handshake.await {
            Ok(Ok(stream)) => {
                place.metrics().shaken(Handshake::of(stream.get_ref().1));
                Some(Encrypted::new(stream))
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "a client's TLS handshake");
                None
            }
            Err(_) => None,
        };
        let end = match shaken {
            None => End::Handshake,
            Some(stream) if stream.speaks_http2() => {
                place.metrics().speaks(Protocol::Http2);
                Box::pin(http2::run(core, stream, peer, &place, &here)).await
            }
            Some(mut stream) => alternate(&core, &mut stream, &peer, &place, &here).await,
        };
        place.leave(end);
    }
}

/// Starts a QUIC connection that was accepted into this place; does not wait for it.
pub(crate) fn open_quic<S: Service>(
    core: Rc<Core<S>>,
    handshake: quinn::Connecting,
    place: Place,
    unfinished: Unfinished,
) {
    drop(tokio::task::spawn_local(async move {
        let shaken = timeout(core.limits.handshake, handshake).await;
        drop(unfinished);
        let end = match shaken {
            Err(_) => End::Handshake,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a client's QUIC handshake");
                End::Handshake
            }
            Ok(Ok(connection)) => {
                place.metrics().speaks(Protocol::Http3);
                // The address that the handshake has shown to be the client's, for as long as the connection lives. It may
                // move on; where to, the service does not hear, because from a new address may write who only pretends to.
                let address = connection.remote_address();
                let standing = Standing::new(Some(place.clients().enter(address)));
                let peer = Peer::new(address, Scheme::Https, standing);
                Box::pin(http3::run(core, connection, peer, &place)).await
            }
        };
        place.leave(end);
    }));
}

/// Until nothing is asked any more: the short way, and hyper where that is not enough.
async fn active<S: Service, T: Transport>(
    core: &Rc<Core<S>>,
    stream: &mut T,
    early: Bytes,
    peer: &Peer,
    place: &Place,
    here: &Rc<Here>,
) -> http1::Outcome {
    let (early, answer) = if early.is_empty() {
        match direct::run(core, stream, peer, place, here).await {
            direct::Left::Ended(end) => return http1::Outcome::Ended(end),
            direct::Left::Idle => return http1::Outcome::Idle(Bytes::new()),
            direct::Left::Hyper(bytes, answer) => (bytes, answer),
        }
    } else {
        (early, None)
    };
    Box::pin(http1::run(Rc::clone(core), stream, early, answer, peer.clone(), place, here)).await
}

/// HTTP/1.1, active and parked by turns.
///
/// The connection's parts are its task's own, and only lent here: a future that is given one keeps it twice.
async fn alternate<S: Service, T: Transport>(
    core: &Rc<Core<S>>,
    stream: &mut T,
    peer: &Peer,
    place: &Place,
    here: &Rc<Here>,
) -> End {
    place.metrics().speaks(Protocol::Http1);
    loop {
        let mut early = Bytes::new();
        loop {
            // On the heap, and given back before the connection is parked.
            match Box::pin(active(core, stream, early, peer, place, here)).await {
                http1::Outcome::Ended(end) => return end,
                http1::Outcome::Idle(rest) if rest.is_empty() => break,
                http1::Outcome::Idle(rest) => early = rest,
            }
        }
        place.metrics().parked.inc();
        let since = Instant::now();
        let waited = loop {
            let Some(look) = core.limits.idle_look(since.elapsed(), place.pressure().level()) else {
                break Err(End::Idle);
            };
            match wait_for_bytes(core, stream.socket(), look, End::Idle).await {
                Err(End::Idle) => {}
                waited => break waited,
            }
        };
        place.metrics().parked.dec();
        if let Err(end) = waited {
            stream.close().await;
            return end;
        }
    }
}

/// Until the socket has something to read; a closed one has, too. `end` is what it is called when nothing comes
/// within `limit`.
///
/// This is all that a parked connection is made of, so it is polled by hand: `select!`, `timeout` and `readable` are
/// twice the size.
async fn wait_for_bytes<S>(core: &Core<S>, socket: &Socket, limit: Duration, end: End) -> Result<(), End> {
    let mut limit = pin!(sleep(limit));
    let mut drain = pin!(core.drain.closing());
    poll_fn(|cx| {
        if let Poll::Ready(ready) = socket.poll_read_ready(cx) {
            return Poll::Ready(ready.map_err(|_| End::Broken));
        }
        if drain.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(End::Drained));
        }
        limit.as_mut().poll(cx).map(|()| Err(end))
    })
    .await
}
