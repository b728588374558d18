//! The bytes of a connection, watched for the sake of its time-outs and of where its requests end.

use super::activity::Activity;
use super::lend::Lender;
use super::socket::{PACKET, Socket};
use super::strict::Strict;
use bytes::{Buf, Bytes};
use hyper_util::rt::TokioIo;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout};

/// A plain or encrypted stream over a socket that can be waited on.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + 'static {
    /// The socket underneath.
    fn socket(&self) -> &Socket;

    /// Bytes of a body that fill a packet, or several: who has more to come sends a multiple of it.
    fn packet(&self) -> usize {
        PACKET
    }

    /// Takes bytes without sending them, as many as there is room for; 0 means flush first. `None` where there is no
    /// place for them and writing sends at once.
    fn gather(&mut self, slices: &[IoSlice<'_>]) -> Option<io::Result<usize>> {
        let _ = slices;
        None
    }

    /// Whether it sends anything without a copy.
    fn lends(&self) -> bool {
        false
    }

    /// Sends what `slices` have in front without a copy, where they are blocks that may be sent so; `None` where they are to be
    /// written as always.
    fn poll_lend(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        lender: &Lender,
    ) -> Option<Poll<io::Result<usize>>> {
        let _ = (cx, slices, lender);
        None
    }

    /// Until it makes sense to [`gather`](Self::gather): what has been taken can wait with nobody but us.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = cx;
        Poll::Ready(Ok(()))
    }

    /// Says good-bye as the protocol wants it (TLS: close_notify). Does not wait for the other end to say it.
    async fn close(&mut self) {
        let _ = timeout(GOODBYE, self.shutdown()).await;
    }

    /// The same where the other end may still be sending: closing before it has stopped would be a reset, which takes from it what
    /// it has not read of the answer (RFC 9112 §9.6).
    async fn close_and_linger(&mut self) {
        self.close_and_linger_while(Duration::ZERO).await;
    }

    /// The same behind an answer to a body of which it sends the rest: browsers look at an answer once they have sent what it is to,
    /// and over a slow line that takes longer than a good-bye.
    async fn close_and_read_out(&mut self) {
        self.linger(Lingering { sending: UPLOAD_TIME, owed: Duration::ZERO, unread: UPLOAD }).await;
    }

    /// The same, and on, for up to `most`, as long as the kernel has something that has not come to the other end: over a slow line
    /// that takes longer than a good-bye.
    async fn close_and_linger_while(&mut self, most: Duration) {
        self.linger(Lingering { sending: Duration::ZERO, owed: most, unread: UNREAD }).await;
    }

    /// One good-bye after another, as long as `most` has it.
    async fn linger(&mut self, most: Lingering) {
        let (begun, mut left) = (Instant::now(), most.unread);
        loop {
            let before = left;
            let lingering = async {
                let _ = self.shutdown().await;
                self.socket().discard(&mut left).await;
            };
            let is_over = timeout(GOODBYE, lingering).await.is_ok();
            let sends = begun.elapsed() < most.sending && left < before;
            if is_over || !(sends || begun.elapsed() < most.owed && self.socket().reach().is_owed()) {
                return;
            }
        }
    }
}

/// How long the other end of a connection that is over is heard, beyond a good-bye.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lingering {
    /// As long as it sends something in each good-bye.
    sending: Duration,
    /// As long as the kernel has something for it.
    owed: Duration,
    /// Bytes that are read for nothing.
    unread: usize,
}

/// How long a good-bye may take: some round trips.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);
/// Bytes that are read for nothing from who has been answered; more than nearly all that is sent to who does not want it.
const UNREAD: usize = 1_024 * 1_024;
/// The same of a body: all of nearly any.
pub(super) const UPLOAD: usize = 64 * 1_024 * 1_024;
/// How long the rest of it may take: 15 MB, some photographs, at 4 Mbit/s.
pub(super) const UPLOAD_TIME: Duration = Duration::from_secs(30);

