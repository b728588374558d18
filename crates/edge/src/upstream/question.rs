//! What is asked.

use super::sending::Sending;
use crate::policy;
use crate::upload::{TooLarge, Upload};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version, header};
use http_body::{Body, Frame, SizeHint};
use httpcache::hop;
use serve::{BoxError, Interim};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::Instant;

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
    /// Asked for one client alone, who reads the answer as slowly as it may.
    pub(crate) alone: bool,
    /// Little may be wanted of a long answer: no more is to come than is, until it is widened.
    pub(crate) narrow: bool,
    /// The rest of something that has begun: it is no new question, however many there are (`upstream_rate`).
    pub(crate) goes_on: bool,
    /// Where interim responses go.
    pub(crate) interim: Option<&'a Interim>,
}

impl<'a> Question<'a> {
    /// A GET that nobody hears interim responses to.
    pub(crate) const fn get(host: &'a str, target: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self {
            method: &Method::GET,
            host,
            target,
            headers,
            cold: false,
            alone: false,
            narrow: false,
            goes_on: false,
            interim: None,
        }
    }

    /// As it is sent to one server.
    pub(super) fn request(&self, host: HeaderValue, body: RequestBody) -> Request<RequestBody> {
        Request::from_parts(self.head(host), body)
    }

    /// The same without its body.
    pub(super) fn head(&self, host: HeaderValue) -> Parts {
        let mut request = Request::new(());
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
        request.into_parts().0
    }
}

/// What is sent with a request.
pub(crate) enum RequestBody {
    /// Nothing.
    Empty,
    /// The client's own body, passed on as it comes, as far as it may.
    Client(Box<ClientBody>),
}

/// A client's body, and how it gets on.
pub(crate) struct ClientBody {
    body: serve::RequestBody,
    upload: Upload,
    sending: Sending,
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
    /// `body`, sent on by the right of `upload`.
    pub(crate) fn client(body: serve::RequestBody, upload: Upload) -> Self {
        Self::Client(Box::new(ClientBody { body, upload, sending: Sending::new(Instant::now()) }))
    }

    /// How it gets on; `None` where there is nothing to send.
    pub(super) fn sending(&self) -> Option<Sending> {
        match self {
            Self::Empty => None,
            Self::Client(client) => Some(client.sending.clone()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Client(client) => client.body.is_end_stream(),
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
        let ClientBody { body, upload, sending } = &mut **client;
        let polled = Pin::new(&mut *body).poll_frame(cx);
        let now = Instant::now();
        let Poll::Ready(frame) = polled else {
            sending.waits(now);
            return Poll::Pending;
        };
        let Some(frame) = frame else {
            sending.ends(now);
            return Poll::Ready(None);
        };
        let frame = frame.map_err(|error| {
            sending.fails();
            RequestBodyError::Broken(error)
        })?;
        // What does not go upstream before a body does not go behind it either (attack 12).
        let frame = frame.into_trailers().map_or_else(std::convert::identity, |mut trailers| {
            policy::strip_unkeyed(&mut trailers);
            Frame::trailers(trailers)
        });
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        upload.take(bytes).map_err(|TooLarge| {
            sending.fails();
            RequestBodyError::TooLarge
        })?;
        sending.took(bytes, now);
        // Who sees that this was the last asks for no more.
        if body.is_end_stream() {
            sending.ends(now);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Client(client) => client.body.size_hint(),
        }
    }
}
