//! The bytes of every object: the same for every peer, not compressible, known to the client.

use bytes::Bytes;
use std::sync::LazyLock;

/// The largest object there is.
pub(crate) const MOST: usize = 4_000_000;

static BYTES: LazyLock<Bytes> = LazyLock::new(|| {
    // xorshift64: every eight bytes differ from all others, so that a block out of place is seen.
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    Bytes::from_iter(words.take(MOST / 8).flatten())
});

/// The body of an object of `length` bytes, at most [`MOST`].
pub(crate) fn of(length: usize) -> Bytes {
    BYTES.slice(..length.min(MOST))
}
