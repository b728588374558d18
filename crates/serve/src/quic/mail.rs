//! Packets on their way to the process that had the sockets before: a unix socket between the two, a message a packet.
//!
//! ```text
//! sender's port (2) | sender's address (16) | our address (16, zero if not known) | ECN (1) | the packet
//! ```
//!
//! Addresses are IPv6; an IPv4 address is written as IPv6 writes it.

use super::lanes::Lanes;
use bytes::Bytes;
use quinn::udp::{EcnCodepoint, RecvMeta};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;

const HEAD: usize = 2 + 16 + 16 + 1;
/// Longest packet that is read or passed on: what UDP has room for.
const MAX_PACKET: usize = 65_535;

/// A packet and where it came from.
pub(super) struct Datagram {
    sender: SocketAddr,
    /// Which of our addresses it was sent to.
    receiver: Option<IpAddr>,
    ecn: Option<EcnCodepoint>,
    pub(super) bytes: Bytes,
}

impl Datagram {
    /// As it was read.
    pub(super) fn read(meta: &RecvMeta, packet: &[u8]) -> Self {
        Self {
            sender: meta.addr,
            receiver: meta.dst_ip,
            ecn: meta.ecn,
            bytes: Bytes::copy_from_slice(packet),
        }
    }

    /// As if it had been read.
    pub(super) fn write(&self, meta: &mut RecvMeta, buffer: &mut IoSliceMut<'_>) {
        let length = self.bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.bytes[..length]);
        (meta.addr, meta.len, meta.stride) = (self.sender, length, length);
        (meta.ecn, meta.dst_ip) = (self.ecn, self.receiver);
    }

    fn to_message(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEAD + self.bytes.len());
        message.extend(self.sender.port().to_be_bytes());
        message.extend(wide(Some(self.sender.ip())).octets());
        message.extend(wide(self.receiver).octets());
        message.push(self.ecn.map_or(0, |ecn| ecn as u8));
        message.extend_from_slice(&self.bytes);
        message
    }

    fn from_message(message: &[u8]) -> Option<Self> {
        let (head, bytes) = message.split_first_chunk::<HEAD>()?;
        let address = |at: usize| {
            let octets: [u8; 16] = head[at..at + 16].try_into().ok()?;
            Some(Ipv6Addr::from(octets).to_canonical())
        };
        let port = u16::from_be_bytes([head[0], head[1]]);
        Some(Self {
            sender: SocketAddr::new(address(2)?, port),
            receiver: address(18).filter(|address| !address.is_unspecified()),
            ecn: EcnCodepoint::from_bits(head[HEAD - 1]),
            bytes: Bytes::copy_from_slice(bytes),
        })
    }
}

fn wide(address: Option<IpAddr>) -> Ipv6Addr {
    match address {
        None => Ipv6Addr::UNSPECIFIED,
        Some(IpAddr::V4(address)) => address.to_ipv6_mapped(),
        Some(IpAddr::V6(address)) => address,
    }
}

/// The end that packets are written to.
pub(crate) struct Mail(UnixDatagram);

impl Mail {
    /// Both ends: one that reads, and one to give away.
    pub(crate) fn pair() -> io::Result<(UnixDatagram, OwnedFd)> {
        let (ours, theirs) = UnixDatagram::pair()?;
        for end in [&ours, &theirs] {
            end.set_nonblocking(true)?;
        }
        Ok((ours, theirs.into()))
    }

    /// The end that somebody has given us.
    pub(crate) fn to(end: OwnedFd) -> io::Result<Self> {
        let end = UnixDatagram::from(end);
        end.set_nonblocking(true)?;
        Ok(Self(end))
    }

    /// A process that is gone or slow loses it.
    pub(super) fn send(&self, datagram: &Datagram) {
        let _ = self.0.send(&datagram.to_message());
    }
}

/// Brings what comes by mail to where it belongs, until the other process is gone.
pub(crate) async fn read_mail(end: UnixDatagram, lanes: Arc<Lanes>) -> io::Result<()> {
    let end = tokio::net::UnixDatagram::from_std(end)?;
    let mut room = vec![0; HEAD + MAX_PACKET];
    loop {
        let length = end.recv(&mut room).await?;
        if length == 0 {
            return Ok(());
        }
        if let Some(datagram) = Datagram::from_message(&room[..length]) {
            lanes.deliver_mail(datagram);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_arrives_as_it_was_read() {
        for (sender, receiver) in [
            ("192.0.2.7:443", Some("198.51.100.1".parse().unwrap())),
            ("[2001:db8::7]:65535", Some("2001:db8::1".parse().unwrap())),
            ("127.0.0.1:1", None),
        ] {
            let mut meta = RecvMeta::default();
            (meta.addr, meta.dst_ip, meta.ecn) = (sender.parse().unwrap(), receiver, Some(EcnCodepoint::Ce));
            let sent = Datagram::read(&meta, b"packet");
            let came = Datagram::from_message(&sent.to_message()).unwrap();
            let (mut read, mut buffer) = (RecvMeta::default(), [0; 100]);
            came.write(&mut read, &mut IoSliceMut::new(&mut buffer));
            assert_eq!((read.addr, read.dst_ip, read.ecn), (meta.addr, receiver, meta.ecn));
            assert_eq!(&buffer[..read.len], b"packet");
        }
        assert!(Datagram::from_message(&[0; HEAD - 1]).is_none());
    }
}
