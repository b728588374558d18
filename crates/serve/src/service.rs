//! What answers requests.

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use std::net::SocketAddr;

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

/// Who asks, and how.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The other end of the connection.
    pub address: SocketAddr,
    /// How it is connected.
    pub scheme: Scheme,
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
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response<Self::Body>> + use<Self> + 'static;
}
