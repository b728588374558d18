//! A request's body over HTTP/2, the rest of which is read when it is refused.
//!
//! What is dropped unread behind an answer takes its stream back (RST_STREAM with `NO_ERROR`, RFC 9113 §8.1). No client may throw
//! the answer away for that, but libcurl 7.88 does where both come at once: whoever sent what is refused heard of a broken protocol, and
//! never why.

use super::super::stream::{GOODBYE, UPLOAD, UPLOAD_TIME};
use crate::service::BoxError;
use bytes::{Buf, Bytes};
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// A body that is not lost with what is left of it.
pub(crate) struct ReadOut<B = Incoming> {
    /// `None`: its end has come, or it broke off.
    body: Option<B>,
    /// To whom the rest goes.
    rest: Option<oneshot::Sender<B>>,
}

/// What is left of a body once nobody has it any more.
pub(super) struct Rest<B = Incoming>(Option<oneshot::Receiver<B>>);

impl<B: Body + Unpin + 'static> Rest<B> {
    /// Behind an answer with `status`. One that refuses nothing ends its stream at once: libcurl 7.88 sends on behind it and hears
    /// nothing more, not even that there is room.
    pub(super) fn read_out_behind(self, status: StatusCode) {
        if let Some(left) = self.0
            && !status.is_success()
        {
            drop(tokio::task::spawn_local(async move {
                if let Ok(body) = left.await {
                    read_out(body).await;
                }
            }));
        }
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> ReadOut<B> {
    pub(super) fn of(body: B) -> (Self, Rest<B>) {
        let (rest, left) = if body.is_end_stream() {
            (None, None)
        } else {
            let (rest, left) = oneshot::channel();
            (Some(rest), Some(left))
        };
        (Self { body: Some(body), rest }, Rest(left))
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B> Drop for ReadOut<B> {
    fn drop(&mut self) {
        if let (Some(body), Some(rest)) = (self.body.take(), self.rest.take()) {
            // Where nobody is to read it, it is dropped here.
            let _ = rest.send(body);
        }
    }
}

/// Reads for nothing what is left, within the bounds that HTTP/1.1 has for it.
async fn read_out<B: Body + Unpin>(mut body: B) {
    let until = Instant::now() + UPLOAD_TIME;
    let mut left = UPLOAD;
    while left > 0 && Instant::now() < until && !body.is_end_stream() {
        let next = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let Ok(Some(Ok(frame))) = timeout(GOODBYE, next).await else { return };
        left = left.saturating_sub(frame.data_ref().map_or(0, Buf::remaining));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::convert::Infallible;
    use std::rc::Rc;
    use std::time::Duration;
    use tokio::task::{LocalSet, yield_now};
    use tokio::time::{Sleep, sleep};

    /// A piece again and again, each after a while; counts the bytes.
    struct Coming {
        piece: Bytes,
        every: Duration,
        next: Pin<Box<Sleep>>,
        came: Rc<Cell<usize>>,
    }

    impl Body for Coming {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            ready!(self.next.as_mut().poll(cx));
            self.next = Box::pin(sleep(self.every));
            self.came.set(self.came.get() + self.piece.len());
            Poll::Ready(Some(Ok(Frame::data(self.piece.clone()))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_wants_is_read_for_a_while_and_so_far() {
        let (no_time, second) = (Duration::ZERO, Duration::from_secs(1));
        let refused = StatusCode::FORBIDDEN;
        for (status, piece, every, read, after) in [
            // As much as it may be.
            (refused, 1 << 20, no_time, UPLOAD, no_time),
            // As long as it may last.
            (refused, 1, second, 30, UPLOAD_TIME),
            // Nothing comes.
            (refused, 1, UPLOAD_TIME, 0, GOODBYE),
            (StatusCode::OK, 1 << 20, no_time, 0, no_time),
        ] {
            let came = Rc::new(Cell::new(0));
            let body = Coming {
                piece: Bytes::from(vec![0; piece]),
                every,
                next: Box::pin(sleep(every)),
                came: Rc::clone(&came),
            };
            let story = async {
                let begun = Instant::now();
                let (body, rest) = ReadOut::of(body);
                rest.read_out_behind(status);
                drop(body);
                // It is gone once nobody else counts.
                while Rc::strong_count(&came) > 1 {
                    yield_now().await;
                    sleep(Duration::from_millis(1)).await;
                }
                assert_eq!(came.get(), read, "{status} {piece} {every:?}");
                let took = begun.elapsed();
                assert!(took >= after && took < after + second, "{status} {piece} {every:?} {took:?}");
            };
            LocalSet::new().run_until(story).await;
        }
    }
}
