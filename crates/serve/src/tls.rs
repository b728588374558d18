//! TLS 1.2 and 1.3 with rustls on aws-lc: `files → certificates by name → (tickets) → handshake`.
//!
//! Certificates and ticket keys are behind the one [`ServerConfig`] that all handshakes use, so that new ones come into
//! force with the next handshake and no connection is touched.

mod certificates;
mod error;
mod prefetch;
mod records;
mod tickets;

pub use error::TlsError;

use crate::metrics::Metrics;
use crate::options::TlsFiles;
use certificates::{Certificates, Named};
use quinn::crypto::rustls::QuicServerConfig;
use rustls::ServerConfig;
use rustls::version::TLS13;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use tickets::Tickets;

/// What all TLS listeners of a server share, on all cores: a student who comes back to another core resumes all the
/// same.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    /// The same for QUIC, which is TLS 1.3 and HTTP/3 alone.
    pub(crate) quic: Arc<QuicServerConfig>,
    certificates: Arc<Certificates>,
    tickets: Arc<Tickets>,
}

impl Tls {
    /// Reads everything that `files` names.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let certificates = Arc::new(Certificates::new(Named::load(&files.certificates)?));
        let tickets = Arc::new(Tickets::load(files.ticket_keys.as_deref())?);
        let provider = Arc::new(records::provider());
        let make = |versions, protocols: &[&[u8]]| {
            let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(versions)
                .map_err(|source| TlsError::Provider { source })?
                .with_no_client_auth()
                .with_cert_resolver(Arc::clone(&certificates) as _);
            config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
            // Stateless tickets: a million students resuming cost the node no memory.
            config.ticketer = Arc::clone(&tickets) as _;
            // One ticket is what a player uses; the default of two is two more encryptions a handshake.
            config.send_tls13_tickets = 1;
            // No early data: it can be replayed (RFC 8446 §8), and a segment is not worth a rule about that.
            config.max_early_data_size = 0;
            Ok(Arc::new(config))
        };
        let config = make(rustls::DEFAULT_VERSIONS, &[b"h2", b"http/1.1"])?;
        let quic =
            QuicServerConfig::try_from(make(&[&TLS13], &[b"h3"])?).map_err(|_| TlsError::Provider {
                source: rustls::Error::General("no AES-128-GCM, which QUIC begins with".to_owned()),
            })?;
        Ok(Self { config, quic: Arc::new(quic), certificates, tickets })
    }

    /// Puts what `files` names now in place of what was there, all of it or nothing.
    ///
    /// # Errors
    /// The first file that cannot be used; everything stays as it was.
    pub(crate) fn reload(&self, files: &TlsFiles) -> Result<(), TlsError> {
        let certificates = Named::load(&files.certificates)?;
        let keys = tickets::Keys::load(files.ticket_keys.as_deref())?;
        self.certificates.replace(certificates);
        self.tickets.replace(keys);
        Ok(())
    }

    /// Brings the expiry of each name's certificate into the metrics.
    pub(crate) fn report(&self, metrics: &Metrics) {
        metrics.certificates_expire(&self.certificates.expiries());
    }
}

/// How files look from outside. Two looks that differ mean that somebody has written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Look(Vec<Option<(u64, u64, SystemTime)>>);

impl Look {
    /// Looks at everything that `files` names. A file that is not there is a look, too.
    pub(crate) fn at(files: &TlsFiles) -> Self {
        use std::os::unix::fs::MetadataExt;
        let look = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.ino(), metadata.len(), metadata.modified().ok()?))
        };
        Self(files.paths().map(look).collect())
    }
}
