//! What is published for a day and not followed.

use package::Digest;
use signing::{KeyId, Trust};
use timetable::{Refusal, SignedPlan};

/// A plan that is refused.
#[derive(Debug)]
pub(super) struct Refused {
    /// Of its bytes.
    pub(super) digest: Digest,
    pub(super) why: Refusal,
    /// Whose it is, where that is why.
    signed_by: Vec<KeyId>,
}

impl Refused {
    pub(super) fn new(digest: Digest, why: Refusal, bytes: &[u8]) -> Self {
        let signed = (why == Refusal::UnknownKey).then(|| SignedPlan::parse(bytes)).flatten();
        let signatures = signed.iter().flat_map(|signed| signed.signatures.iter());
        Self { digest, why, signed_by: signatures.map(|signature| signature.key_id).collect() }
    }

    /// Which keys are meant, where a key is why: whose the plan is, and whose would be followed.
    pub(super) fn keys(&self, trust: &Trust) -> Option<String> {
        let listed = |keys: &mut dyn Iterator<Item = KeyId>| {
            let keys: Vec<_> = keys.map(|key| key.to_string()).collect();
            if keys.is_empty() { "nobody".to_owned() } else { keys.join(", ") }
        };
        (self.why == Refusal::UnknownKey).then(|| {
            let (signed, trusted) = (listed(&mut self.signed_by.iter().copied()), listed(&mut trust.ids()));
            format!("signed by {signed}; trusted: {trusted}")
        })
    }
}
