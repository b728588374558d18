//! One new connection.

use super::sender::Sender;
use super::{Address, UpstreamError};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How a connection comes about.
#[derive(Clone)]
pub(crate) enum Dial {
    /// Over the network.
    Tcp(Arc<Address>),
    /// In memory, to a script.
    #[cfg(test)]
    Scripted(std::rc::Rc<testkit::upstream::Upstream>),
}

impl Dial {
    /// Connects within `limit`, name resolution included.
    pub(super) async fn connect(&self, limit: Duration) -> Result<Sender, UpstreamError> {
        match self {
            Self::Tcp(address) => {
                let stream = within(limit, TcpStream::connect(address.target())).await?;
                // A request is written whole.
                let _ = stream.set_nodelay(true);
                Sender::over(stream).await
            }
            #[cfg(test)]
            Self::Scripted(upstream) => {
                Sender::over(within(limit, std::rc::Rc::clone(upstream).dial()).await?).await
            }
        }
    }
}

async fn within<T>(
    limit: Duration,
    connecting: impl Future<Output = io::Result<T>>,
) -> Result<T, UpstreamError> {
    timeout(limit, connecting)
        .await
        .map_err(|_| UpstreamError::ConnectTimeout)?
        .map_err(|error| classify(&error))
}

fn classify(error: &io::Error) -> UpstreamError {
    use io::ErrorKind;
    match error.kind() {
        ErrorKind::TimedOut => UpstreamError::ConnectTimeout,
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::AddrNotAvailable
        | ErrorKind::PermissionDenied => UpstreamError::Connect,
        // What getaddrinfo says has no kind of its own.
        _ => UpstreamError::Resolve,
    }
}
