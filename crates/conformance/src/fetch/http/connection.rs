//! One new connection.

use crate::fetch::FetchError;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// A connection's sending half.
pub(super) type Sender = http1::SendRequest<Empty<Bytes>>;

/// TLS 1.2 and 1.3 with forward secrecy only, as Apple 12.1 to 12.3 ask of servers: what cannot agree with this breaks them.
pub(super) fn tls(cacert: Option<&Path>) -> Result<TlsConnector, FetchError> {
    let mut roots = RootCertStore::empty();
    // A system without certificates is one for plain HTTP and own certificates.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = cacert {
        let wrong =
            |error: &dyn std::fmt::Display| FetchError::Address(format!("{}: {error}", path.display()));
        let pem = settings::small_file(path, settings::MAX_TEXT_BYTES).map_err(|error| wrong(&error))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| FetchError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Connects to the server of `url`.
pub(super) async fn open(tls: &TlsConnector, url: &Url) -> Result<Sender, FetchError> {
    let nowhere = || FetchError::Address(format!("{url} names no server"));
    let port = url.port_or_known_default().ok_or_else(nowhere)?;
    let unreachable = |error: std::io::Error| FetchError::Unreachable(error.to_string());
    let stream = match url.host().ok_or_else(nowhere)? {
        Host::Domain(name) => TcpStream::connect((name, port)).await,
        Host::Ipv4(address) => TcpStream::connect((address, port)).await,
        Host::Ipv6(address) => TcpStream::connect((address, port)).await,
    };
    let stream = stream.map_err(unreachable)?;
    // A question is written whole.
    let _ = stream.set_nodelay(true);
    match url.scheme() {
        "http" => shake_hands(stream).await,
        "https" => {
            let host = url.host_str().ok_or_else(nowhere)?.trim_matches(['[', ']']);
            let name = ServerName::try_from(host.to_owned()).map_err(|_| nowhere())?;
            let stream =
                tls.connect(name, stream).await.map_err(|error| FetchError::Tls(error.to_string()))?;
            shake_hands(stream).await
        }
        other => Err(FetchError::Address(format!("`{other}:` is neither http nor https"))),
    }
}

async fn shake_hands(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Sender, FetchError> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| FetchError::Protocol(error.to_string()))?;
    // Its end is seen by the next question.
    drop(tokio::spawn(connection));
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/dev/zero` was read until no memory was left.
    #[test]
    fn no_more_is_read_than_a_file_of_authorities_can_have() {
        let Err(error) = tls(Some(Path::new("/dev/zero"))) else { panic!("taken for certificates") };
        let said = error.to_string();
        assert!(said.contains("/dev/zero: has more than 4194304 bytes"), "{said}");
    }
}
