//! Towards the origin: `address → connect (→ strict) → sender → pool → exchange`.

mod address;
mod connect;
mod exchange;
mod pool;
mod sender;
mod strict;

pub use address::Address;
pub(crate) use connect::Dial;
pub(crate) use exchange::{Question, RequestBody, Upstream, UpstreamResponse};

use faults::Blame;
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
    /// All connections were busy for as long as we wait for one.
    #[error("all connections to the upstream are busy")]
    Busy,
    /// No header section in time.
    #[error("no answer from the upstream in time")]
    ResponseTimeout,
    /// What it sent is no HTTP, or it closed before an answer.
    #[error("the upstream's answer cannot be read")]
    Protocol,
    /// The client's own body broke off while it was sent on.
    #[error("the request's body broke off")]
    RequestBody,
}

impl UpstreamError {
    /// Whether the upstream, as far as we can see, is not there at all (and not just unwell).
    pub(crate) fn is_disconnected(self) -> bool {
        matches!(
            self,
            Self::Resolve | Self::Connect | Self::ConnectTimeout | Self::Busy | Self::ResponseTimeout
        )
    }

    /// Whose fault it is: a broken request body is the client's.
    pub(crate) fn blame(self) -> Blame {
        if self == Self::RequestBody { Blame::Input } else { Blame::Ours }
    }
}

impl Label for UpstreamError {
    const ALL: &'static [Self] = &[
        Self::Resolve,
        Self::Connect,
        Self::ConnectTimeout,
        Self::Busy,
        Self::ResponseTimeout,
        Self::Protocol,
        Self::RequestBody,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect-timeout",
            Self::Busy => "busy",
            Self::ResponseTimeout => "response-timeout",
            Self::Protocol => "protocol",
            Self::RequestBody => "request-body",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}