/// Bytes read at once. A header section is a twentieth of it; what is larger comes in several reads.
const READ: usize = 8 * 1_024;

/// A transport that reports to [`Activity`], lets through only what is [`Strict`], and gives `early` bytes before its
/// own.
pub(crate) struct Watched<T> {
    inner: TokioIo<T>,
    early: Bytes,
    strict: Strict,
    activity: Rc<Activity>,
    /// Whether the client has ended its direction while a request had no answer.
    has_ended: bool,
}

impl<T> Watched<T> {
    pub(crate) fn new(inner: T, early: Bytes, strict: Strict, activity: Rc<Activity>) -> Self {
        Self { inner: TokioIo::new(inner), early, strict, activity, has_ended: false }
    }

    /// The transport, and what has not been given of the early bytes.
    pub(crate) fn into_inner(self) -> (T, Bytes) {
        (self.inner.into_inner(), self.early)
    }

    /// Whether what was given ends where a request ends.
    pub(crate) fn is_between_requests(&self) -> bool {
        self.strict.is_between_requests()
    }

    /// Whether hyper does not hear yet that the client asks no more, because it would take it for departure: not while an answer
    /// is on its way, after which it reads again, and not before the service was asked.
    fn keeps_end(&mut self, cx: &mut Context<'_>) -> bool {
        if self.strict.is_within_body() || self.activity.may_close() {
            return false;
        }
        if self.activity.is_sending() {
            return true;
        }
        let is_first = !std::mem::replace(&mut self.has_ended, true);
        if is_first {
            cx.waker().wake_by_ref();
        }
        is_first
    }
}

impl<T: AsyncRead + Unpin> hyper::rt::Read for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // Through a buffer of our own: hyper's may only be looked at with `unsafe`, and a copy of a header section costs
        // less than what it is looked at for.
        let mut room = [const { MaybeUninit::uninit() }; READ];
        let mut piece = ReadBuf::uninit(&mut room[..buffer.remaining().min(READ)]);
        if let Some(end) = this.strict.end() {
            buffer.put_slice(end);
            return Poll::Ready(Ok(()));
        }
        if this.early.is_empty() {
            match Pin::new(this.inner.inner_mut()).poll_read(cx, &mut piece) {
                Poll::Ready(Ok(())) if piece.filled().is_empty() && this.keeps_end(cx) => {
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) => this.activity.bytes_read(Instant::now),
                Poll::Pending if this.strict.is_within_body() => {
                    this.activity.read_blocked(Instant::now);
                    return Poll::Pending;
                }
                other => return other,
            }
        } else {
            let length = this.early.len().min(piece.remaining());
            piece.put_slice(&this.early[..length]);
            this.early.advance(length);
            this.activity.bytes_read(Instant::now);
        }
        buffer.put_slice(this.strict.pass(piece.filled_mut()));
        forget(&mut piece);
        Poll::Ready(Ok(()))
    }
}

/// Wipes what was read onto the stack: nobody knows when something is written over it, and a client may have said who it is.
pub(super) fn forget(piece: &mut ReadBuf<'_>) {
    piece.filled_mut().fill(0);
    // Or the compiler sees that nobody reads it, and leaves it out.
    std::hint::black_box(piece);
}

impl<T: AsyncWrite + Unpin> Watched<T> {
    fn written(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(length)) => self.activity.bytes_written(length),
            Poll::Pending => self.activity.write_blocked(Instant::now),
            Poll::Ready(Err(_)) => {}
        }
        result
    }
}

impl<T: AsyncWrite + Unpin> hyper::rt::Write for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // TLS may hold encrypted bytes that the socket did not take yet.
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        match flushed {
            Poll::Ready(Ok(())) => self.activity.bytes_written(0),
            Poll::Pending => self.activity.write_blocked(Instant::now),
            Poll::Ready(Err(_)) => {}
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
