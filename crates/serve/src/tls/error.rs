//! Why TLS cannot be offered.

use faults::Fault;
use std::path::PathBuf;

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or does not hold what it should.
    #[error("{}: {problem}; give a file with {wanted}", path.display())]
    File {
        /// As configured.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Certificate and key are each readable and do not work together.
    #[error("{} and its key: {source}; give a chain that begins with the certificate of the server itself, and the key that this one was issued for", path.display())]
    Mismatch {
        /// The certificate.
        path: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// The library gives no TLS at all.
    #[error("TLS: {source}; this build cannot offer it")]
    Provider {
        /// What rustls said.
        source: rustls::Error,
    },
}

impl Fault for TlsError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "TLS_FILE",
            Self::Mismatch { .. } => "TLS_MISMATCH",
            Self::Provider { .. } => "TLS_PROVIDER",
        }
    }
}
