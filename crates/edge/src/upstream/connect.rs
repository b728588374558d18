//! One new connection.

use super::exchange::RequestBody;
use super::{Address, UpstreamError};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection's sending half. Its other half runs as a task of this core until the upstream closes it or the sender
/// is dropped.
pub(super) type Sender = http1::SendRequest<RequestBody>;

/// Connects within `limit`, name resolution included.
pub(super) async fn connect(address: &Address, limit: Duration) -> Result<Sender, UpstreamError> {
    let stream = timeout(limit, TcpStream::connect(address.target()))
        .await
        .map_err(|_| UpstreamError::ConnectTimeout)?
        .map_err(|error| classify(&error))?;
    // A request is written whole.
    let _ = stream.set_nodelay(true);
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

fn classify(error: &std::io::Error) -> UpstreamError {
    use std::io::ErrorKind;
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
