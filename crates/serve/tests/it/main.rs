//! Servers on sockets of this machine, and clients that write every byte themselves.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

mod direct;
mod http1;
mod http2;
mod http3;
mod proxy;
mod server;
mod tls;
