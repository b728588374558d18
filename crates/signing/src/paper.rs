//! `manifest.sig`: who has signed a manifest.
//!
//! ```json
//! [{"key_id":"0a1b2c3d4e5f6071","signature":"<128 hexadecimal digits>"}]
//! ```

use crate::hex::hex_text;
use crate::key::KeyId;
use serde::{Deserialize, Serialize};

/// The most signatures kept beside a manifest: a key that is going, one that is coming, and a few others'.
pub const MAX_SIGNATURES: usize = 16;
/// The largest paper read; a signature takes 190 bytes.
pub const MAX_SIGNATURES_BYTES: usize = 8 << 10;

/// One signature over a manifest's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Which key made it.
    pub key_id: KeyId,
    signature: Signed,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Signed([u8; 64]);

hex_text!(Signed, 64, "a signature is 128 digits of 0-9 a-f");

/// All signatures over one manifest, at most one a key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signatures(Vec<Signature>);

impl Signature {
    pub(crate) fn new(key_id: KeyId, signature: [u8; 64]) -> Self {
        Self { key_id, signature: Signed(signature) }
    }

    /// The signature itself.
    pub fn bytes(&self) -> &[u8] {
        &self.signature.0
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        self.signature.to_string()
    }
}

impl Signatures {
    /// Reads the paper; `None` when it is none: then the manifest counts as unsigned.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_SIGNATURES_BYTES {
            return None;
        }
        let signatures: Self = serde_json::from_slice(bytes).ok()?;
        (signatures.0.len() <= MAX_SIGNATURES).then_some(signatures)
    }

    /// As stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec(self).expect("our types have string keys and no failing serializer");
        bytes.push(b'\n');
        bytes
    }

    /// Adds `signature`, in place of an earlier one of the same key; whether that changed anything. The oldest goes when
    /// there are too many.
    pub fn add(&mut self, signature: Signature) -> bool {
        if self.0.contains(&signature) {
            return false;
        }
        self.0.retain(|other| other.key_id != signature.key_id);
        self.0.push(signature);
        let surplus = self.0.len().saturating_sub(MAX_SIGNATURES);
        self.0.drain(..surplus);
        true
    }

    /// Oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Signature> {
        self.0.iter()
    }

    /// Whether nobody has signed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;

    #[test]
    fn a_key_signs_once_and_the_oldest_go_first() {
        let keys: Vec<_> = (0..MAX_SIGNATURES + 1).map(|_| SigningKey::generate().unwrap()).collect();
        let mut signatures = Signatures::default();
        assert!(signatures.add(keys[0].sign(b"m")));
        assert!(!signatures.add(keys[0].sign(b"m")));
        assert!(signatures.add(keys[0].sign(b"another")));
        assert_eq!(signatures.iter().count(), 1);
        for key in &keys[1..] {
            signatures.add(key.sign(b"m"));
        }
        assert_eq!(signatures.iter().count(), MAX_SIGNATURES);
        assert_eq!(signatures.iter().next().unwrap().key_id, keys[1].id());
        let bytes = signatures.to_bytes();
        assert!(bytes.len() <= MAX_SIGNATURES_BYTES);
        assert_eq!(Signatures::parse(&bytes), Some(signatures));
    }

    #[test]
    fn what_is_no_paper_is_no_signature() {
        for text in ["", "{}", "[{}]", "[{\"key_id\":\"00\",\"signature\":\"00\"}]", "null"] {
            assert_eq!(Signatures::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Signatures::parse(&b" ".repeat(MAX_SIGNATURES_BYTES + 1)), None);
        assert_eq!(Signatures::parse(b"[]"), Some(Signatures::default()));
    }
}
