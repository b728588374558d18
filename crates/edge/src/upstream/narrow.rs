//! A connection that is read a little at a time, so that little lies between the server and who reads.
//!
//! As a rule a kernel takes as much as a server sends, megabytes of it, and hyper reads it as it comes. Of a body that is fetched for
//! as long as somebody reads it, all that has been sent for nobody then (attack 53).

use socket2::SockRef;
use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What the kernel takes beyond what has been read; it gives itself as much again for its own accounts.
const KERNEL: usize = 64 * 1_024;
/// What is read at once.
const READ: usize = 32 * 1_024;

/// Whether a connection is narrow. It stays so, and is not used again: how much its kernel takes is no longer found out by that.
#[derive(Clone, Default)]
pub(super) struct Narrow(Rc<Cell<bool>>);

impl Narrow {
    pub(super) fn set(&self) {
        self.0.set(true);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.get()
    }
}

/// One that may become narrow.
pub(super) struct Line {
    stream: TcpStream,
    narrow: Narrow,
    is_narrow: bool,
}

impl Line {
    pub(super) fn new(stream: TcpStream) -> (Self, Narrow) {
        let narrow = Narrow::default();
        (Self { stream, narrow: narrow.clone(), is_narrow: false }, narrow)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.narrow.is_set() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        if !std::mem::replace(&mut self.is_narrow, true) {
            // Where it cannot be, more is sent than need be.
            let _ = SockRef::from(&self.stream).set_recv_buffer_size(KERNEL);
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

    #[tokio::test]
    async fn little_is_taken_of_a_narrow_connection_and_all_of_it_comes() {
        const LENGTH: usize = 1 << 20;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let sending = tokio::spawn(async move { server.write_all(&[7; LENGTH]).await });
        let (mut line, narrow) = Line::new(stream);
        let mut bytes = vec![0; LENGTH];
        line.read_exact(&mut bytes[..2 * READ]).await.unwrap();
        narrow.set();
        let mut at = 2 * READ;
        while at < LENGTH {
            let read = line.read(&mut bytes[at..]).await.unwrap();
            assert!((1..=READ).contains(&read), "{read} bytes at {at}");
            assert!(SockRef::from(&line.stream).recv_buffer_size().unwrap() <= 2 * KERNEL);
            at += read;
        }
        assert!(bytes.iter().all(|&byte| byte == 7));
        sending.await.unwrap().unwrap();
    }
}
