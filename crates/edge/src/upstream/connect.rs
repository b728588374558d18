//! One new connection: `resolve → TCP → (TLS) → sender`.

use super::UpstreamError;
use super::parent::Parent;
use super::sender::Sender;
use super::width::Line;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

/// How connections come about.
#[derive(Clone)]
pub(crate) enum Dial {
    /// Over the network.
    Network,
    /// In memory, to a script for every server.
    #[cfg(test)]
    Scripted(std::rc::Rc<testkit::upstream::Upstream>),
    /// In memory, to a script for each server, in the order of the configuration.
    #[cfg(test)]
    Each(std::rc::Rc<[std::rc::Rc<testkit::upstream::Upstream>]>),
}

impl Dial {
    /// Connects within `limit`, name resolution and TLS included.
    pub(super) async fn connect(&self, parent: &Parent, limit: Duration) -> Result<Sender, UpstreamError> {
        timeout(limit, self.connect_at_leisure(parent)).await.map_err(|_| {
            // A resolver that does not answer takes longer than that; nobody has been knocked at yet.
            if parent.resolver.is_unheard() { UpstreamError::Resolve } else { UpstreamError::ConnectTimeout }
        })?
    }

    async fn connect_at_leisure(&self, parent: &Parent) -> Result<Sender, UpstreamError> {
        match self {
            Self::Network => {
                let stream = race(parent, parent.resolver.addresses().await?).await?;
                // A request is written whole.
                let _ = stream.set_nodelay(true);
                let peer = stream.peer_addr().ok();
                let (line, width) = Line::new(stream);
                let mut sender = match &parent.tls {
                    None => Sender::over(line, &parent.name).await,
                    Some(tls) => {
                        let connector = TlsConnector::from(Arc::clone(&tls.config));
                        let stream = connector.connect(tls.name.clone(), line).await.map_err(|error| {
                            parent.trouble(&error);
                            UpstreamError::Tls
                        })?;
                        Sender::over(stream, &parent.name).await
                    }
                }?;
                sender.peer = peer;
                sender.width = width;
                Ok(sender)
            }
            #[cfg(test)]
            Self::Scripted(upstream) => scripted(parent, upstream).await,
            #[cfg(test)]
            Self::Each(upstreams) => scripted(parent, &upstreams[parent.number]).await,
        }
    }
}

#[cfg(test)]
async fn scripted(
    parent: &Parent,
    upstream: &std::rc::Rc<testkit::upstream::Upstream>,
) -> Result<Sender, UpstreamError> {
    let stream = std::rc::Rc::clone(upstream).dial().await.map_err(|error| failed(parent, &error))?;
    Sender::over(stream, &parent.name).await
}

/// How long an address is waited for before the next one is tried beside it (RFC 8305 §8 recommends 250 ms).
const STAGGER: Duration = Duration::from_millis(250);

/// The first of the `addresses` of `parent` to answer. One that fails makes the next begin at once; those that were asked before the one
/// that answers come behind it from then on (RFC 8305 §4 would have it so of who remembers).
async fn race(parent: &Parent, addresses: Vec<SocketAddr>) -> Result<TcpStream, UpstreamError> {
    let mut waiting = addresses.iter();
    let connect = |address: &SocketAddr| {
        let address = *address;
        async move { (address, TcpStream::connect(address).await) }
    };
    let mut racing = FuturesUnordered::new();
    racing.extend(waiting.next().map(connect));
    let mut last = UpstreamError::Resolve;
    loop {
        tokio::select! {
            Some(ended) = racing.next() => match ended {
                (address, Ok(stream)) => {
                    let before = addresses.iter().take_while(|before| **before != address).count();
                    parent.resolver.answered(address, &addresses[..before]);
                    return Ok(stream);
                }
                (_, Err(error)) => {
                    last = failed(parent, &error);
                    racing.extend(waiting.next().map(connect));
                }
            },
            () = sleep(STAGGER), if waiting.len() > 0 => racing.extend(waiting.next().map(connect)),
            else => return Err(last),
        }
    }
}

fn failed(parent: &Parent, error: &io::Error) -> UpstreamError {
    parent.trouble(error);
    match error.kind() {
        io::ErrorKind::TimedOut => UpstreamError::ConnectTimeout,
        _ => UpstreamError::Connect,
    }
}
