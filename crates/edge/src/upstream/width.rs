//! How much a connection takes beyond what is read of it.
//!
//! As a rule a kernel takes as much as a server sends, megabytes of it, and hyper reads it as it comes. Of a body that is fetched for
//! as long as somebody reads it, all that has been sent for nobody then (attack 53); and what a kernel has once allowed a server to send
//! cannot be taken back. So every connection begins narrow, and is widened when a long answer has begun of which all is wanted.

use socket2::SockRef;
use std::cell::Cell;
use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What the kernel takes of a narrow connection beyond what has been read; it gives itself as much again for its own accounts.
const KERNEL: usize = 64 * 1_024;
/// What is read of one at once.
const READ: usize = 32 * 1_024;
/// What the kernel takes of a wide one where it cannot be left to find that out.
const WIDE: usize = 4 << 20;

/// How wide a connection is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Is {
    /// As it began: little has ever been allowed to come unread.
    #[default]
    Narrow,
    /// The kernel finds out how much it takes.
    Wide,
    /// What was allowed to come when it was wide may still come: it is not used again.
    NarrowAgain,
}

/// A hold on how wide a connection is.
#[derive(Clone, Default)]
pub(super) struct Width(Rc<Cell<Is>>);

impl Width {
    /// All of an answer is wanted, so many bytes where that is known. What the kernel takes anyway needs no more room.
    pub(super) fn widen(&self, length: Option<u64>) {
        if length.is_none_or(|length| length > KERNEL as u64) {
            self.0.set(Is::Wide);
        }
    }

    /// From now on little more is taken than is read.
    pub(super) fn narrow(&self) {
        if self.0.get() == Is::Wide {
            self.0.set(Is::NarrowAgain);
        }
    }

    /// Whether little comes of an answer that nobody reads.
    pub(super) fn is_narrow(&self) -> bool {
        self.0.get() == Is::Narrow
    }

    /// Whether it may carry another exchange.
    pub(super) fn is_usable_again(&self) -> bool {
        self.0.get() != Is::NarrowAgain
    }
}

/// A connection whose width may change.
pub(super) struct Line {
    stream: TcpStream,
    width: Width,
    /// What the kernel has been told.
    told: Is,
}

impl Line {
    pub(super) fn new(stream: TcpStream) -> (Self, Width) {
        let width = Width::default();
        narrow(&stream);
        (Self { stream, width: width.clone(), told: Is::Narrow }, width)
    }
}

/// Where it cannot be, more is sent than need be.
fn narrow(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_recv_buffer_size(KERNEL);
}

/// Has the kernel find out again how much it takes, which it does not once it has been told.
fn widen(stream: &TcpStream) {
    if unlock_buffers(stream).is_err() {
        let _ = SockRef::from(stream).set_recv_buffer_size(WIDE);
    }
}

/// SO_BUF_LOCK, of Linux 5.14: the size of neither buffer is ours any more.
fn unlock_buffers(stream: &TcpStream) -> io::Result<()> {
    let neither: libc::c_int = 0;
    let length = libc::socklen_t::try_from(size_of_val(&neither)).map_err(io::Error::other)?;
    #[expect(unsafe_code, reason = "no library that we have sets this option")]
    // SAFETY: the descriptor is open for as long as the stream is borrowed, and the value lives and is as long as is said.
    let result = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BUF_LOCK,
            (&raw const neither).cast(),
            length,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let is = self.width.0.get();
        if std::mem::replace(&mut self.told, is) != is {
            match is {
                Is::Wide => widen(&self.stream),
                Is::Narrow | Is::NarrowAgain => narrow(&self.stream),
            }
        }
        if is == Is::Wide {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let room = buffer.remaining().min(READ);
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
        let length = part.filled().len();
        buffer.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What the server's kernel holds of what has been sent and not taken.
    const SENT_AHEAD: usize = 16 * 1_024;
    /// More than a kernel takes at first.
    const LONG: usize = 4 << 20;

    async fn connected() -> (Line, Width, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        SockRef::from(&listener).set_send_buffer_size(SENT_AHEAD).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (line, width) = Line::new(stream);
        (line, width, listener.accept().await.unwrap().0)
    }

    fn room(line: &Line) -> usize {
        SockRef::from(&line.stream).recv_buffer_size().unwrap()
    }

    /// What the server gets rid of while nobody reads.
    async fn sent_for_nobody(server: &TcpStream) -> usize {
        let mut sent = 0;
        for _ in 0..1_000 {
            while let Ok(more) = server.try_write(&[7; READ]) {
                sent += more;
            }
            tokio::task::yield_now().await;
        }
        sent
    }

    #[tokio::test]
    async fn little_is_taken_of_an_answer_that_nobody_reads_also_after_a_long_one() {
        let (mut line, width, mut server) = connected().await;
        let (answer, mut taken) = (vec![7; LONG], vec![0; LONG]);
        let (sent, read) = tokio::join!(server.write_all(&answer), line.read_exact(&mut taken));
        sent.unwrap();
        read.unwrap();
        assert!(width.is_narrow());
        let sent = sent_for_nobody(&server).await;
        assert!(sent <= 2 * (KERNEL + SENT_AHEAD), "{sent}");
    }

    #[test]
    fn a_short_answer_leaves_a_connection_narrow_and_a_long_one_does_not() {
        let most = KERNEL as u64;
        for (length, is_narrow) in
            [(Some(0), true), (Some(most), true), (Some(most + 1), false), (None, false)]
        {
            let width = Width::default();
            width.widen(length);
            assert_eq!((width.is_narrow(), width.is_usable_again()), (is_narrow, true), "{length:?}");
            width.narrow();
            assert_eq!((width.is_narrow(), width.is_usable_again()), (is_narrow, is_narrow), "{length:?}");
        }
    }

    #[tokio::test]
    async fn the_kernel_finds_out_how_much_a_wide_one_takes_and_is_told_of_one_that_is_narrow_again() {
        let (mut line, width, mut server) = connected().await;
        let sending = tokio::spawn(async move { while server.write_all(&[7; READ]).await.is_ok() {} });
        let mut bytes = vec![0; LONG];
        line.read_exact(&mut bytes).await.unwrap();
        assert_eq!(room(&line), 2 * KERNEL);
        width.widen(None);
        while room(&line) <= 2 * KERNEL {
            line.read_exact(&mut bytes).await.unwrap();
        }
        width.narrow();
        for _ in 0..100 {
            let read = line.read(&mut bytes).await.unwrap();
            assert!((1..=READ).contains(&read), "{read}");
            assert_eq!(room(&line), 2 * KERNEL);
        }
        assert!(bytes.iter().all(|&byte| byte == 7));
        drop(line);
        sending.await.unwrap();
    }
}
