//! One connection: `(handshake) → parked ⇄ active → end`.
//!
//! hyper keeps some 16 KiB of buffers for a connection even between requests. A player asks every 4.8 s and a
//! lesson's worth of students are mostly idle, so a connection that has answered everything gives hyper's state
//! back after a second and is only its socket (and its TLS session) until the next byte: *parked*. The next
//! request makes a fresh hyper connection; nothing is visible to the client.

mod activity;
mod answer;
mod clients;
mod encrypted;
mod http1;
mod http2;
mod pace;
mod places;
pub(crate) mod proxy;
mod socket;
mod stream;
mod strict;

pub(crate) use clients::Guest;
pub(crate) use http2::Abuse;
pub use places::Load;
pub(crate) use places::{Connections, Place};
pub(crate) use socket::Socket;

use crate::drain::Drain;
use crate::listener::LOCAL;
use crate::metrics::End;
use crate::options::{Limits, ProxyRule};
use crate::service::{Peer, Scheme, Service, Standing};
use bytes::Bytes;
use encrypted::Encrypted;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use stream::Transport;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// What all connections of one core share.
pub(crate) struct Core<S> {
    pub(crate) service: Rc<S>,
    pub(crate) limits: Limits,
    pub(crate) drain: Drain,
}

/// What the connections of one listener have in common.
#[derive(Clone)]
pub(crate) struct Here {
    /// Set when TLS is spoken.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    /// Set when load balancers stand before it.
    pub(crate) proxy: Option<Arc<ProxyRule>>,
}

/// Starts a connection that was accepted from `sender`; does not wait for it.
pub(crate) fn open<S: Service>(
    core: Rc<Core<S>>,
    mut socket: Socket,
    sender: SocketAddr,
    place: Place,
    here: &Here,
) {
    let tls = here.tls.clone();
    let Some(rule) = here.proxy.clone() else { return start(core, socket, sender, place, tls) };
    // A task of its own, so that the connection's does not carry its state for the rest of its life.
    drop(tokio::task::spawn_local(async move {
        match timeout(core.limits.handshake, proxy::client(&rule, sender, &mut socket)).await {
            Ok(Ok(client)) => start(core, socket, client, place, tls),
            Ok(Err(_)) | Err(_) => place.leave(End::Proxy),
        }
    }));
}

fn start<S: Service>(
    core: Rc<Core<S>>,
    socket: Socket,
    address: SocketAddr,
    place: Place,
    tls: Option<Arc<rustls::ServerConfig>>,
) {
    // Nobody knows whose a connection over a unix socket is, unless a PROXY header has said so.
    let known = !(socket.is_unix() && address == LOCAL);
    let standing = Standing::new(known.then(|| place.clients().enter(address)));
    drop(match tls {
        None => {
            let peer = Peer { address, scheme: Scheme::Http, standing };
            tokio::task::spawn_local(plain(core, socket, peer, place))
        }
        Some(config) => {
            let peer = Peer { address, scheme: Scheme::Https, standing };
            tokio::task::spawn_local(encrypted(core, socket, peer, place, config))
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
    stream: Socket,
    peer: Peer,
    place: Place,
) -> impl Future<Output = ()> {
    async move {
        let end = match wait_for_bytes(&core, &stream, core.limits.header, End::HeaderTimeout).await {
            Err(end) => end,
            // An HTTP/2 client that knows whom it speaks to begins with the preface (RFC 9113 §3.3).
            Ok(()) if begins_http2(&stream).await => Box::pin(http2::run(core, stream, peer, &place)).await,
            Ok(()) => alternate(&core, stream, peer, &place).await,
        };
        place.leave(end);
    }
}

/// Runs a TLS connection to its end.
async fn encrypted<S: Service>(
    core: Rc<Core<S>>,
    stream: Socket,
    peer: Peer,
    place: Place,
    config: Arc<rustls::ServerConfig>,
) {
    let handshake = Box::pin(timeout(core.limits.handshake, TlsAcceptor::from(config).accept(stream)));
    let end = match handshake.await {
        Err(_) | Ok(Err(_)) => End::Handshake,
        Ok(Ok(stream)) => {
            let stream = Encrypted::new(stream);
            if stream.speaks_http2() {
                Box::pin(http2::run(core, stream, peer, &place)).await
            } else {
                alternate(&core, stream, peer, &place).await
            }
        }
    };
    place.leave(end);
}

/// HTTP/1.1, active and parked by turns.
async fn alternate<S: Service, T: Transport>(
    core: &Rc<Core<S>>,
    mut stream: T,
    peer: Peer,
    place: &Place,
) -> End {
    let mut early = Bytes::new();
    loop {
        // On the heap, and given back before the connection is parked.
        match Box::pin(http1::run(Rc::clone(core), stream, early, peer.clone(), place)).await {
            http1::Outcome::Ended(end) => return end,
            http1::Outcome::Idle(idle, rest) => (stream, early) = (idle, rest),
        }
        if !early.is_empty() {
            continue;
        }
        place.metrics().parked.inc();
        let idle = core.limits.idle_under(place.pressure().level());
        let waited = wait_for_bytes(core, stream.socket(), idle, End::Idle).await;
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

async fn begins_http2(socket: &Socket) -> bool {
    matches!(socket.peek().await, Ok((first, 3)) if &first == b"PRI")
}
