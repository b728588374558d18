//! The bytes of an HTTP/2 connection on their way to h2, their frames counted.

use super::super::streams::Streams;
use super::abuse::{Abuse, Allowances};
use super::frames::{END_OR_ACK, Frames, kind};
use hyper_util::rt::TokioIo;
use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// A transport whose reading fails when the client does too much of something.
pub(super) struct Guarded<T> {
    inner: T,
    frames: Frames,
    /// Whether the client's settings have come, which must be its first frame (RFC 9113 §3.4). h2 does not insist.
    begun: bool,
    allowances: Allowances,
    /// Where the connection finds out what it was.
    found: Rc<Cell<Option<Abuse>>>,
    /// Told what the client takes and sends.
    streams: Rc<Streams>,
}

impl<T> Guarded<T> {
    pub(super) fn new(inner: T, found: Rc<Cell<Option<Abuse>>>, streams: Rc<Streams>) -> TokioIo<Self> {
        let allowances = Allowances::begin(Instant::now());
        TokioIo::new(Self { inner, frames: Frames::begin(), begun: false, allowances, found, streams })
    }

    fn count(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (begun, allowances, found) = (&mut self.begun, &mut self.allowances, &self.found);
        let streams = &self.streams;
        let mut wrong = false;
        self.frames.pass(bytes, |head| {
            if !*begun {
                *begun = head.kind == kind::SETTINGS && head.flags & END_OR_ACK == 0;
                wrong |= !*begun;
            }
            if head.kind == kind::DATA && head.length > 0 {
                streams.came();
            }
            if let Err(abuse) = allowances.take(head, Instant::now) {
                found.set(Some(abuse));
            }
        });
        if wrong || self.found.get().is_some() { Err(io::ErrorKind::InvalidData.into()) } else { Ok(()) }
    }

    fn sent(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.allowances.sent(bytes);
            self.streams.took(bytes);
        }
        written
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        Poll::Ready(self.count(&buffer.filled()[before..]))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.sent(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.sent(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
