//! A certificate for the run, and a client that speaks one cipher suite, so that all peers do the same work.

use anyhow::{Context, Result};
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The suite that Chromium, Firefox and Safari put first: no server here has a taste of its own, so it is what students get.
pub(crate) const SUITE: &str = "TLS 1.3, TLS_AES_128_GCM_SHA256";
/// Whom the certificate is for, and the Host of every request.
pub(crate) const HOST: &str = "localhost";
/// HTTP/2, by its name in the handshake.
pub(crate) const H2: &[u8] = b"h2";

/// A certificate as files for the servers, and for the client as what it trusts.
pub(crate) struct Certificate {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    trusted: CertificateDer<'static>,
}

impl Certificate {
    /// Issues one for `localhost` (ECDSA P-256, as public authorities do by default) into `directory`.
    pub(crate) fn issue(directory: &Path) -> Result<Self> {
        let issued = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
        let (cert, key) = (directory.join("cert.pem"), directory.join("key.pem"));
        std::fs::write(&cert, issued.cert.pem()).context("cannot write the certificate")?;
        std::fs::write(&key, issued.signing_key.serialize_pem()).context("cannot write the key")?;
        Ok(Self { cert, key, trusted: issued.cert.der().clone() })
    }

    /// A client that offers [`SUITE`] and nothing else, and HTTP/2 if asked to.
    pub(crate) fn client(&self, http2: bool) -> Result<Arc<ClientConfig>> {
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = vec![cipher_suite::TLS13_AES_128_GCM_SHA256];
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.clone())?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = http2.then(|| H2.to_vec()).into_iter().collect();
        Ok(Arc::new(config))
    }
}

/// Whom the client wants to speak to.
pub(crate) fn server_name() -> ServerName<'static> {
    ServerName::try_from(HOST).expect("localhost is a name")
}
