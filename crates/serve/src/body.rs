//! A request's body, by whichever protocol it comes.

use crate::connection::{ReadOut, Upload};
use crate::service::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// What a client sends with its request. It comes as fast as it is read: what is not read holds the client up, and what
/// is dropped unread is refused; over HTTP/1.1 it is read for nothing for a while, over HTTP/2 behind an answer that refuses it.
pub struct RequestBody(Kind);

enum Kind {
    /// There is none.
    None,
    /// Over HTTP/1.1, and where it is noted that it was read to its end.
    Http1(Incoming, Rc<Cell<bool>>),
    /// Over HTTP/2.
    Http2(ReadOut),
    /// Over HTTP/3.
    Http3(Box<Upload>),
}

impl RequestBody {
    /// No bytes.
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// Whether it was read to its end will stand in `read`.
    pub(crate) fn noting(body: Incoming, read: Rc<Cell<bool>>) -> Self {
        read.set(body.is_end_stream());
        Self(Kind::Http1(body, read))
    }

    pub(crate) fn over_http2(body: ReadOut) -> Self {
        Self(Kind::Http2(body))
    }

    pub(crate) fn over_http3(upload: Upload) -> Self {
        Self(Kind::Http3(Box::new(upload)))
    }
}

/// One that hyper has read, by HTTP/1.1.
impl From<Incoming> for RequestBody {
    fn from(body: Incoming) -> Self {
        Self::noting(body, Rc::default())
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::None => "no body",
            Kind::Http1(..) => "a body over HTTP/1.1",
            Kind::Http2(_) => "a body over HTTP/2",
            Kind::Http3(_) => "a body over HTTP/3",
        })
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::None => Poll::Ready(None),
            Kind::Http1(body, read) => {
                let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                read.set(frame.is_none() || body.is_end_stream());
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Kind::Http2(body) => body.poll_frame(cx),
            Kind::Http3(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::None => true,
            Kind::Http1(body, _) => body.is_end_stream(),
            Kind::Http2(body) => body.is_end_stream(),
            Kind::Http3(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::None => SizeHint::with_exact(0),
            Kind::Http1(body, _) => body.size_hint(),
            Kind::Http2(body) => body.size_hint(),
            Kind::Http3(body) => body.size_hint(),
        }
    }
}
