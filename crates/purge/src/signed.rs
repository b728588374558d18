//! An order in its envelope: the text that was signed, and the signatures.

use crate::order::Order;
use serde::{Deserialize, Serialize};
use signing::{MAX_SIGNATURES, Signatures, SigningKey};

/// The largest envelope read: the longest URL, escaped, and all signatures fit.
pub const MAX_ENVELOPE_BYTES: usize = 32 << 10;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// The order's text, exactly as it was signed.
    pub order: String,
    /// Who has signed it.
    #[serde(default)]
    pub signatures: Signatures,
}

impl Signed {
    /// `order`, signed by each of `keys`.
    pub fn by(order: &Order, keys: &[&SigningKey]) -> Self {
        let order = order.to_text();
        let mut signatures = Signatures::default();
        for key in keys {
            signatures.add(key.sign(order.as_bytes()));
        }
        Self { order, signatures }
    }

    /// Reads an envelope; `None` when it is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return None;
        }
        let signed: Self = serde_json::from_slice(bytes).ok()?;
        // Each one costs a verification.
        (signed.signatures.iter().count() <= MAX_SIGNATURES).then_some(signed)
    }

    /// As sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("our types have string keys and no failing serializer")
    }
}
