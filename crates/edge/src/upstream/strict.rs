//! Answers that two clients could read differently, stopped before hyper reads them: an edge as a client is as strict as
//! it is as a server.

use framing::{Bounds, Messages, Violation};
use http::Uri;
use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of an answer's header section.
pub(super) const MAX_HEAD: usize = 64 * 1_024;

/// Follows what an upstream answers.
#[derive(Clone)]
pub(super) struct Answers {
    messages: Rc<RefCell<Messages>>,
    /// Whether anything has come since the last request.
    begun: Rc<Cell<bool>>,
    /// Whose they are, and to what: who reads of a fault is to find it.
    parent: Rc<str>,
    asked: Rc<RefCell<Uri>>,
}

impl Answers {
    /// A request for `asked` is being sent: what comes next is an answer.
    pub(super) fn expect(&self, asked: &Uri) {
        self.asked.replace(asked.clone());
        self.messages.borrow_mut().expect();
        self.begun.set(false);
    }

    /// Whether anything has come of it.
    pub(super) fn have_begun(&self) -> bool {
        self.begun.get()
    }

    /// Looks at what has come.
    fn follow(&self, bytes: &[u8]) -> Result<(), Violation> {
        if !bytes.is_empty() {
            self.begun.set(true);
        }
        self.messages.borrow_mut().follow(bytes).inspect_err(|violation| {
            let (parent, uri, fault) = (&*self.parent, &*self.asked.borrow(), violation.fault.as_str());
            tracing::warn!(parent, %uri, fault, "an upstream's answer has no single meaning");
        })
    }
}

/// A stream that breaks when an answer on it has no single meaning.
pub(super) struct Strict<S> {
    inner: S,
    answers: Answers,
}

impl<S> Strict<S> {
    /// Over which `parent` answers.
    pub(super) fn new(inner: S, parent: &str) -> (Self, Answers) {
        let messages = Rc::new(RefCell::new(Messages::responses(Bounds { head: MAX_HEAD })));
        let answers = Answers { messages, begun: Rc::default(), parent: parent.into(), asked: Rc::default() };
        (Self { inner, answers: answers.clone() }, answers)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if matches!(read, Poll::Ready(Ok(())))
            && let Err(violation) = self.answers.follow(&buffer.filled()[before..])
        {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, violation.fault.as_str())));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
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
