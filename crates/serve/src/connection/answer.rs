//! A service's body on its way out, watched for the sake of time-outs.

use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Held until an answer's body is done with; dropped then, whether it was sent whole or given up.
pub(super) trait Ending {
    /// A piece of the body was handed over.
    fn moved(&self) {}

    /// More was asked for than there is yet: the client has taken, or has room for, all there was.
    fn ran_dry(&self) {}
}

pin_project_lite::pin_project! {
    /// A body that knows when it is done with.
    pub(super) struct Answer<B, E> {
        #[pin]
        body: B,
        ending: E,
    }
}

impl<B, E> Answer<B, E> {
    pub(super) fn new(body: B, ending: E) -> Self {
        Self { body, ending }
    }
}

impl<B: Body, E: Ending> Body for Answer<B, E> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = this.body.poll_frame(cx);
        if frame.is_ready() {
            this.ending.moved();
        } else {
            this.ending.ran_dry();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
