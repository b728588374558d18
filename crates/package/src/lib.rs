//! What a published lesson consists of: where its objects lie, what they are, and the papers that list them.
//!
//! ```text
//! p/<package>/manifest.json, main.m3u8, audio.m3u8          immutable; <package> is the manifest's hash
//! p/<package>/<rung>/init.mp4, 00000.m4s…, index.m3u8
//! p/<package>/audio/<hi|lo>/init.mp4, 00000.m4s…, index.m3u8
//! lessons/<lesson>/main.m3u8                                the pointer: which package the lesson is now
//! lessons/<lesson>/lesson.json                              title and the like, may be corrected
//! catalogue/version.json → catalogue/<name>-<hash8>.json    what there is; shards are immutable
//! ingests/<key>.json                                        which package a source became; never served
//! ```
//!
//! Pure: no I/O and no clock. A path that is not of this shape cannot be written down as a [`StorePath`], so nothing
//! hidden, temporary or outside the store can be asked for.

pub mod cache;
pub mod catalogue;
pub mod digest;
pub mod ingest;
pub mod layout;
pub mod lesson;
pub mod manifest;
pub mod media_type;
mod path;

pub use cache::CacheClass;
pub use digest::{Digest, Hasher};
pub use layout::{AudioSlot, LessonId, PackageId, Rendition, Slot};
pub use lesson::{Description, Grade, Lesson, Stage};
pub use manifest::{Manifest, Sealed};
pub use media_type::MediaType;
pub use path::{InvalidPath, ObjectPath, StorePath};
