//! A plan in its envelope: the text that was signed, and the signatures.
//!
//! ```json
//! {"plan":"{\"kind\":\"airclass-plan/1\",…}","signatures":[{"key_id":"0a1b2c3d4e5f6071","signature":"<128 digits>"}]}
//! ```
//!
//! A manifest never changes and has its signatures in a file beside it. A plan changes under one name, and a cache may hold
//! one of two files of before the change and the other of after: so both travel in one, whole or not at all.

use crate::plan::{MAX_PLAN_BYTES, Plan};
use serde::{Deserialize, Serialize};
use signing::{MAX_SIGNATURES, MAX_SIGNATURES_BYTES, Signatures, SigningKey};

/// The largest envelope read. Most characters of a plan are not escaped in it; if all were, the plan could be half as large.
pub const MAX_ENVELOPE_BYTES: usize = MAX_PLAN_BYTES + MAX_PLAN_BYTES / 2 + MAX_SIGNATURES_BYTES;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedPlan {
    /// The plan's text, exactly as it was signed.
    pub plan: String,
    /// Who has signed it.
    #[serde(default)]
    pub signatures: Signatures,
}

/// Why bytes are no envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoEnvelope {
    TooLong,
    EndsEarly,
    Malformed,
}

impl SignedPlan {
    /// `plan`, signed by each of `keys`.
    pub fn by(plan: &Plan, keys: &[&SigningKey]) -> Self {
        let plan = plan.to_text();
        let mut signatures = Signatures::default();
        for key in keys {
            signatures.add(key.sign(plan.as_bytes()));
        }
        Self { plan, signatures }
    }

    /// Reads an envelope; `None` when it is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).ok()
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NoEnvelope> {
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return Err(NoEnvelope::TooLong);
        }
        let signed: Self = serde_json::from_slice(bytes)
            .map_err(|error| if error.is_eof() { NoEnvelope::EndsEarly } else { NoEnvelope::Malformed })?;
        // Each one costs a verification.
        if signed.signatures.iter().count() > MAX_SIGNATURES {
            Err(NoEnvelope::Malformed)
        } else {
            Ok(signed)
        }
    }

    /// As sent and stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec(self).expect("our types have string keys and no failing serializer");
        bytes.push(b'\n');
        bytes
    }
}
