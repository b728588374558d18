//! A service's body on its way out, watched for the sake of time-outs.

use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project_lite::pin_project! {
    /// A body with what is held until it is done with, and dropped then, whether it was sent whole or given up.
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

impl<B: Body, E> Body for Answer<B, E> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
