//! What answers requests.

use crate::body::RequestBody;
use crate::connection::Guest;
use crate::interim::Interim;
use crate::ready::ReadyFields;
use bytes::Bytes;
use http::{Request, Response};
use std::cell::Cell;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;

/// Any error a body may end with; the connection is then cut, so that nobody takes the part for the whole.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Which kind of listener a request came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain.
    Http,
    /// Inside TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What a connection is to the service, and has been so far. It is kept while the connection is parked, ends with it, and
/// says nothing about anybody beyond it.
#[derive(Debug, Clone, Default)]
pub struct Standing(Rc<Stands>);

#[derive(Debug, Default)]
struct Stands {
    playing: Cell<bool>,
    guest: Option<Guest>,
}

impl Standing {
    /// Of a connection that is counted among its client's, or of one whose client nobody knows.
    pub(crate) fn new(guest: Option<Guest>) -> Self {
        Self(Rc::new(Stands { playing: Cell::new(false), guest }))
    }

    /// Whether the service has noted that it plays.
    pub fn is_playing(&self) -> bool {
        self.0.playing.get()
    }

    /// It has got media.
    pub fn note_playing(&self) {
        self.0.playing.set(true);
    }

    /// Connections that its client has open (an IPv4 address, or the /64 of an IPv6 address), this one among them; 0 when
    /// nobody knows whose it is.
    pub fn connections_of_client(&self) -> usize {
        self.0.guest.as_ref().map_or(0, Guest::siblings)
    }

    /// Requests of its client (as above) that are in flight, from their heads to the ends of their answers, the one that is
    /// being answered among them; 0 when nobody knows whose it is.
    pub fn requests_of_client(&self) -> usize {
        self.0.guest.as_ref().map_or(0, Guest::requests)
    }

    /// Counts a request among its client's, until what is given back is dropped.
    pub(crate) fn begin_request(&self) -> CountedRequest {
        if let Some(guest) = &self.0.guest {
            guest.request_begins();
        }
        CountedRequest(Rc::clone(&self.0))
    }
}

/// A request among its client's.
#[derive(Debug)]
pub(crate) struct CountedRequest(Rc<Stands>);

impl Drop for CountedRequest {
    fn drop(&mut self) {
        if let Some(guest) = &self.0.guest {
            guest.request_ends();
        }
    }
}

/// Who asks, and how.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The other end of the connection.
    pub address: SocketAddr,
    /// How it is connected.
    pub scheme: Scheme,
    /// The port of HTTPS where the listener wants whoever asks here; `None`: it is served here.
    pub to_https: Option<u16>,
    /// What the connection has been so far.
    pub standing: Standing,
    /// Where interim responses go that are heard before the answer; `None` where none can be sent.
    pub interim: Option<Interim>,
    /// Whether fields of the answer may come with its body, ready to be sent ([`Service::ready`]).
    pub takes_ready: bool,
}

impl Peer {
    /// Served where it asks, and told nothing before its answer.
    pub(crate) fn new(address: SocketAddr, scheme: Scheme, standing: Standing) -> Self {
        Self { address, scheme, to_https: None, standing, interim: None, takes_ready: false }
    }
}

/// What a service has for a request.
pub enum Reply<B, F> {
    /// The answer: there was nothing to wait for, so nothing is made that could wait.
    Now(Response<B>),
    /// What the answer comes from.
    Later(F),
}

impl<B, F: Future<Output = Response<B>>> Reply<B, F> {
    /// The same, of which what waits is on the heap: it is large, and whoever moves it moves a pointer.
    pub(crate) fn boxed(self) -> Reply<B, Pin<Box<F>>> {
        match self {
            Self::Now(answer) => Reply::Now(answer),
            Self::Later(answering) => Reply::Later(Box::pin(answering)),
        }
    }

    /// The answer, when it is there.
    pub(crate) async fn answer(self) -> Response<B> {
        match self {
            Self::Now(answer) => answer,
            Self::Later(answering) => answering.await,
        }
    }
}

/// Answers requests on one core. Neither it nor its futures need be `Send`.
///
/// It never fails: an error is a response. When a client leaves, the future and the body are dropped wherever
/// they are.
pub trait Service: 'static {
    /// The answer's body.
    type Body: http_body::Body<Data = Bytes, Error: Into<BoxError>> + 'static;

    /// Answers one request.
    fn call(
        &self,
        request: Request<RequestBody>,
        peer: Peer,
    ) -> Reply<Self::Body, impl Future<Output = Response<Self::Body>> + use<Self> + 'static>;

    /// Fields that an answer has beside its own, ready to be sent, and without Content-Length; only where [`Peer::takes_ready`] said so.
    fn ready(body: &Self::Body) -> Option<&ReadyFields> {
        let _ = body;
        None
    }
}
