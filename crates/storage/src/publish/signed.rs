//! Putting a signature beside a manifest.

use super::{PublishError, SWAP_ATTEMPTS};
use crate::store::Store;
use crate::swap::Swapped;
use package::PackageId;
use signing::{MAX_SIGNATURES_BYTES, Signature, Signatures};

/// The signatures of `package` as they are stored. A paper that is none counts as no signature.
///
/// # Errors
/// When the store cannot say.
pub async fn signatures(store: &Store, package: PackageId) -> Result<Signatures, PublishError> {
    let found = store.get(&package.signatures(), MAX_SIGNATURES_BYTES).await?;
    Ok(found.and_then(|found| Signatures::parse(&found.bytes)).unwrap_or_default())
}

/// Adds `signature` to those of `package`; whether it was not there yet. The caller has made it over the package's
/// manifest.
///
/// # Errors
/// When the store cannot be written; what was there is then still there.
pub async fn sign(store: &Store, package: PackageId, signature: Signature) -> Result<bool, PublishError> {
    let path = package.signatures();
    for _ in 0..SWAP_ATTEMPTS {
        let current = store.get(&path, MAX_SIGNATURES_BYTES).await?;
        let parsed = current.as_ref().and_then(|found| Signatures::parse(&found.bytes));
        let mut signatures = parsed.unwrap_or_default();
        if !signatures.add(signature) {
            return Ok(false);
        }
        let expected = current.map(|current| current.version);
        if let Swapped::Done(_) = store.swap(&path, expected.as_ref(), signatures.to_bytes().into()).await? {
            return Ok(true);
        }
    }
    Err(PublishError::Contended(path))
}
