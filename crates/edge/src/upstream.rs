//! Towards the origin: `group → parent → connect (→ strict) → sender → pool → attempt → exchange → body (→ rest)`.
//!
//! Which group of servers a question goes to, which server of it, and when to another one, is decided by the rules of the
//! crate `parents`; here they meet the world. What is known about servers is shared by all cores, connections are a core's
//! own.

mod address;
mod attempt;
mod begun;
mod body;
mod check;
mod config;
mod connect;
mod exchange;
mod group;
mod hangup;
mod metrics;
mod options;
mod parent;
mod peer;
mod pool;
mod question;
mod resolve;
mod rest;
mod sender;
mod sending;
mod strict;
#[cfg(test)]
mod tests;
mod tls;
mod way;
mod width;

use address::Address;
pub(crate) use body::{BodyError, UpstreamBody};
pub use config::Upstreams;
pub(crate) use connect::Dial;
pub(crate) use exchange::{Upstream, UpstreamResponse};
pub(crate) use group::Groups;
pub(crate) use options::one_or_several;
pub use options::{GroupOptions, ServerOptions};
pub(crate) use question::{Question, RequestBody};
pub(crate) use sender::READ;
pub(crate) use way::Way;

use faults::Blame;
use parents::retry::Failure;
use telemetry::Label;

/// Why there is no answer from the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// Its name has no address.
    #[error("the upstream's name cannot be resolved")]
    Resolve,
    /// It refuses connections, or there is no way to it.
    #[error("the upstream cannot be reached")]
    Connect,
    /// No connection in time.
    #[error("no connection to the upstream in time")]
    ConnectTimeout,
    /// It has no certificate that is to be believed, or does not believe ours.
    #[error("the upstream's certificate is not to be believed, or it does not believe ours")]
    Tls,
    /// All connections were busy for as long as we wait for one.
    #[error("all connections to the upstream are busy")]
    Busy,
    /// As many questions a second go to it as may.
    #[error("too many questions a second for the upstream")]
    Rate,
    /// No header section in time.
    #[error("no answer from the upstream in time")]
    ResponseTimeout,
    /// What it sent is no HTTP, or it closed before an answer or the first byte of one's body.
    #[error("the upstream's answer cannot be read")]
    Protocol,
    /// The client's own body broke off while it was sent on.
    #[error("the request's body broke off")]
    RequestBody,
    /// The client's own body was larger than what is sent on.
    #[error("the request's body is too large")]
    RequestTooLarge,
    /// The client's own body came too slowly, or stopped coming.
    #[error("the request's body does not come")]
    RequestTooSlow,
    /// No group is for this host.
    #[error("no group is for this host")]
    UnknownHost,
    /// No group is for this path of this host.
    #[error("no group is for this path")]
    UnknownPath,
}

impl UpstreamError {
    /// Whether the upstream, as far as we can see, is not there at all (and not just unwell).
    pub(crate) fn is_disconnected(self) -> bool {
        matches!(
            self,
            Self::Resolve | Self::Connect | Self::ConnectTimeout | Self::Busy | Self::ResponseTimeout
        )
    }

    /// Whose fault it is: a broken request body and a host that is not ours are the client's.
    pub(crate) fn blame(self) -> Blame {
        match self {
            Self::RequestBody
            | Self::RequestTooLarge
            | Self::RequestTooSlow
            | Self::UnknownHost
            | Self::UnknownPath => Blame::Input,
            _ => Blame::Ours,
        }
    }

    /// As far as asking another server goes.
    fn failure(self) -> Failure {
        match self {
            Self::Resolve | Self::Connect | Self::ConnectTimeout | Self::Tls => Failure::Connect,
            Self::Busy | Self::Rate => Failure::Busy,
            Self::ResponseTimeout => Failure::Timeout,
            Self::Protocol => Failure::NoHead,
            Self::RequestBody
            | Self::RequestTooLarge
            | Self::RequestTooSlow
            | Self::UnknownHost
            | Self::UnknownPath => Failure::Request,
        }
    }
}

impl From<BodyError> for UpstreamError {
    /// Of a body that broke off before its first byte: there is nothing to be told of it.
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Untaken => Self::Busy,
            BodyError::Stalled | BodyError::Slow | BodyError::Cut | BodyError::TooLong => Self::Protocol,
        }
    }
}

impl Label for UpstreamError {
    const ALL: &'static [Self] = &[
        Self::Resolve,
        Self::Connect,
        Self::ConnectTimeout,
        Self::Tls,
        Self::Busy,
        Self::Rate,
        Self::ResponseTimeout,
        Self::Protocol,
        Self::RequestBody,
        Self::RequestTooLarge,
        Self::RequestTooSlow,
        Self::UnknownHost,
        Self::UnknownPath,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect-timeout",
            Self::Tls => "tls",
            Self::Busy => "busy",
            Self::Rate => "rate",
            Self::ResponseTimeout => "response-timeout",
            Self::Protocol => "protocol",
            Self::RequestBody => "request-body",
            Self::RequestTooLarge => "request-too-large",
            Self::RequestTooSlow => "request-too-slow",
            Self::UnknownHost => "unknown-host",
            Self::UnknownPath => "unknown-path",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}
