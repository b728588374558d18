//! TLS 1.2 and 1.3 with rustls on aws-lc.

use crate::options::TlsFiles;
use faults::Fault;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or holds no PEM of the kind.
    #[error("{}: {problem}; give a PEM file with {wanted}", path.display())]
    File {
        /// As configured.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Certificate and key are each readable and do not work together.
    #[error("{} and its key: {source}; give a certificate chain and the key it was issued for", path.display())]
    Mismatch {
        /// The certificate.
        path: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
}

impl Fault for TlsError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "TLS_FILE",
            Self::Mismatch { .. } => "TLS_MISMATCH",
        }
    }
}

/// One configuration for all cores: they share its session tickets, so that a student who comes back to another
/// core resumes all the same.
pub(crate) fn config(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = certificates(&files.cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::File {
        path: files.key.clone(),
        wanted: "a private key",
        problem: error.to_string(),
    })?;
    let mismatch = |source| TlsError::Mismatch { path: files.cert.clone(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(mismatch)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(mismatch)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Stateless tickets: a million students resuming cost the node no memory. Keys rotate inside.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(mismatch)?;
    // One ticket is what a player uses; the default of two is two more encryptions a handshake.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let file = |problem: String| TlsError::File { path: path.to_owned(), wanted: "certificates", problem };
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(|error| file(error.to_string()))?
        .collect::<Result<_, _>>()
        .map_err(|error| file(error.to_string()))?;
    if chain.is_empty() { Err(file("no certificate in it".to_owned())) } else { Ok(chain) }
}
