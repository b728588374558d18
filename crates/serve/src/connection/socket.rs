//! A client's socket: TCP or unix.

use super::lend::Lender;
use super::line::{Lines, Reach};
use super::stream::Transport;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use telemetry::StripedCounter;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// Bytes that the kernel hands on at once, to the other end on this machine or to a network card that cuts them up (TSO): 45
/// segments of an Ethernet line with time stamps, the most that 64 KiB hold. What is longer by a little is a second packet, small
/// and with all that a packet costs: a wake-up, a word of receipt and, where BBR paces, a timer. Who has much to send sends a multiple.
pub const PACKET: usize = 45 * 1_448;

/// A client's socket, of either kind.
pub(crate) enum Socket {
    Tcp(Tcp),
    Unix(UnixStream),
}

/// A TCP socket that is counted.
pub(crate) struct Tcp {
    stream: TcpStream,
    /// What its like are sent.
    sent: StripedCounter,
    lines: Lines,
}

impl Tcp {
    pub(crate) fn new(stream: TcpStream, sent: StripedCounter, lines: Lines) -> Self {
        Self { stream, sent, lines }
    }
}

impl Drop for Tcp {
    fn drop(&mut self) {
        self.lines.ended(&self.stream);
    }
}

impl Socket {
    pub(crate) fn is_unix(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// Has the kernel forget what has not been sent, as soon as the socket is closed: the other end is told by a reset. Else
    /// it would hold all of it for a client that does not take it, with nobody left to count it.
    pub(super) fn forget_unsent(&self) {
        // A unix socket's bytes are with the other end already.
        if let Self::Tcp(tcp) = self {
            let _ = SockRef::from(&tcp.stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// Where it is said how far the other end has come. Of a unix socket nobody says.
    pub(super) fn reach(&self) -> Reach {
        match self {
            Self::Tcp(tcp) => Reach::of(&tcp.stream),
            Self::Unix(_) => Reach::UNKNOWN,
        }
    }

    /// Whether something can be read; a closed connection can be, too.
    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(tcp) => tcp.stream.poll_read_ready(cx),
            Self::Unix(stream) => stream.poll_read_ready(cx),
        }
    }

    /// Whether the kernel would take something to send. Where not, [`Socket::poll_write_ready`] waits until it would: the kernel is
    /// asked in the way that has it tell, which a look at the queue's length is not.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Tcp(Tcp { stream, .. }) => stream.try_io(Interest::WRITABLE, || room(stream)),
            Self::Unix(stream) => stream.try_io(Interest::WRITABLE, || room(stream)),
        }
        .is_ok()
    }

