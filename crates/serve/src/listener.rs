//! Sockets that listen, one set a core.

use crate::connection::Connections;
use crate::drain::Drain;
use faults::Fault;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Connections the kernel completes before we accept them. The bell brings thousands in a second; the kernel
/// lowers this to net.core.somaxconn.
const BACKLOG: i32 = 16_384;
/// Pause after the kernel refuses to accept (out of descriptors or memory): long enough for some connection to
/// end, short enough that nobody notices.
const ACCEPT_BACK_OFF: Duration = Duration::from_millis(50);

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; choose another address or stop what holds it")]
pub struct ListenError {
    /// As configured.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

impl Fault for ListenError {
    fn code(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::AddrInUse => "LISTEN_TAKEN",
            io::ErrorKind::PermissionDenied => "LISTEN_FORBIDDEN",
            _ => "LISTEN_FAILED",
        }
    }
}

/// Listening sockets on one address, one for each core; the kernel spreads connections over them.
///
/// A first bind without SO_REUSEPORT finds out whether somebody else holds the address: with the option two
/// edges of one user would share a port without a word, each getting half the students.
pub(crate) fn bind(address: SocketAddr, cores: usize) -> Result<Vec<std::net::TcpListener>, ListenError> {
    let fail = |source| ListenError { address, source };
    let probe = socket(address).map_err(fail)?;
    probe.bind(&address.into()).map_err(fail)?;
    probe.listen(1).map_err(fail)?;
    let address = probe.local_addr().map_err(fail)?.as_socket().unwrap_or(address);
    drop(probe);
    (0..cores).map(|_| bind_shared(address).map_err(fail)).collect()
}

fn bind_shared(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = socket(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]` and `0.0.0.0` are two listeners, each configured, each counted.
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

/// Accepts until the drain begins. `open` starts a connection; it does not wait for it.
pub(crate) async fn accept_loop(
    listener: TcpListener,
    connections: Connections,
    drain: Drain,
    open: impl Fn(TcpStream, SocketAddr, crate::connection::Place),
) {
    let begun = drain.begun();
    tokio::pin!(begun);
    loop {
        // A place first: at the limit new connections wait in the kernel's backlog, running ones go on.
        let place = tokio::select! {
            biased;
            () = &mut begun => return,
            place = connections.place() => place,
        };
        let accepted = tokio::select! {
            biased;
            () = &mut begun => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                // Answers are written whole; waiting for more (Nagle) would only delay their last packet.
                if stream.set_nodelay(true).is_ok() {
                    open(stream, address, place);
                }
            }
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                connections.metrics().accept_errors.inc();
                tracing::warn!(%error, "accept");
                tokio::time::sleep(ACCEPT_BACK_OFF).await;
            }
        }
    }
}

/// The client went away between its handshake and our accept; the next connection is not affected.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_address_is_refused_even_from_ourselves() {
        let first = bind("127.0.0.1:0".parse().unwrap(), 2).unwrap();
        let address = first[0].local_addr().unwrap();
        assert_eq!(first[1].local_addr().unwrap(), address);
        let error = bind(address, 1).unwrap_err();
        assert_eq!(error.code(), "LISTEN_TAKEN");
    }
}
