//! The frames of an HTTP/2 connection on their way out, several in one system call.
//!
//! h2 flushes after every frame of a body, which is 16 KiB at most, and a flush of a TLS stream is a system call and a
//! wake-up of whoever receives. Here a flush does nothing: encrypted records wait in the TLS session, which has room for
//! a batch of them, and leave when it is full or when the connection has nothing more to do at the moment.

use super::super::line::Reach;
use super::super::stream::Transport;
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A transport that is flushed by [`Gathered::poll_send`] alone. Its copies are the same transport.
pub(super) struct Gathered<T>(Rc<RefCell<T>>);

impl<T> Clone for Gathered<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: Transport> Gathered<T> {
    pub(super) fn new(inner: T) -> Self {
        Self(Rc::new(RefCell::new(inner)))
    }

    /// Closing it forgets what the client has not taken.
    pub(super) fn forget_unsent(&self) {
        self.0.borrow().socket().forget_unsent();
    }

    /// The transport itself, once nobody else has it.
    pub(super) fn into_inner(self) -> Option<T> {
        Rc::into_inner(self.0).map(RefCell::into_inner)
    }

    /// Where it is said how far the client has come.
    pub(super) fn reach(&self) -> Reach {
        self.0.borrow().socket().reach()
    }

    /// Sends what has been gathered. To be called whenever the connection waits.
    pub(super) fn poll_send(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_flush(cx)
    }
}

impl<T: Transport> AsyncRead for Gathered<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_read(cx, buffer)
    }
}

impl<T: Transport> AsyncWrite for Gathered<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().all(|slice| slice.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        let inner = &mut *self.0.borrow_mut();
        ready!(inner.poll_room(cx))?;
        loop {
            match inner.gather(slices) {
                None => return Pin::new(inner).poll_write_vectored(cx, slices),
                // Full.
                Some(Ok(0)) => {
                    ready!(Pin::new(&mut *inner).poll_flush(cx))?;
                    ready!(inner.poll_room(cx))?;
                }
                Some(taken) => return Poll::Ready(taken),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.0.borrow().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Socket;
    use std::task::Waker;

    /// Has room for eight bytes, and sends as many as its far end takes.
    #[derive(Default)]
    struct Session {
        waiting: Vec<u8>,
        sent: Vec<u8>,
        blocked: bool,
        /// Whether its far end would take nothing, as it has said.
        shut: bool,
    }

    const ROOM: usize = 8;

    impl Transport for Session {
        fn socket(&self) -> &Socket {
            unreachable!("nobody waits for it here")
        }

        fn gather(&mut self, slices: &[IoSlice<'_>]) -> Option<io::Result<usize>> {
            let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            let taken = bytes.len().min(ROOM - self.waiting.len());
            self.waiting.extend_from_slice(&bytes[..taken]);
            Some(Ok(taken))
        }

        fn poll_room(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.shut { Poll::Pending } else { Poll::Ready(Ok(())) }
        }
    }

    impl AsyncRead for Session {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Session {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            unreachable!("what can be gathered is")
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.blocked {
                return Poll::Pending;
            }
            let waiting = std::mem::take(&mut self.waiting);
            self.sent.extend(waiting);
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn frames_wait_for_the_word_or_for_the_room_to_be_full() {
        let mut gathered = Gathered::new(Session::default());
        let session = Rc::clone(&gathered.0);
        let cx = &mut Context::from_waker(Waker::noop());
        let mut write = |bytes: &[u8]| match Pin::new(&mut gathered).poll_write(cx, bytes) {
            Poll::Ready(taken) => Some(taken.unwrap()),
            Poll::Pending => None,
        };
        assert_eq!((write(b"head"), write(b"")), (Some(4), Some(0)));
        assert!(session.borrow().sent.is_empty());
        // Half of it fits; the other half finds no room, so that what waits is sent first.
        assert_eq!((write(b"pictures"), write(b"ures")), (Some(4), Some(4)));
        assert_eq!(session.borrow().sent, b"headpict");
        // A far end that takes nothing stops us with the room full, not beyond it.
        session.borrow_mut().blocked = true;
        assert_eq!((write(b"more"), write(b"more")), (Some(4), None));
        session.borrow_mut().blocked = false;
        assert!(Pin::new(&mut gathered).poll_flush(cx).is_ready());
        assert_eq!(session.borrow().sent, b"headpict");
        assert!(gathered.poll_send(cx).is_ready());
        assert_eq!(session.borrow().sent, b"headpicturesmore");
    }

    #[test]
    fn nothing_is_gathered_for_who_takes_nothing() {
        let mut gathered = Gathered::new(Session { shut: true, ..Session::default() });
        let session = Rc::clone(&gathered.0);
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut gathered).poll_write(cx, b"pictures").is_pending());
        assert!(session.borrow().waiting.is_empty());
        session.borrow_mut().shut = false;
        assert!(Pin::new(&mut gathered).poll_write(cx, b"pictures").is_ready());
    }
}
