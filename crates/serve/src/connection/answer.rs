//! A service's body on its way out, watched for the sake of time-outs.

use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project_lite::pin_project! {
    /// A body with what is held until it is done with, and dropped then, whether it was sent whole or given up.
    pub(super) struct Answer<B: Body, E> {
        #[pin]
        body: B,
        ending: E,
        // Why it breaks off, while what has come of it leaves.
        broken: Option<B::Error>,
    }
}

impl<B: Body, E> Answer<B, E> {
    pub(super) fn new(body: B, ending: E) -> Self {
        Self { body, ending, broken: None }
    }
}

impl<B: Body, E> Body for Answer<B, E> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        if let Some(broken) = this.broken.take() {
            return Poll::Ready(Some(Err(broken)));
        }
        match ready!(this.body.poll_frame(cx)) {
            // hyper throws away what it has not written yet. A client to which not a byte comes on a connection that was used before
            // asks again by itself (RFC 9112 §9.3.1 has it for what may be repeated; browsers do it with a form, too): it would be
            // done twice.
            Some(Err(broken)) => {
                *this.broken = Some(broken);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            other => Poll::Ready(other),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
