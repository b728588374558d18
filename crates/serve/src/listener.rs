//! Sockets that listen, and what comes out of them: `inherited | opened → by core → accepted`.

mod datagrams;
mod inherited;
mod socket;

pub(crate) use inherited::{
    ADMIN, Inherited, LINK, MAIL, MAX_SOCKETS, is_of_datagrams, name, name_of_datagrams,
};
pub use socket::ListenError;
pub(crate) use socket::{Listening, may_stand, remove_stale};

use crate::connection::{Connections, Place, Socket, Tcp};
use crate::drain::Drain;
use crate::metrics::Metrics;
use crate::options::{Address, Listener};
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};

/// Pause after the kernel refuses to accept (out of descriptors or memory): long enough for some connection to
/// end, short enough that nobody notices.
pub(crate) const ACCEPT_BACK_OFF: Duration = Duration::from_millis(50);
/// Who is at the other end of a unix socket, unless a PROXY header says so: somebody on this machine.
pub(crate) const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// All sockets of one listener.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) listening: Vec<Listening>,
    /// Over UDP, where HTTP/3 is spoken.
    pub(crate) datagrams: Vec<UdpSocket>,
}

/// Tries at a port that is free for TCP and for UDP, when any will do.
const PORT_TRIES: usize = 16;

/// The sockets of the listener `number`: those that are there already, or new ones.
pub(crate) fn bind(
    listeners: &[Listener],
    number: usize,
    cores: usize,
    inherited: &mut Inherited,
) -> Result<Sockets, ListenError> {
    let there = inherited.take(listeners, number);
    let listener = &listeners[number];
    let mut datagrams = match listener.http3 {
        true => inherited.take_named(&name_of_datagrams(listeners, number)),
        false => Vec::new(),
    };
    let any = matches!(&listener.address, Address::Tcp(address) if address.port() == 0);
    if there.is_empty() && any {
        // They are of a port that nobody has over TCP; this will be another.
        datagrams.clear();
        for tries in (0..PORT_TRIES).rev() {
            let listening = inherited.open(|| socket::open(listener, cores))?;
            match datagrams::open(listener, &listening, cores) {
                Ok(datagrams) => return Ok(Sockets { listening, datagrams }),
                Err(_) if tries > 0 => {}
                Err(error) => return Err(error),
            }
        }
    }
    let listening: Vec<_> = match there.is_empty() {
        true => inherited.open(|| socket::open(listener, cores))?,
        false => {
            there.into_iter().map(|socket| Listening::adopt(socket, listener)).collect::<Result<_, _>>()?
        }
    };
    let datagrams = match datagrams.is_empty() {
        true => inherited.open(|| datagrams::open(listener, &listening, cores))?,
        false => datagrams::adopt(datagrams, listener)?,
    };
    Ok(Sockets { listening, datagrams })
}

/// What [`bind`] would refuse of the listener `number`, whoever listens already.
pub(crate) fn check(listeners: &[Listener], number: usize) -> Result<(), ListenError> {
    let listener = &listeners[number];
    if listeners[..number].iter().any(|other| other.address.excludes(&listener.address)) {
        let source = io::ErrorKind::AddrInUse.into();
        return Err(ListenError::Address { address: listener.address.clone(), source });
    }
    socket::check(listener)
}

/// Shares a listener's sockets out, so that each is accepted from: a connection in the backlog of one that nobody
/// minds would wait for ever. With fewer sockets than cores several cores mind one.
pub(crate) fn by_core(sockets: &[Listening], cores: usize) -> io::Result<Vec<Vec<Listening>>> {
    let mut shared: Vec<Vec<Listening>> = (0..cores).map(|_| Vec::new()).collect();
    for at in 0..sockets.len().max(cores) {
        shared[at % cores].push(sockets[at % sockets.len()].again()?);
    }
    Ok(shared)
}

/// A listening socket in a core's event loop.
pub(crate) enum Accepting {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Accepting {
    pub(crate) fn begin(socket: Listening) -> io::Result<Self> {
        match socket {
            Listening::Tcp(socket) => TcpListener::from_std(socket).map(Self::Tcp),
            Listening::Unix(socket) => UnixListener::from_std(socket).map(Self::Unix),
        }
    }

    fn poll_accept(
        &self,
        context: &mut Context<'_>,
        metrics: &Metrics,
    ) -> Poll<io::Result<(Socket, SocketAddr)>> {
        Poll::Ready(match self {
            Self::Tcp(listener) => ready!(listener.poll_accept(context)).and_then(|(stream, address)| {
                // Answers are written whole; waiting for more (Nagle) would only delay their last packet.
                stream.set_nodelay(true).map_err(|_| io::Error::from(io::ErrorKind::ConnectionAborted))?;
                let sent = metrics.sent.to(address.ip());
                Ok((Socket::Tcp(Tcp::new(stream, sent, metrics.lines.clone())), address))
            }),
            Self::Unix(listener) => {
                ready!(listener.poll_accept(context)).map(|(stream, _)| (Socket::Unix(stream), LOCAL))
            }
        })
    }

