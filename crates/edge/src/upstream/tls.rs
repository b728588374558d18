//! TLS towards servers: whom to believe, and showing who we are.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

/// Why a group cannot speak TLS: the option, and what is wrong with it.
pub(super) type Problem = (&'static str, String);

/// One group's TLS.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) config: Arc<ClientConfig>,
    /// Of the files that it was read from: the same as long as they are.
    pub(super) mark: u64,
}

/// One group's TLS. `ca` replaces the system's authorities: a private one is not added to all the world's.
///
/// Sessions are resumed, TLS 1.2 and 1.3; only HTTP/1.1 is offered.
pub(super) fn client(ca: Option<&Path>, identity: Option<(&Path, &Path)>) -> Result<Client, Problem> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates("group.ca", path)? {
                roots.add(certificate).map_err(|error| {
                    ("group.ca", format!("{}: {error}; give certificates of authorities", path.display()))
                })?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                let problem = "is missing and this system has no certificates of authorities; give a PEM file with \
                               those of the group's servers";
                return Err(("group.ca", problem.to_owned()));
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ("group.ca", error.to_string()))?
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = certificates("group.cert", cert)?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| {
                ("group.key", format!("{}: {error}; give a PEM file with a private key", key.display()))
            })?;
            builder.with_client_auth_cert(chain, private).map_err(|error| {
                let problem = "give a certificate chain and the key that it was issued for";
                ("group.cert", format!("{} and its key: {error}; {problem}", cert.display()))
            })?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut mark = DefaultHasher::new();
    for path in ca.into_iter().chain(identity.into_iter().flat_map(|(cert, key)| [cert, key])) {
        std::fs::read(path).unwrap_or_default().hash(&mut mark);
    }
    Ok(Client { config: Arc::new(config), mark: mark.finish() })
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let problem =
        |what: String| (key, format!("{}: {what}; give a PEM file with certificates", path.display()));
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(|error| problem(error.to_string()))?
        .collect::<Result<_, _>>()
        .map_err(|error| problem(error.to_string()))?;
    if chain.is_empty() { Err(problem("no certificate in it".to_owned())) } else { Ok(chain) }
}
