//! What is asked.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What is asked, without its body.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) method: &'a Method,
    /// The host that the client asked, lower case.
    pub(crate) host: &'a str,
    /// Path and query.
    pub(crate) target: &'a Uri,
    /// End-to-end fields; Host becomes what the group says.
    pub(crate) headers: &'a HeaderMap,
    /// Asked for the cache, which has nothing of it: a neighbour may have it.
    pub(crate) cold: bool,
}

impl Question<'_> {
    /// As it is sent to one server.
    pub(super) fn request(&self, host: HeaderValue, body: RequestBody) -> Request<RequestBody> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.clone();
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(header::HOST, host);
        request
    }

    /// What decides which server it goes to.
    pub(super) fn key(&self) -> u64 {
        let path = self.target.path_and_query().map_or("/", |path| path.as_str());
        parents::preference::hash(self.host) ^ parents::preference::hash(path).rotate_left(1)
    }
}

/// What is sent with a request.
pub(crate) enum RequestBody {
    /// Nothing.
    Empty,
    /// The client's own body, passed on as it comes.
    Client(Incoming),
}

impl RequestBody {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Client(body) => body.is_end_stream(),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Client(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Client(body) => body.size_hint(),
        }
    }
}
