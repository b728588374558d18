//! DNS: `datagram or framed message → limit → question → the desk's decision → records`.
//!
//! For names that are delegated to steering, with the same decision as the manifest. A and AAAA name one node, so that what is sent
//! stays in proportion; HTTPS (RFC 9460) names the next two as well, in order. Where resolvers tell the student's network (RFC 7871)
//! that network decides, else the resolver's own. Nothing is granted for an answer: it is worth one student or ten thousand, and
//! its sender may be forged. A node that is full is named no more after its next report, and lets nobody in before that.

mod answer;
mod question;
mod tcp;
mod udp;

use crate::clock;
use crate::desk::Desk;
use crate::limit::{DNS, Limiter};
use answer::Answered;
use hickory_proto::rr::Name;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;

/// What names there are, and how they are answered.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    /// Each is a zone of its own, delegated here.
    pub(crate) names: Vec<Name>,
    /// Who answers for them, in NS and SOA.
    pub(crate) servers: Vec<Name>,
    /// How long an answer counts.
    pub(crate) ttl: Duration,
}

/// Bound sockets, to be served by every core.
#[derive(Debug)]
pub(crate) struct Sockets {
    udp: Vec<UdpSocket>,
    tcp: Vec<TcpListener>,
}

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

/// Shared by the tasks of one core.
pub(crate) struct Server {
    desk: Arc<Desk>,
    zone: Zone,
    limiter: Arc<Limiter>,
}

/// `text` as a whole name.
pub(crate) fn name(text: &str) -> Option<Name> {
    let mut name = Name::from_ascii(text).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// The limiter of questions in DNS.
pub(crate) fn limiter(rate: u32) -> Arc<Limiter> {
    Arc::new(Limiter::new(rate, DNS))
}

impl Sockets {
    /// Binds them: before the process gives up that right.
    pub(crate) fn bind(addresses: &[SocketAddr]) -> Result<Self, (SocketAddr, io::Error)> {
        let (mut udp, mut tcp) = (Vec::new(), Vec::new());
        for address in addresses {
            let bind = || {
                let listener = open(*address, Type::STREAM)?;
                listener.listen(BACKLOG)?;
                let listener = TcpListener::from(listener);
                // The port that the system has chosen, when it was asked to.
                let datagrams = UdpSocket::from(open(listener.local_addr()?, Type::DGRAM)?);
                io::Result::Ok((datagrams, listener))
            };
            let (datagrams, listener) = bind().map_err(|source| (*address, source))?;
            udp.push(datagrams);
            tcp.push(listener);
        }
        Ok(Self { udp, tcp })
    }

    /// Where they are.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.tcp.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// The same sockets for another core.
    pub(crate) fn share(&self) -> io::Result<Self> {
        let udp = self.udp.iter().map(UdpSocket::try_clone).collect::<io::Result<_>>()?;
        let tcp = self.tcp.iter().map(TcpListener::try_clone).collect::<io::Result<_>>()?;
        Ok(Self { udp, tcp })
    }
}

/// A socket of one family alone, so that `0.0.0.0` and `[::]` go together, beside those of a process that is about to end.
fn open(address: SocketAddr, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if kind == Type::STREAM {
        // Past connections of a process that has ended do not keep the port.
        socket.set_reuse_address(true)?;
    }
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

impl Server {
    pub(crate) fn new(desk: Arc<Desk>, zone: Zone, limiter: Arc<Limiter>) -> Self {
        Self { desk, zone, limiter }
    }

    /// Serves them on this core until the process ends.
    pub(crate) fn start(self, sockets: Sockets) -> io::Result<()> {
        let server = Rc::new(self);
        for socket in sockets.udp {
            let socket = tokio::net::UdpSocket::from_std(socket)?;
            drop(tokio::task::spawn_local(udp::serve(Rc::clone(&server), socket)));
        }
        for listener in sockets.tcp {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            drop(tokio::task::spawn_local(tcp::serve(Rc::clone(&server), listener)));
        }
        Ok(())
    }

    /// The answer to `message`, if there is to be one.
    fn answer(&self, message: &[u8], peer: IpAddr, transport: Transport) -> Option<Vec<u8>> {
        let admitted = self.limiter.admit(peer, clock::now());
        let Answered { outcome, bytes } =
            answer::answer(&self.desk, &self.zone, message, peer, transport, admitted);
        self.desk.metrics().dns(outcome);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_and_the_next_process_share_a_port() {
        let first = Sockets::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let port = first.addresses()[0].port();
        assert_eq!(first.udp[0].local_addr().unwrap().port(), port);
        let both = [SocketAddr::from(([0, 0, 0, 0], port)), SocketAddr::from(([0_u16; 8], port))];
        // A machine without IPv6 has the first alone.
        let more = if UdpSocket::bind("[::1]:0").is_ok() { &both[..] } else { &both[..1] };
        assert!(Sockets::bind(more).is_ok());
        assert_eq!(first.share().unwrap().addresses(), first.addresses());
    }
}
