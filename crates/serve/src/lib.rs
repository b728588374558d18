//! From a socket to a request: `options → listener → (tls) → connection → service`.
//!
//! One single-threaded runtime a core, each with listeners of its own (SO_REUSEPORT): a connection lives and dies
//! on one core, so services need no locks and no `Send`. Idle connections are *parked*: between requests a
//! connection is its socket and little more ([`connection`]). Every wait here has a limit in [`Limits`].

mod connection;
mod drain;
mod listener;
mod metrics;
mod options;
mod server;
mod service;
mod tls;

pub use drain::Drain;
pub use listener::ListenError;
pub use options::{Config, LimitOptions, Limits, Options, TlsFiles};
pub use server::{CoreId, Running, ServeError, Server, run_until_signalled};
pub use service::{BoxError, Peer, Scheme, Service};
pub use tls::TlsError;
