//! Keys: made, kept in files, named by their own hash.

use crate::error::SigningError;
use crate::hex::hex_text;
use crate::paper::Signature;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use pem::{EncodeConfig, LineEnding, Pem};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The largest key file read; ours have 120 bytes.
const MAX_KEY_BYTES: u64 = 16 << 10;
/// For its owner alone.
const PRIVATE: u32 = 0o600;
/// For everybody to read.
const PUBLIC: u32 = 0o644;
/// What stands before the 32 bytes of a public key in an SPKI structure (RFC 8410 §4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key's name: the first 8 bytes of the SHA-256 of its public half, written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(pub(crate) [u8; 8]);

hex_text!(KeyId, 8, "a key's id is 16 digits of 0-9 a-f");

/// The half that everybody may know, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(pub(crate) [u8; 32]);

hex_text!(PublicKey, 32, "a public key is 64 digits of 0-9 a-f");

/// A key that signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// A new one.
    ///
    /// # Errors
    /// [`SigningError::NotMade`].
    pub fn generate() -> Result<Self, SigningError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| SigningError::NotMade)?;
        Self::of(pair).ok_or(SigningError::NotMade)
    }

    /// Reads a key from a file: PKCS#8 in PEM, with or without its public half.
    ///
    /// # Errors
    /// When the file cannot be read or holds no such key.
    pub fn read(path: &Path) -> Result<Self, SigningError> {
        let text = settings::small_file(path, MAX_KEY_BYTES).map_err(|source| match source.kind() {
            io::ErrorKind::FileTooLarge => SigningError::NoKey(path.to_owned()),
            _ => SigningError::Unreadable { path: path.to_owned(), source },
        })?;
        Self::from_pem(&text).ok_or_else(|| SigningError::NoKey(path.to_owned()))
    }

    fn from_pem(text: &[u8]) -> Option<Self> {
        let pem = pem::parse(text).ok().filter(|pem| pem.tag() == "PRIVATE KEY")?;
        // What openssl makes has no public half; ours has, and it is checked.
        Self::of(Ed25519KeyPair::from_pkcs8_maybe_unchecked(pem.contents()).ok()?)
    }

    fn of(pair: Ed25519KeyPair) -> Option<Self> {
        let public = PublicKey(pair.public_key().as_ref().try_into().ok()?);
        Some(Self { pair, public })
    }

    /// Writes the key to `path`, for its owner alone, and its public half to `path` with `.pub` behind; gives that path.
    ///
    /// # Errors
    /// When one of the files is there already or cannot be written.
    pub fn write(&self, path: &Path) -> Result<PathBuf, SigningError> {
        let pkcs8 = self.pair.to_pkcs8v1().map_err(|_| SigningError::NotMade)?;
        write_new(path, PRIVATE, &encoded("PRIVATE KEY", pkcs8.as_ref()))?;
        let mut public = path.as_os_str().to_owned();
        public.push(".pub");
        let public = PathBuf::from(public);
        write_new(&public, PUBLIC, &encoded("PUBLIC KEY", &[&SPKI[..], &self.public.0].concat()))?;
        Ok(public)
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        self.public.id()
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs `bytes`, as they are.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        let signature = self.pair.sign(bytes);
        let mut signed = [0; 64];
        signed.copy_from_slice(signature.as_ref());
        Signature::new(self.id(), signed)
    }
}

impl PublicKey {
    /// Its name.
    pub fn id(&self) -> KeyId {
        let mut id = [0; 8];
        id.copy_from_slice(&digest(&SHA256, &self.0).as_ref()[..8]);
        KeyId(id)
    }

    /// Whether `signature` was made over exactly `bytes` by the other half of this key (RFC 8032 §5.1.7).
    pub fn verifies(&self, bytes: &[u8], signature: &Signature) -> bool {
        signature.key_id == self.id()
            && UnparsedPublicKey::new(&ED25519, self.0).verify(bytes, signature.bytes()).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    /// Not the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id()).finish_non_exhaustive()
    }
}

fn encoded(tag: &str, bytes: &[u8]) -> String {
    pem::encode_config(&Pem::new(tag, bytes), EncodeConfig::new().set_line_ending(LineEnding::LF))
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), SigningError> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| SigningError::NotWritten { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use faults::Fault;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    #[test]
    fn a_key_is_kept_in_a_file_for_its_owner_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = SigningKey::generate().unwrap();
        let public = key.write(&path).unwrap();
        assert_eq!(public, folder.path().join("key.pub"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        let read = SigningKey::read(&path).unwrap();
        assert_eq!((read.id(), read.public()), (key.id(), key.public()));
        let signature = read.sign(b"manifest");
        assert!(key.public().verifies(b"manifest", &signature));
        assert!(!key.public().verifies(b"manifesto", &signature));
        assert!(!SigningKey::generate().unwrap().public().verifies(b"manifest", &signature));
        assert_eq!(key.write(&path).unwrap_err().code(), "KEY_NOT_WRITTEN");
        assert!(!format!("{key:?}").contains(&key.public().to_string()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert_eq!(SigningKey::read(&path).unwrap_err().code(), "KEY_UNREADABLE");
        let public = encoded("PUBLIC KEY", &SPKI);
        let empty = encoded("PRIVATE KEY", b"");
        for text in ["", "key", &public, &empty, &"x".repeat(20_000)] {
            fs::write(&path, text).unwrap();
            assert_eq!(SigningKey::read(&path).unwrap_err().code(), "KEY_INVALID", "{text:.40}");
        }
    }

    #[test]
    fn rfc_8032_test_vector_2() {
        // RFC 8032 §7.1, TEST 2, its seed wrapped as RFC 8410 §7 does.
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let header: [u8; 16] =
            [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
        let pkcs8 = [&header[..], &units::hex::read::<32>(seed).unwrap()].concat();
        let key = SigningKey::from_pem(encoded("PRIVATE KEY", &pkcs8).as_bytes()).unwrap();
        let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        assert_eq!(key.public().to_string(), public);
        let signature = key.sign(&[0x72]).text();
        assert!(signature.starts_with("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"));
        assert!(signature.ends_with("085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"));
    }

    #[test]
    fn openssl_agrees_when_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let openssl = |arguments: &[&str]| {
            Command::new("openssl").args(arguments).current_dir(folder.path()).output().ok()
        };
        let made = openssl(&["genpkey", "-algorithm", "ed25519", "-out", "theirs"]);
        let Some(true) = made.map(|made| made.status.success()) else { return };
        SigningKey::read(&file("theirs")).unwrap();

        let key = SigningKey::generate().unwrap();
        key.write(&file("ours")).unwrap();
        fs::write(file("text"), b"manifest").unwrap();
        fs::write(file("signature"), key.sign(b"manifest").bytes()).unwrap();
        let verified = openssl(&[
            "pkeyutl",
            "-verify",
            "-rawin",
            "-pubin",
            "-inkey",
            "ours.pub",
            "-in",
            "text",
            "-sigfile",
            "signature",
        ]);
        let verified = verified.unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }
}
