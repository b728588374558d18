//! QUIC for HTTP/3: `socket → lane → endpoint → (retry) → handshake → connection`.
//!
//! One socket and one endpoint a core, as over TCP, so that a connection lives on one core. The kernel does not know which:
//! [`routes`] and [`lanes`] see to that.
//!
//! There is no early data (0-RTT): what it saves is one round trip of those that come back to a server which they have
//! left for more than an idle limit, and what it costs is that anybody can send a request a second time
//! (RFC 8446 §8, RFC 8470).

mod congestion;
mod lanes;
mod mail;
mod routes;

pub(crate) use congestion::Control;
pub(crate) use lanes::{Lanes, MAX_LANES};
pub(crate) use mail::{Mail, read_mail};

use crate::connection::{Connections, MAX_STREAMS, Place};
use crate::drain::Drain;
use crate::metrics::Sent;
use crate::options::Tuning;
use lanes::{Ids, Lane};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{
    Connecting, Endpoint, EndpointConfig, IdleTimeout, Runtime, ServerConfig, TokioRuntime, TransportConfig,
};
use std::cell::Cell;
use std::io;
use std::net::UdpSocket;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Streams of one direction that a client may have open: three that HTTP/3 needs, and some that mean nothing.
const MAX_ONE_WAY_STREAMS: u32 = 8;
/// Bytes of a request a client may send before we read them, for a stream and for all. Lessons are not uploaded through
/// here.
const STREAM_WINDOW: u32 = 64 * 1_024;
const CONNECTION_WINDOW: u32 = 1_024 * 1_024;
/// Bytes of answers on their way to one client: 80 Mbit/s over 100 ms. They are the cache's own, not copies.
const SEND_WINDOW: u64 = 1_024 * 1_024;
/// How much longer than the idle limit a client may be silent. QUIC would forget the connection at its limit without a word;
/// ours comes before, and ends it in peace.
const SILENCE: Duration = Duration::from_secs(5);
/// Handshakes that wait for a place, and bytes of each and all that wait with them. Who comes beyond it is refused.
const MAX_WAITING: usize = 1_024;
const WAITING_BYTES: u64 = 16 * 1_024;
const WAITING_BYTES_TOTAL: u64 = 4 * 1_024 * 1_024;
/// Handshakes of one core that are open before clients have to show that they are where they say (RFC 9000 §8.1.2). That is
/// a round trip more for them, and a handshake's signature less for us when they are not.
const RETRY_ABOVE: u32 = 64;

/// How a listener's connections are.
pub(crate) struct Terms {
    tuning: Tuning,
    idle: Duration,
    config: Arc<ServerConfig>,
}

impl Terms {
    pub(crate) fn new(tls: Arc<QuicServerConfig>, tuning: Tuning, idle: Duration) -> Self {
        let mut config = ServerConfig::with_crypto(tls);
        config
            .transport_config(transport(&tuning, idle))
            .max_incoming(MAX_WAITING)
            .incoming_buffer_size(WAITING_BYTES)
            .incoming_buffer_size_total(WAITING_BYTES_TOTAL);
        Self { tuning, idle, config: Arc::new(config) }
    }

    /// For a connection that begins under this idle limit, which may change at work.
    fn under(&mut self, idle: Duration) -> Arc<ServerConfig> {
        if self.idle != idle {
            self.idle = idle;
            Arc::make_mut(&mut self.config).transport_config(transport(&self.tuning, idle));
        }
        Arc::clone(&self.config)
    }
}

fn transport(tuning: &Tuning, idle: Duration) -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    let control = Control::named(tuning.congestion.as_deref()).unwrap_or(Control::Cubic);
    transport
        .max_concurrent_bidi_streams(MAX_STREAMS.into())
        .max_concurrent_uni_streams(MAX_ONE_WAY_STREAMS.into())
        .max_idle_timeout(IdleTimeout::try_from(idle + SILENCE).ok())
        .stream_receive_window(STREAM_WINDOW.into())
        .receive_window(CONNECTION_WINDOW.into())
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(None)
        .congestion_controller_factory(control.factory(tuning.pacing));
    Arc::new(transport)
}

/// Starts to read a lane's socket, in the runtime of its core.
pub(crate) fn endpoint(
    socket: UdpSocket,
    terms: &Terms,
    lanes: &Arc<Lanes>,
    lane: u8,
    sent: Sent,
) -> io::Result<Endpoint> {
    let runtime = Arc::new(TokioRuntime);
    let socket =
        Lane { lanes: Arc::clone(lanes), number: lane, socket: runtime.wrap_udp_socket(socket)?, sent };
    let mut ours = EndpointConfig::default();
    let lanes = Arc::clone(lanes);
    ours.cid_generator(move || Box::new(Ids { lanes: Arc::clone(&lanes), lane }));
    Endpoint::new_with_abstract_socket(ours, Some((*terms.config).clone()), Arc::new(socket), runtime)
}

/// A handshake that is not done, until dropped.
pub(crate) struct Unfinished(Rc<Cell<u32>>);

impl Unfinished {
    fn begin(count: &Rc<Cell<u32>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// Accepts until the drain begins. `idle` is asked for each connection; `open` starts it, and does not wait for it.
pub(crate) async fn accept_loop(
    endpoint: Endpoint,
    mut terms: Terms,
    connections: Connections,
    drain: Drain,
    idle: impl Fn() -> Duration,
    open: impl Fn(Connecting, Place, Unfinished),
) {
    let mut begun = pin!(drain.begun());
    let unfinished: Rc<Cell<u32>> = Rc::default();
    loop {
        let incoming = loop {
            let incoming = tokio::select! {
                biased;
                () = &mut begun => return,
                incoming = endpoint.accept() => incoming,
            };
            let Some(incoming) = incoming else { return };
            if unfinished.get() < RETRY_ABOVE || incoming.remote_address_validated() {
                break incoming;
            }
            connections.metrics().retries.inc();
            // One that may not be asked again has been asked.
            let _ = incoming.retry();
        };
        // At the limit new connections wait here, a bounded number of them, and running ones go on. Nothing has been begun for
        // them, and a place that nobody came for would be missing elsewhere.
        let place = tokio::select! {
            biased;
            () = &mut begun => return incoming.ignore(),
            place = connections.place() => place,
        };
        // An error is a first packet that is no beginning of a handshake.
        if let Ok(handshake) = incoming.accept_with(terms.under(idle())) {
            open(handshake, place.take(), Unfinished::begin(&unfinished));
        }
    }
}
