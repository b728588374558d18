//! The bytes of an answer, and how they come.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// How a body comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As fast as it is taken.
    #[default]
    AtOnce,
    /// In pieces, the last one after so long.
    Over(Duration),
    /// Half of it, and [a moment](BREAK_AFTER) later the connection is closed; whoever asks for the rest by Range gets it.
    BreaksOff,
    /// The same without a validator, so that nobody can ask for the rest.
    BreaksOffForGood,
}

/// Pieces of a body that is slow.
const PIECES: usize = 50;
/// Between the half of a body and its breaking off: the half is with everybody by then.
const BREAK_AFTER: Duration = Duration::from_millis(300);

/// A body of known length.
pub(super) struct Paced {
    left: Bytes,
    manner: Manner,
    /// Of a piece.
    length: usize,
    pause: Duration,
    /// Until the next piece.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(super) fn empty() -> Self {
        Self::new(Bytes::new(), Manner::AtOnce)
    }

    pub(super) fn new(body: Bytes, manner: Manner) -> Self {
        let (length, pause) = match manner {
            Manner::AtOnce => (body.len(), Duration::ZERO),
            Manner::Over(span) => (body.len().div_ceil(PIECES), span / (PIECES as u32 - 1)),
            Manner::BreaksOff | Manner::BreaksOffForGood => (body.len() / 2, BREAK_AFTER),
        };
        Self { left: body, manner, length, pause, waiting: None }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if this.left.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(waiting) = &mut this.waiting {
            ready!(waiting.as_mut().poll(cx));
            if matches!(this.manner, Manner::BreaksOff | Manner::BreaksOffForGood) {
                return Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into())));
            }
        }
        let piece = this.left.split_to(this.length.min(this.left.len()));
        this.waiting = (!this.left.is_empty()).then(|| Box::pin(sleep(this.pause)));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
