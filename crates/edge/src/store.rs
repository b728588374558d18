//! What the edge holds: `object` (a stored response), `body` (its bytes), `growing` (bytes still coming), `sparse` (bytes of
//! which some blocks are held), `memory` (the RAM tier), `variants` (what stands at a URL whose response varies), `disk`
//! (the disk tier), `pinned` (what memory keeps for the day plan), `ghost` (what has come from the disk without being kept).

pub(crate) mod body;
pub(crate) mod disk;
mod ghost;
pub(crate) mod growing;
pub(crate) mod memory;
pub(crate) mod object;
mod pinned;
mod sparse;
mod variants;
mod wait_list;

pub(crate) use body::{Blocks, Body, Passing, Reader};
pub(crate) use disk::{BrokenOff, DiskTier, Kept, Loaded, Met, Walked};
pub(crate) use ghost::Ghost;
pub(crate) use growing::{Growing, GrowingReader, GrowingWriter};
pub(crate) use memory::{Entry, Memory, Whose};
pub(crate) use object::Object;
pub(crate) use sparse::{BLOCK_SIZE, LONGEST, Piece, Sparse};
#[cfg(test)]
pub(crate) use variants::MAX_VARIANTS;
pub(crate) use variants::Variants;

use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that nothing in this cache has had before: what stands under keys made with it is out of reach of whoever
/// has an older one. It begins anywhere: what lies on the disk under an earlier run's numbers stays that run's.
fn next_generation() -> u64 {
    static LAST: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(random()));
    LAST.fetch_add(1, Ordering::Relaxed)
}

/// A number that no other process, or run of this one, comes by.
fn random() -> u64 {
    // Of the standard library, only hashers have randomness.
    std::hash::RandomState::new().hash_one(0_u8)
}
