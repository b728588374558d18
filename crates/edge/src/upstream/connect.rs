//! One new connection.

use super::exchange::RequestBody;
use super::{Address, UpstreamError};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection's sending half. Its other half runs as a task of this core until the upstream closes it or the sender
/// is dropped.
pub(super) type Sender = http1::SendRequest<RequestBody>;

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
                shake_hands(stream).await
            }
            #[cfg(test)]
            Self::Scripted(upstream) => {
                shake_hands(within(limit, std::rc::Rc::clone(upstream).dial()).await?).await
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

async fn shake_hands(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Result<Sender, UpstreamError> {
    let (sender, connection) = http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| UpstreamError::Protocol)?;
    drop(tokio::task::spawn_local(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "upstream connection ended");
        }
    }));
    Ok(sender)
}

/// Fields an answer may have.
const MAX_HEADERS: usize = 128;

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
