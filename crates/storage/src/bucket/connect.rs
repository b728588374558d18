//! One new connection to the server: TCP, and TLS where the endpoint says https.

use super::http::Sender;
use super::taken::{Noting, Taken};
use http::Uri;
use http::uri::Scheme;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use settings::{MAX_TEXT_BYTES, small_file};
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Name, TCP and TLS together. A server next door needs a few milliseconds, one across a continent a second.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// Whom to trust, when neither variable says: Debian's, Fedora's and Alpine's place.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/// Variables that name a file of roots, the first that is set.
const ROOTS_VARIABLES: [&str; 2] = ["AWS_CA_BUNDLE", "SSL_CERT_FILE"];

/// Makes connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Dialer {
    tls: Arc<ClientConfig>,
}

impl Dialer {
    /// Reads the roots of trust. None at all is fine as long as nobody asks for https.
    pub(super) fn new() -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots()?)
            .with_no_client_auth();
        Ok(Self { tls: Arc::new(tls) })
    }

    /// Connects to the server that `uri` names, and notes what is taken there.
    pub(super) async fn dial(&self, uri: &Uri, taken: &Taken) -> io::Result<Sender> {
        timeout(CONNECT_WAIT, self.dial_patiently(uri, taken)).await.map_err(|_| {
            io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {CONNECT_WAIT:?}"))
        })?
    }

    async fn dial_patiently(&self, uri: &Uri, taken: &Taken) -> io::Result<Sender> {
        let host = uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((bare, port)).await?;
        // A request is written whole.
        stream.set_nodelay(true)?;
        let stream = Noting::new(stream, taken.clone());
        if !secure {
            return shake_hands(stream).await;
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(io::Error::other)?;
        shake_hands(TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await?).await
    }
}

/// HTTP/1.1: every S3 server speaks it, and many connections carry more than one.
pub(super) async fn shake_hands(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> io::Result<Sender> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // Ends when the server closes or the sender is dropped. What goes wrong is seen by whoever waits for an answer.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

fn roots() -> Result<RootCertStore, String> {
    let named = ROOTS_VARIABLES.iter().find_map(|variable| {
        env::var_os(variable).filter(|path| !path.is_empty()).map(|path| (*variable, PathBuf::from(path)))
    });
    if let Some((variable, path)) = named {
        return authorities(&path).map_err(|error| format!("{variable} {}: {error}", path.display()));
    }
    let mut roots = RootCertStore::empty();
    for path in SYSTEM_ROOTS {
        let Ok(pem) = small_file(Path::new(path), MAX_TEXT_BYTES) else { continue };
        // One that is damaged takes nothing from the others.
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
        break;
    }
    Ok(roots)
}

/// All of a file that somebody has named, or why not.
fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let pem = small_file(path, MAX_TEXT_BYTES).map_err(|error| error.to_string())?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/dev/zero` was read until no memory was left.
    #[test]
    fn no_more_is_read_than_a_file_of_authorities_can_have() {
        let said = authorities(Path::new("/dev/zero")).unwrap_err();
        assert!(said.starts_with("has more than 4194304 bytes"), "{said}");
    }
}
