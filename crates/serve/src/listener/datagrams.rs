//! The UDP sockets of a listener that speaks HTTP/3: one a core at the port that it has over TCP.

use super::socket::{ListenError, Listening};
use crate::options::Listener;
use crate::quic::MAX_LANES;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;

/// Bytes that the kernel keeps for us in either direction while a core does something else: 10 ms at 1.6 Gbit/s. It
/// lowers this to net.core.rmem_max and wmem_max.
const BUFFER: usize = 2 * 1_024 * 1_024;

/// Opens them beside `listening`, which has resolved the port; none where no HTTP/3 is spoken.
///
/// As over TCP a first bind without SO_REUSEPORT finds out whether somebody else holds the port.
pub(super) fn open(
    listener: &Listener,
    listening: &[Listening],
    cores: usize,
) -> Result<Vec<UdpSocket>, ListenError> {
    let address = listening.first().and_then(Listening::address);
    let Some(address) = address.filter(|_| listener.http3) else { return Ok(Vec::new()) };
    let fail = |source| ListenError::Datagrams { address, source };
    drop(bind(address, false).map_err(fail)?);
    (0..cores.min(MAX_LANES)).map(|_| bind(address, true)).collect::<io::Result<_>>().map_err(fail)
}

/// Takes those that somebody else has opened.
pub(super) fn adopt(sockets: Vec<OwnedFd>, listener: &Listener) -> Result<Vec<UdpSocket>, ListenError> {
    let fail = |source| ListenError::Address { address: listener.address.clone(), source };
    let adopt = |socket: OwnedFd| {
        SockRef::from(&socket).set_nonblocking(true)?;
        Ok(socket.into())
    };
    sockets.into_iter().take(MAX_LANES).map(adopt).collect::<io::Result<_>>().map_err(fail)
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(shared)?;
    // A wish, not a need.
    let _ = socket.set_recv_buffer_size(BUFFER).and_then(|()| socket.set_send_buffer_size(BUFFER));
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
