//! A request's body, by whichever protocol it comes.

use crate::connection::Upload;
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
/// is dropped unread is refused.
pub struct RequestBody(Kind);

enum Kind {
    /// There is none.
    None,
    /// Over HTTP/1.1 and HTTP/2, and where it is noted that it was read to its end.
    Hyper(Incoming, Option<Rc<Cell<bool>>>),
    /// Over HTTP/3.
    Http3(Box<Upload>),
}

impl RequestBody {
    pub(crate) fn none() -> Self {
        Self(Kind::None)
    }

    /// Whether it was read to its end will stand in `read`.
    pub(crate) fn noting(body: Incoming, read: Rc<Cell<bool>>) -> Self {
        read.set(body.is_end_stream());
        Self(Kind::Hyper(body, Some(read)))
    }

    pub(crate) fn over_http3(upload: Upload) -> Self {
        Self(Kind::Http3(Box::new(upload)))
    }
}

impl From<Incoming> for RequestBody {
    fn from(body: Incoming) -> Self {
        Self(Kind::Hyper(body, None))
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::None => "no body",
            Kind::Hyper(..) => "a body over HTTP/1.1 or HTTP/2",
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
            Kind::Hyper(body, read) => {
                let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                if let Some(read) = read {
                    read.set(frame.is_none() || body.is_end_stream());
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Kind::Http3(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::None => true,
            Kind::Hyper(body, _) => body.is_end_stream(),
            Kind::Http3(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::None => SizeHint::with_exact(0),
            Kind::Hyper(body, _) => body.size_hint(),
            Kind::Http3(body) => body.size_hint(),
        }
    }
}
