//! What is asked.

use crate::upload::{TooLarge, Upload};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version, header};
use http_body::{Body, Frame, SizeHint};
use httpcache::hop;
use serve::{BoxError, Interim};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

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
    /// Where interim responses go.
    pub(crate) interim: Option<&'a Interim>,
}

impl<'a> Question<'a> {
    /// A GET that nobody hears interim responses to.
    pub(crate) const fn get(host: &'a str, target: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self { method: &Method::GET, host, target, headers, cold: false, interim: None }
    }

    /// As it is sent to one server.
    pub(super) fn request(&self, host: HeaderValue, body: RequestBody) -> Request<RequestBody> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.clone();
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(header::HOST, host);
        if let Some(interim) = self.interim.cloned() {
            // RFC 9110 §15.2: a proxy passes them on.
            hyper::ext::on_informational(&mut request, move |response| {
                let mut headers = response.headers().clone();
                hop::strip(&mut headers);
                headers.remove(header::CONTENT_LENGTH);
                interim.pass(response.status(), &headers);
            });
        }
        request
    }
}

/// What is sent with a request.
pub(crate) enum RequestBody {
    /// Nothing.
    Empty,
    /// The client's own body, passed on as it comes, as far as it may.
    Client(Box<(serve::RequestBody, Upload)>),
}

/// Why a request's body was not sent whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestBodyError {
    /// It did not come whole.
    #[error("the client's body broke off")]
    Broken(#[source] BoxError),
    /// More came than is sent on.
    #[error("the client's body is too large")]
    TooLarge,
}

impl RequestBody {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Client(client) => client.0.is_end_stream(),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let Self::Client(client) = self.get_mut() else { return Poll::Ready(None) };
        let (body, upload) = &mut **client;
        let Some(frame) = ready!(Pin::new(body).poll_frame(cx)) else { return Poll::Ready(None) };
        let frame = frame.map_err(RequestBodyError::Broken)?;
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        upload.take(bytes).map_err(|TooLarge| RequestBodyError::TooLarge)?;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Client(client) => client.0.size_hint(),
        }
    }
}
