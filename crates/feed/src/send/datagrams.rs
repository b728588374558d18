//! UDP, to one or to a group.

use crate::destination::UdpOptions;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{IpAddr, UdpSocket};

/// What the kernel may hold: 200 ms of 10 Mbit/s, should the interface stand still.
const SEND_BUFFER: usize = 256 << 10;

/// A socket that is connected and does not wait.
#[derive(Debug)]
pub(crate) struct Udp(UdpSocket);

impl Udp {
    pub(crate) fn open(options: &UdpOptions) -> io::Result<Self> {
        let UdpOptions { to, ttl, interface } = *options;
        let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        match (to.ip(), interface) {
            (IpAddr::V4(group), Some(IpAddr::V4(interface))) if group.is_multicast() => {
                socket.set_multicast_if_v4(&interface)?;
            }
            // An address of ours; the interface is the one that has it.
            (_, Some(interface)) => socket.bind(&SockAddr::from(std::net::SocketAddr::new(interface, 0)))?,
            (_, None) => {}
        }
        match (to.ip(), ttl) {
            (IpAddr::V4(ip), Some(ttl)) if ip.is_multicast() => socket.set_multicast_ttl_v4(ttl)?,
            (IpAddr::V6(ip), Some(ttl)) if ip.is_multicast() => socket.set_multicast_hops_v6(ttl)?,
            (IpAddr::V4(_), Some(ttl)) => socket.set_ttl_v4(ttl)?,
            (IpAddr::V6(_), Some(ttl)) => socket.set_unicast_hops_v6(ttl)?,
            (_, None) => {}
        }
        socket.connect(&to.into())?;
        Ok(Self(socket.into()))
    }

    /// A receiver that is not there answers with an error of its own, which is of the datagram before.
    pub(crate) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        match self.0.send(datagram) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => self.0.send(datagram),
            sent => sent,
        }
        .map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    #[test]
    fn a_group_is_sent_to_through_its_interface() {
        let group = Ipv4Addr::new(239, 255, 77, 7);
        let receiver = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        receiver.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let to = SocketAddr::from((group, receiver.local_addr().unwrap().port()));
        let options = UdpOptions { to, ttl: Some(1), interface: Some(Ipv4Addr::LOCALHOST.into()) };
        Udp::open(&options).unwrap().send(b"packets").unwrap();
        let mut got = [0; 20];
        let (length, from) = receiver.recv_from(&mut got).unwrap();
        assert_eq!((&got[..length], from.ip()), (&b"packets"[..], Ipv4Addr::LOCALHOST.into()));
    }

    #[test]
    fn a_receiver_that_is_not_there_stops_nothing() {
        let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let socket = Udp::open(&UdpOptions { to: gone, ttl: Some(9), interface: None }).unwrap();
        for _ in 0..3 {
            socket.send(b"packets").unwrap();
        }
    }
}
