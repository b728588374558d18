//! TLS towards nodes: whom to believe.

use crate::error::DrillError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Whose certificates count.
#[derive(Debug)]
pub(crate) struct Tls {
    whom: Whom,
    /// One configuration, and so one store of sessions, for all nodes.
    client: OnceLock<Arc<ClientConfig>>,
}

#[derive(Debug)]
enum Whom {
    System,
    Authorities(PathBuf),
    /// A drill before the certificates are there.
    Anybody,
}

impl Tls {
    /// `ca` replaces the system's authorities; `insecure` believes everybody.
    pub(crate) fn new(ca: Option<&Path>, insecure: bool) -> Self {
        let whom = match ca {
            _ if insecure => Whom::Anybody,
            Some(path) => Whom::Authorities(path.to_owned()),
            None => Whom::System,
        };
        Self { whom, client: OnceLock::new() }
    }

    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self::new(None, false)
    }

    /// For HTTP/1.1. Sessions are resumed, as browsers do.
    pub(crate) fn client(&self) -> Result<Arc<ClientConfig>, DrillError> {
        if let Some(client) = self.client.get() {
            return Ok(Arc::clone(client));
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| DrillError::Certificates { problem: error.to_string() })?;
        let mut config = match &self.whom {
            Whom::Anybody => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Credulous(provider)))
                .with_no_client_auth(),
            whom => builder.with_root_certificates(authorities(whom)?).with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::clone(self.client.get_or_init(|| Arc::new(config))))
    }
}

fn authorities(whom: &Whom) -> Result<RootCertStore, DrillError> {
    let mut roots = RootCertStore::empty();
    match whom {
        Whom::Authorities(path) => {
            let wrong = |error: &dyn std::fmt::Display| DrillError::Certificates {
                problem: format!("{}: {error}", path.display()),
            };
            let pem = settings::small_file(path, settings::MAX_TEXT_BYTES).map_err(|error| wrong(&error))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| wrong(&error))?;
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
        }
        _ => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(DrillError::Certificates {
            problem: "there are no certificates of authorities".to_owned(),
        });
    }
    Ok(roots)
}

/// Believes every certificate, and still checks that whoever shows it has its key.
#[derive(Debug)]
struct Credulous(Arc<CryptoProvider>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/dev/zero` was read until no memory was left.
    #[test]
    fn no_more_is_read_than_a_file_of_authorities_can_have() {
        let said = Tls::new(Some(Path::new("/dev/zero")), false).client().unwrap_err().to_string();
        assert!(said.contains("/dev/zero: has more than 4194304 bytes"), "{said}");
    }
}