    /// Whether something can be sent, as far as is known.
    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(tcp) => tcp.stream.poll_write_ready(cx),
            Self::Unix(stream) => stream.poll_write_ready(cx),
        }
    }

    /// Drops what comes until the other end sends no more, or so many bytes more as are `left`. No session has to read them.
    pub(super) async fn discard(&self, left: &mut usize) {
        while *left > 0 && poll_fn(|cx| self.poll_read_ready(cx)).await.is_ok() {
            match self.try_discard() {
                Ok(0) => return,
                Ok(count) => *left = left.saturating_sub(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    /// Not part of what waits, which would hold the room meanwhile.
    fn try_discard(&self) -> io::Result<usize> {
        let mut room = [0; DISCARD];
        match self {
            Self::Tcp(tcp) => tcp.stream.try_read(&mut room),
            Self::Unix(stream) => stream.try_read(&mut room),
        }
    }

    /// What `tell` makes of the first bytes that wait to be read, left where they are. As long as it makes nothing of them more
    /// are waited for; `None` where the client sends no more.
    pub(super) async fn peek<V>(&self, tell: impl Fn(&[u8]) -> Option<V>) -> io::Result<Option<V>> {
        loop {
            let ready = match self {
                Self::Tcp(tcp) => tcp.stream.ready(Interest::READABLE).await?,
                Self::Unix(stream) => stream.ready(Interest::READABLE).await?,
            };
            match self.try_peek(&tell) {
                // Word that more has come is waited for anew. That no more will come is said for good, at once each time.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !ready.is_read_closed() => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                told => return told.map(Some),
            }
        }
    }

    /// Whether something waits to be read. That no more will come is nothing here.
    pub(super) fn holds_bytes(&self) -> bool {
        self.try_peek(|bytes| (!bytes.is_empty()).then_some(())).is_ok()
    }

    fn try_peek<V>(&self, tell: impl Fn(&[u8]) -> Option<V>) -> io::Result<V> {
        match self {
            Self::Tcp(Tcp { stream, .. }) => {
                stream.try_io(Interest::READABLE, || told(SockRef::from(stream), tell))
            }
            Self::Unix(stream) => stream.try_io(Interest::READABLE, || told(SockRef::from(stream), tell)),
        }
    }
}

impl Transport for Socket {
    fn socket(&self) -> &Socket {
        self
    }

    fn lends(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }

    fn poll_lend(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        lender: &Lender,
    ) -> Option<Poll<io::Result<usize>>> {
        let Self::Tcp(tcp) = self else { return None };
        loop {
            match tcp.stream.poll_write_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => return Some(Poll::Pending),
            }
            // Not an error, but nothing that could be lent.
            let mut none = false;
            let lent = tcp.stream.try_io(Interest::WRITABLE, || {
                lender.send(&tcp.stream, slices).unwrap_or_else(|| {
                    none = true;
                    Ok(0)
                })
            });
            match lent {
                _ if none => return None,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                lent => return Some(counted(Poll::Ready(lent), &tcp.sent)),
            }
        }
    }
}

/// Bytes that are dropped at once.
const DISCARD: usize = 16 * 1_024;
/// Bytes that are looked at before they are read: the preface of HTTP/2.
const PEEK: usize = 24;

/// An error where the kernel would take nothing. A broken socket takes all, and says so then.
fn room(socket: &impl AsFd) -> io::Result<()> {
    const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&AT_ONCE)) {
        Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn told<V>(socket: SockRef<'_>, tell: impl Fn(&[u8]) -> Option<V>) -> io::Result<V> {
    let mut room = [MaybeUninit::uninit(); PEEK];
    let count = socket.peek(&mut room)?;
    let mut bytes = [0; PEEK];
    for (byte, seen) in bytes.iter_mut().zip(&room[..count]) {
        #[expect(unsafe_code, reason = "the library speaks of uninitialised room")]
        // SAFETY: the call has initialised the first `count` bytes of `room`.
        let seen = unsafe { seen.assume_init() };
        *byte = seen;
    }
    tell(&bytes[..count]).ok_or_else(|| io::ErrorKind::WouldBlock.into())
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(&mut tcp.stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => counted(Pin::new(&mut tcp.stream).poll_write(cx, bytes), &tcp.sent),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => counted(Pin::new(&mut tcp.stream).poll_write_vectored(cx, slices), &tcp.sent),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The kernel has what was written.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(&mut tcp.stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// Counts what the kernel has taken, when it takes it: an answer of ten minutes is in ten minutes.
fn counted(written: Poll<io::Result<usize>>, sent: &StripedCounter) -> Poll<io::Result<usize>> {
    if let Poll::Ready(Ok(bytes)) = written {
        sent.inc_by(bytes as u64);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use telemetry::{StripedCounters, Telemetry};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpSocket};

    #[tokio::test]
    async fn who_was_asked_for_room_and_had_none_says_when_there_is() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpSocket::new_v4().unwrap();
        client.set_recv_buffer_size(4_096).unwrap();
        let mut client = client.connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        SockRef::from(&stream).set_tcp_notsent_lowat(64 * 1_024).unwrap();
        let telemetry = Telemetry::new("test");
        let sent = StripedCounters::register(&telemetry, "sent", "bytes", &[], &[vec![]]).of(0);
        let mut socket = Socket::Tcp(Tcp::new(stream, sent, Lines::register(&telemetry)));
        assert!(socket.has_room());
        // All of it is taken, so that nobody has been told that there is no more room.
        socket.write_all(&[7; PACKET]).await.unwrap();
        assert!(!socket.has_room());
        client.read_exact(&mut [0; PACKET]).await.unwrap();
        poll_fn(|cx| socket.poll_write_ready(cx)).await.unwrap();
        assert!(socket.has_room());
    }
}
