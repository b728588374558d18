//! Who asks: what the certificate of a connection says.

use fleet::Identity;
use jiff::Timestamp;
use package::Digest;
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

/// Who shows a certificate that our authority has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Whom it is for.
    pub(crate) identity: Identity,
    /// SHA-256 of its public key (SPKI).
    pub(crate) key: Digest,
    /// From when to when the certificate counts.
    pub(crate) counts: (Timestamp, Timestamp),
}

impl Caller {
    /// Reads the leaf of a verified chain; `None` when it names nobody of ours, or several.
    pub(crate) fn of(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let (_, leaf) = X509Certificate::from_der(chain.first()?).ok()?;
        let names = leaf.subject_alternative_name().ok()??;
        let mut ours = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => uri.parse::<Identity>().ok(),
            _ => None,
        });
        let (identity, None) = (ours.next()?, ours.next()) else { return None };
        let time = |time: ASN1Time| Timestamp::from_second(time.timestamp()).ok();
        let counts = (time(leaf.validity().not_before)?, time(leaf.validity().not_after)?);
        Some(Self { identity, key: Digest::of(leaf.public_key().raw), counts })
    }
}
