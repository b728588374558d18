//! The object store a lesson is published to, and the order in which it is published.
//!
//! A store is a directory or a bucket of an S3 server, both behind the `object_store` crate. Two promises hold whatever
//! happens to the process that writes:
//!
//! - an object is there whole or not at all (in a directory written aside, then renamed);
//! - a lesson is there whole or not at all: objects, then the manifest, then the pointer, in that order, with a
//!   barrier to the disk between them.
//!
//! Files of ours that are no objects start with a dot (locks) or hold a `#` (uploads): no [`package::StorePath`] can
//! name them, so they cannot be served.

mod address;
mod bucket;
mod clock;
mod collect;
mod directory;
mod error;
mod inventory;
mod lessons;
mod publish;
mod read;
mod staged;
mod store;
mod swap;
mod turn;
mod verify;

pub use collect::{Collect, Kind, Left, Removed, collect};
pub use error::StoreError;
pub use inventory::{NotWhole, Packaged, Shelved};
pub use lessons::{LessonError, RolledBack, delete, roll_back};
pub use publish::catalogue::publish_sections;
pub use publish::resources::{publish_resource, remove_resource, resources};
pub use publish::{Progress, Publication, PublishError, Published, Step, point, publish, sign, signatures};
pub use read::{MAX_RANGE_BYTES, READ_BLOCK, Reading};
pub use staged::{Staged, StagedDirectory};
pub use store::{Found, Meta, Store};
pub use swap::{Swapped, Version};
pub use verify::{Problem, Verified, is_whole, verify};

#[cfg(test)]
mod tests;