    /// The next connection, and the place it has. At the limit new ones wait in the kernel's backlog, running ones go on. A place
    /// is held for no longer than it takes to look whether somebody is there: it may be the last, and who comes to
    /// another listener wants it.
    async fn next(&self, connections: &Connections) -> (Place, io::Result<(Socket, SocketAddr)>) {
        let mut places = pin!(connections.place());
        poll_fn(|context| {
            let place = ready!(places.as_mut().poll(context));
            places.set(connections.place());
            self.poll_accept(context, connections.metrics()).map(|accepted| (place, accepted))
        })
        .await
    }
}

/// Accepts until the drain begins. `open` starts a connection; it does not wait for it.
pub(crate) async fn accept_loop(
    listener: Accepting,
    connections: Connections,
    drain: Drain,
    open: impl Fn(Socket, SocketAddr, Place),
) {
    let begun = drain.begun();
    tokio::pin!(begun);
    loop {
        let (place, accepted) = tokio::select! {
            biased;
            () = &mut begun => return,
            next = listener.next(&connections) => next,
        };
        match accepted {
            Ok((socket, address)) => open(socket, address, place),
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                drop(place);
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

/// Shares a listener's UDP sockets out. One core minds each, and no other: its connections live there.
pub(crate) fn datagrams_by_core(sockets: &[UdpSocket], cores: usize) -> io::Result<Vec<Vec<UdpSocket>>> {
    let mut shared: Vec<Vec<UdpSocket>> = (0..cores).map(|_| Vec::new()).collect();
    for (at, socket) in sockets.iter().enumerate() {
        shared[at % cores].push(socket.try_clone()?);
    }
    Ok(shared)
}

/// As logs write the addresses of a server.
pub(crate) fn describe(listener: &Listener, sockets: &Sockets) -> String {
    match (&listener.address, sockets.listening.first().and_then(Listening::address)) {
        (Address::Tcp(_), Some(resolved)) => resolved.to_string(),
        (address, _) => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faults::Fault;

    /// They were let go, and the port was taken by whoever had given them.
    #[test]
    fn datagrams_of_a_port_that_nobody_has_over_tcp_are_taken() {
        let tls = Listener::plain("127.0.0.1:0".parse().unwrap(), true);
        let listener = Listener { http3: true, ..tls };
        let theirs = bind(std::slice::from_ref(&listener), 0, 2, &mut Inherited::default()).unwrap();
        let address = theirs.listening[0].address().unwrap();
        let wanted = [Listener { address: Address::Tcp(address), ..listener }];
        let mut inherited = Inherited::default();
        for socket in &theirs.datagrams {
            inherited.add(name_of_datagrams(&wanted, 0), socket.try_clone().unwrap().into());
        }
        let Sockets { listening, datagrams: _sends } = theirs;
        drop(listening);
        let ours = bind(&wanted, 0, 2, &mut inherited).unwrap();
        assert_eq!(ours.listening[0].address(), Some(address));
        assert_eq!(ours.datagrams.len(), 2);
    }

    /// It was said of the address alone, which over TCP nobody had.
    #[test]
    fn a_port_that_is_taken_over_udp_is_called_so() {
        // Where nobody else has the port over TCP.
        let theirs = UdpSocket::bind((testkit::loopback::own(), 0)).unwrap();
        let address = theirs.local_addr().unwrap();
        let listener = Listener { http3: true, ..Listener::plain(address, true) };
        let error = bind(&[listener], 0, 2, &mut Inherited::default()).unwrap_err();
        let says = format!("cannot listen on {address} over UDP for HTTP/3: ");
        assert!(error.to_string().starts_with(&says), "{error}");
        assert_eq!(error.code(), socket::TAKEN);
    }

    #[test]
    fn every_socket_is_minded_and_every_core_has_one() {
        let listener = Listener::plain("127.0.0.1:0".parse().unwrap(), false);
        for (sockets, cores, shares) in [(2, 2, vec![1, 1]), (1, 3, vec![1, 1, 1]), (5, 2, vec![3, 2])] {
            let sockets =
                bind(std::slice::from_ref(&listener), 0, sockets, &mut Inherited::default()).unwrap();
            let shared = by_core(&sockets.listening, cores).unwrap();
            assert_eq!(shared.iter().map(Vec::len).collect::<Vec<_>>(), shares);
        }
    }
}
