//! What carriers count as free: the last edition, as it was signed.

use super::Desk;
use bytes::Bytes;
use fleet::zero_rating::SignedManifest;
use fleet::{Person, Refusal, Sender};
use package::Digest;
use std::sync::PoisonError;

impl Desk {
    /// Publishes what carriers count as free, signed by whom they believe: the control looks at the form alone.
    pub(crate) async fn zero_rate(&self, person: Person, body: Bytes) -> Result<u64, Refusal> {
        let (_, manifest) = SignedManifest::parse(&body).ok_or(Refusal::Malformed)?;
        let digest = self.keep_body(body).await?;
        let by = |_: &()| Sender::Person(person.clone());
        let published =
            self.record(by, |registry| Ok((registry.publish_zero_rating(manifest.edition, digest)?, ())));
        published.await.map(|((), number)| number)
    }

    /// The last edition's number.
    pub(crate) fn zero_rating(&self) -> Option<(u64, Digest)> {
        self.registry().zero_rating()
    }

    /// Its text. It is read once: carriers go on asking while the store is away.
    pub(crate) async fn zero_rating_text(&self, digest: Digest) -> Result<Bytes, Refusal> {
        if let Some(text) = self.zero_rated(digest) {
            return Ok(text);
        }
        let text = self.body(digest).await?;
        *self.zero_rated.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest, text.clone()));
        Ok(text)
    }

    /// The same where it has been read.
    pub(super) fn zero_rated(&self, digest: Digest) -> Option<Bytes> {
        let known = self.zero_rated.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.filter(|(known, _)| *known == digest).map(|(_, text)| text)
    }
}
