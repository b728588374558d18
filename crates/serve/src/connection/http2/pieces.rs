//! The body of an HTTP/2 answer, in pieces that say when they leave.
//!
//! h2 takes up to a quarter of a megabyte of each stream before the client has room for it, and hyper lets go of a body once
//! h2 has its last piece. What is in the pieces is the client's all the same: over a slow line for minutes.

use crate::connection::streams::{Open, Owed};
use bytes::{Buf, Bytes};
use http::{Method, Response, header};
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

pin_project_lite::pin_project! {
    /// A body whose stream is open until its last piece has left.
    pub(super) struct Pieces<B> {
        #[pin]
        body: Option<B>,
        open: Rc<Open>,
    }
}

impl<B: Body> Pieces<B> {
    /// The body of an answer to `method`. One to HEAD has none, whatever was made for it (RFC 9110 §9.3.2); how long it would have been
    /// stays said. hyper sends what it is given.
    pub(super) fn of(answer: Response<B>, method: &Method, open: Open) -> Response<Self> {
        let (mut head, body) = answer.into_parts();
        let is_head = *method == Method::HEAD;
        if is_head && let Some(length) = body.size_hint().exact().filter(|&length| length > 0) {
            head.headers.entry(header::CONTENT_LENGTH).or_insert_with(|| length.into());
        }
        let body = Some(body).filter(|_| !is_head);
        Response::from_parts(head, Self { body, open: Rc::new(open) })
    }
}

impl<B: Body<Data = Bytes>> Body for Pieces<B> {
    type Data = Piece;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, B::Error>>> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else { return Poll::Ready(None) };
        let frame = ready!(body.poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| frame.map_data(|bytes| Piece { bytes, owed: Owed::begin(this.open) }))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// A piece that h2 has. It advances as its bytes are written, and is dropped when the last is or its stream is given up.
pub(super) struct Piece {
    bytes: Bytes,
    owed: Owed,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.owed.took(count);
    }
}
