//! Where certificates and the keys of session tickets lie.

use super::Options;
use serde::{Deserialize, Deserializer};
use settings::SettingsError;
use std::path::{Path, PathBuf};

/// Where certificates and ticket keys lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// At least one; the first is for all names that no other has.
    pub certificates: Vec<CertificateFiles>,
    /// Keys that the nodes of a group share.
    pub ticket_keys: Option<PathBuf>,
}

/// Where a certificate and its key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// Chain, leaf first, PEM.
    pub cert: PathBuf,
    /// PKCS#8, PKCS#1 or SEC1, PEM.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Every file.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let pairs = self.certificates.iter().flat_map(|pair| [pair.cert.as_path(), pair.key.as_path()]);
        pairs.chain(self.ticket_keys.as_deref())
    }

    /// `wanted`: some listener speaks TLS.
    pub(super) fn resolve(options: &Options, wanted: bool) -> Result<Option<Self>, SettingsError> {
        let given = |files: &Option<Vec<PathBuf>>| files.clone().unwrap_or_default();
        let (certs, keys) = (given(&options.cert), given(&options.key));
        let none = certs.is_empty() && keys.is_empty();
        match wanted {
            true if certs.is_empty() || keys.is_empty() => {
                Err(SettingsError::value("tls_listen", "needs a certificate and its key: give cert and key"))
            }
            true if certs.len() != keys.len() => Err(SettingsError::value(
                "key",
                format!("names {} files for {} certificates; give one for each", keys.len(), certs.len()),
            )),
            true => {
                let pairs = certs.into_iter().zip(keys);
                let certificates = pairs.map(|(cert, key)| CertificateFiles { cert, key }).collect();
                Ok(Some(Self { certificates, ticket_keys: options.ticket_keys.clone() }))
            }
            false if options.ticket_keys.is_some() => {
                Err(SettingsError::value("ticket_keys", "does nothing without tls_listen: leave it out"))
            }
            false if none => Ok(None),
            false => Err(SettingsError::value(
                "cert",
                "and key do nothing without tls_listen: give all three or none",
            )),
        }
    }
}

/// A list, or the one element of a list.
pub(super) fn one_or_many<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<PathBuf>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a path or a list of paths")]
    enum OneOrMany {
        One(PathBuf),
        Many(Vec<PathBuf>),
    }
    Ok(Option::<OneOrMany>::deserialize(deserializer)?.map(|given| match given {
        OneOrMany::One(path) => vec![path],
        OneOrMany::Many(paths) => paths,
    }))
}
