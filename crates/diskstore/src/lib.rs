//! Objects in blocks on disks: a log of regions that survives kill -9 and never gives a wrong byte.
//!
//! `key → disk (by rendezvous) → queue → volume: index → region → record → block`. It knows nothing of what it keeps:
//! an object is a key, a head of the caller's own, and those of its blocks that are there.

mod buffers;
mod checksum;
mod clock;
mod counters;
mod disk;
mod disks;
mod footer;
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod media;
mod note;
mod pin;
mod queue;
mod record;
mod stored;
mod superblock;
mod volume;

pub use counters::{Counter, Counters};
pub use disk::{Found, State};
pub use disks::{Barrier, DiskConfig, Disks, Generation, Opening, Report, Seen, Step, Walk};
pub use note::Note;
pub use pin::Pinned;
pub use stored::Stored;
pub use volume::{Object, OpenError, ReadError, look_into};

/// A body is kept in blocks of this size; its last one is shorter.
pub const BLOCK: usize = 256 * 1_024;
