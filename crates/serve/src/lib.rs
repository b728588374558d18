//! From a socket to a request: `options → listener → (proxy) → (tls) → connection → service`; over UDP
//! `options → listener → quic → connection → service`.
//!
//! One single-threaded runtime a core, each with listeners of its own (SO_REUSEPORT): a connection lives and dies
//! on one core, so services need no locks and no `Send`. Idle connections are *parked*: between requests a
//! connection is its socket and little more ([`connection`]). Every wait here has a limit in [`Limits`].
//!
//! A process at work can be told to stop, to read its configuration again, and to hand its sockets to the next process
//! ([`running`], [`handover`]). Once bound, it gives up what it does not need ([`sandbox`]).

mod body;
mod check;
mod clock;
mod connection;
mod drain;
mod handover;
mod interim;
mod listener;
mod metrics;
mod options;
mod pressure;
mod quic;
mod ready;
mod running;
mod sandbox;
mod server;
mod service;
mod tls;

/// For the fuzzer: parsers of what a stranger may send before anything is known of it.
pub mod parsers {
    pub use crate::connection::http3_request;
    pub use crate::connection::proxy::header as proxy_header;
}

pub use body::RequestBody;
pub use check::check;
pub use connection::{Busy, Client, InFlight, Load, PACKET, Work};
pub use drain::{Drain, DrainSender};
pub use handover::{HandoverError, Kin, Link};
pub use interim::Interim;
pub use listener::ListenError;
pub use metrics::{Family, Sent};
pub use options::{
    Address, CertificateFiles, Config, LimitOptions, Limits, Listener, ListenerOptions, Options, Others,
    ProxyRule, ProxySender, TlsFiles, Tuning,
};
pub use pressure::{Level, Pressure};
pub use ready::{LastingFields, ReadyFields};
pub use running::{Ended, Reread, Running, hold_hang_ups, is_live, run_until_signalled, serve_until_told};
pub use sandbox::{Sandbox, SandboxError};
pub use server::{CoreId, ServeError, Server, open};
pub use service::{BoxError, Peer, Reply, Scheme, Service, Standing};
pub use tls::{TlsError, pem};
