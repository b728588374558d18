//! The authority of the fleet: its key signs certificates for nodes, people and the control itself.
//!
//! ```text
//! STATE/authority.pem   the certificate that all of them know          authority.key   its key: keep it, and keep it secret
//! STATE/records.key     the key (Ed25519) that signs records           records.key.pub for auditors
//! ```
//! Several controls over one store have copies of the same four files.

use crate::error::ControlError;
use fleet::{Identity, NodeName, Person};
use jiff::Timestamp;
use package::Digest;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use signing::SigningKey;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

const CERTIFICATE: &str = "authority.pem";
const KEY: &str = "authority.key";
const RECORDS_KEY: &str = "records.key";
/// The largest file of these read; they have less than a kilobyte.
const MAX_FILE_BYTES: u64 = 64 << 10;
/// For its owner alone.
const PRIVATE: u32 = 0o600;
/// For everybody to read.
const PUBLIC: u32 = 0o644;
const DAY: u64 = 86_400;
/// An authority outlives the machines that it is installed on.
const AUTHORITY_LIVES: Duration = Duration::from_secs(20 * 365 * DAY);
/// The control's own certificate, made anew at each start.
const SERVER_LIVES: Duration = Duration::from_secs(2 * 365 * DAY);
/// Clocks of machines that have just been set up are not the best.
const BEFORE: Duration = Duration::from_secs(3_600);

/// Signs certificates and records.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
    /// Signs records.
    pub records: SigningKey,
}

/// A certificate that was made.
#[derive(Debug, Clone)]
pub struct Issued {
    /// PEM.
    pub certificate: String,
    /// Until when it counts.
    pub until: Timestamp,
}

/// A request for a certificate whose sender holds the key.
pub(crate) struct Request {
    parameters: CertificateSigningRequestParams,
    /// SHA-256 of the public key (SPKI).
    pub(crate) key: Digest,
}

impl Authority {
    /// Makes one in `state`.
    ///
    /// # Errors
    /// When one is there, or files cannot be written.
    pub fn make(state: &Path, now: Timestamp) -> Result<Self, ControlError> {
        std::fs::create_dir_all(state).map_err(|error| ControlError::file(state, error))?;
        let key = KeyPair::generate().map_err(certificate)?;
        let mut parameters = lasting(now, AUTHORITY_LIVES)?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters.distinguished_name = named("Airclass fleet authority");
        let made = parameters.self_signed(&key).map_err(certificate)?;
        let records = SigningKey::generate().map_err(|error| ControlError::Certificate(error.to_string()))?;
        // The key first: a certificate without one could not be mended.
        write_new(&state.join(KEY), PRIVATE, &key.serialize_pem())?;
        records
            .write(&state.join(RECORDS_KEY))
            .map_err(|error| ControlError::file(&state.join(RECORDS_KEY), error))?;
        write_new(&state.join(CERTIFICATE), PUBLIC, &made.pem())?;
        Self::load(state)
    }

