//! XXH3: 64 bits over what is stored, 128 over keys.
//!
//! Quicker than memory on every processor we know, so that verifying each read costs nothing that shows; a flip stays
//! unseen once in 2⁶⁴. It is no signature: who can write to the disk can write valid sums.

use twox_hash::{XxHash3_64, XxHash3_128};

/// Over a front, a footer or a sector.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// Over one block, bound to whose it is: the same bytes under another key, of another version or in another place
/// have another sum, so a stale or misplaced block is found as a flipped one is.
pub(crate) fn block(hash: u128, generation: u64, number: u32, bytes: &[u8]) -> u64 {
    let mut owner = [0; 28];
    owner[..16].copy_from_slice(&hash.to_le_bytes());
    owner[16..24].copy_from_slice(&generation.to_le_bytes());
    owner[24..].copy_from_slice(&number.to_le_bytes());
    XxHash3_64::oneshot_with_seed(sum(&owner), bytes)
}

/// Of a key, under the store's secret: nobody outside can make two keys meet.
pub(crate) fn key(secret: u64, key: &[u8]) -> u128 {
    XxHash3_128::oneshot_with_seed(secret, key)
}

/// How much `disk` wants `key`, for rendezvous hashing.
pub(crate) fn attraction(disk: u64, key: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(disk, key)
}