    /// Reads the one in `state`.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub fn load(state: &Path) -> Result<Self, ControlError> {
        const TELL: &str = "make one with `airclass control init`";
        const NOT_YOURS: &str = "run it as the user that the folder belongs to (airclass-control)";
        let read = |name: &str| {
            let path = state.join(name);
            settings::small_text(&path, MAX_FILE_BYTES).map_err(|error| {
                let tell = if error.kind() == ErrorKind::PermissionDenied { NOT_YOURS } else { TELL };
                ControlError::file(&path, format!("{error}; {tell}"))
            })
        };
        let broken =
            |name: &str, error: String| ControlError::file(&state.join(name), format!("{error}; {TELL}"));
        let (pem, key) = (read(CERTIFICATE)?, read(KEY)?);
        let key = KeyPair::from_pem(&key).map_err(|error| broken(KEY, error.to_string()))?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| broken(CERTIFICATE, error.to_string()))?;
        let issuer =
            Issuer::from_ca_cert_der(&der, key).map_err(|error| broken(CERTIFICATE, error.to_string()))?;
        let records = state.join(RECORDS_KEY);
        let records = SigningKey::read(&records).map_err(|error| ControlError::file(&records, error))?;
        Ok(Self { issuer, pem, der, records })
    }

    /// The certificate that everybody knows, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The same.
    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// What tokens call it.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// A certificate for a node, for the key of its request.
    pub(crate) fn certify(
        &self,
        node: &NodeName,
        request: &Request,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<String, ControlError> {
        let mut parameters = request.parameters.clone();
        // Of the request its key is taken and nothing else.
        parameters.params = client(&Identity::Node(node.clone()), now, until)?;
        Ok(parameters.signed_by(&self.issuer).map_err(certificate)?.pem())
    }

    /// A certificate and a key for a person, PEM.
    ///
    /// # Errors
    /// When none can be made.
    pub fn admit(
        &self,
        person: &Person,
        now: Timestamp,
        valid: Duration,
    ) -> Result<(Issued, String), ControlError> {
        let key = KeyPair::generate().map_err(certificate)?;
        let until = after(now, valid)?;
        let parameters = client(&Identity::Person(person.clone()), now, until)?;
        let made = parameters.signed_by(&key, &self.issuer).map_err(certificate)?;
        Ok((Issued { certificate: made.pem(), until }, key.serialize_pem()))
    }

    /// The control's own chain and key, for these names.
    pub(crate) fn serve(
        &self,
        names: &[String],
        now: Timestamp,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), ControlError> {
        let key = KeyPair::generate().map_err(certificate)?;
        let mut parameters = lasting(now, SERVER_LIVES)?;
        parameters.subject_alt_names =
            CertificateParams::new(names.to_vec()).map_err(certificate)?.subject_alt_names;
        parameters.distinguished_name = named("Airclass control");
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let made = parameters.signed_by(&key, &self.issuer).map_err(certificate)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(certificate)?;
        // The authority's own goes along: a machine with a token knows its hash and nothing else.
        Ok((vec![made.der().clone(), self.der.clone()], key))
    }
}

impl Request {
    /// Reads a request; its signature proves that who made it holds the key.
    pub(crate) fn parse(pem: &str) -> Option<Self> {
        let parameters = CertificateSigningRequestParams::from_pem(pem).ok()?;
        let key = Digest::of(&parameters.public_key.subject_public_key_info());
        Some(Self { parameters, key })
    }
}

fn client(identity: &Identity, now: Timestamp, until: Timestamp) -> Result<CertificateParams, ControlError> {
    let lives = until.duration_since(now);
    let mut parameters = lasting(now, Duration::try_from(lives).unwrap_or_default())?;
    let name = identity.to_string();
    parameters.distinguished_name = named(&name);
    parameters.subject_alt_names = vec![SanType::URI(name.as_str().try_into().map_err(certificate)?)];
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(parameters)
}

/// What counts from shortly before `now` for `lives`.
fn lasting(now: Timestamp, lives: Duration) -> Result<CertificateParams, ControlError> {
    let now = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0));
    let since_1970 = |time: Duration| rcgen::date_time_ymd(1970, 1, 1) + time;
    let mut parameters = CertificateParams::default();
    parameters.not_before = since_1970(now.saturating_sub(BEFORE));
    parameters.not_after = since_1970(now + lives);
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

pub(crate) fn after(now: Timestamp, valid: Duration) -> Result<Timestamp, ControlError> {
    now.checked_add(valid).map_err(certificate)
}

fn certificate(error: impl ToString) -> ControlError {
    ControlError::Certificate(error.to_string())
}

/// Writes a file that must not be there yet.
fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), ControlError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| ControlError::file(path, format!("{error}; nothing is overwritten")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link to the wrong file took all of the machine's memory.
    #[test]
    fn no_more_is_read_than_a_key_or_a_certificate_can_have() {
        let folder = tempfile::tempdir().unwrap();
        Authority::make(folder.path(), Timestamp::UNIX_EPOCH).unwrap();
        for name in [CERTIFICATE, KEY, RECORDS_KEY] {
            assert!(folder.path().join(name).metadata().unwrap().len() < MAX_FILE_BYTES, "{name}");
        }
        std::fs::remove_file(folder.path().join(CERTIFICATE)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(CERTIFICATE)).unwrap();
        let said = Authority::load(folder.path()).err().unwrap().to_string();
        assert!(said.contains("authority.pem: has more than 65536 bytes"), "{said}");
    }
}
