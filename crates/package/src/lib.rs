//! What a published lesson consists of: where its objects lie, what they are, and the papers that list them.
//!
//! ```text
//! p/<package>/manifest.json, …                              immutable; <package> is the manifest's hash. What lies in
//!                                                           a package: [`layout::object`]
//! p/<package>/manifest.sig                                  who vouches for it
//! lessons/<lesson>/main.m3u8                                the pointer: which package the lesson is now
//! lessons/<lesson>/lesson.json                              title and the like, may be corrected
//! catalogue/version.json → catalogue/<name>-<hash8>.json    what there is; shards are immutable
//! catalogue/sections-<hash8>.json                           what the home page is divided into, in editions
//! catalogue/search-<name>-<hash8>.json                      words and pinyin of a shard
//! resources/index.json → r/<sha256>.{pdf,mp3,zip}            textbooks and files to be taken home; support.json
//! timetable/<date>.json, guide/<channel>.{xml,ics}          what is shown when; crates/timetable
//! plans/<date>.json                                         the day plan, for nodes; crates/timetable
//! front.json                                                the addresses of all that comes before a lesson; made by origins
//! ingests/<key>.json                                        which package a source became; never served
//! history/<lesson>.json                                     which packages a lesson has been; never served
//! work/<40 hex>/<name>                                      results of unfinished lessons; never served
//! ```
//!
//! Pure: no I/O and no clock. A path that is not of this shape cannot be written down as a [`StorePath`], so nothing
//! hidden, temporary or outside the store can be asked for.

pub mod cache;
pub mod catalogue;
pub mod digest;
pub mod front;
pub mod history;
pub mod ingest;
pub mod language;
pub mod layout;
pub mod lesson;
pub mod manifest;
pub mod media_type;
mod path;
pub mod platforms;
pub mod resource;
pub mod sections;
pub mod work;

pub use cache::CacheClass;
pub use digest::{Digest, Hasher};
pub use front::Front;
pub use history::History;
pub use language::Language;
pub use layout::{AudioSlot, Codec, LessonId, PackageId, Rendition, Slot};
pub use lesson::{Description, Grade, Lesson, Stage};
pub use manifest::{Manifest, Sealed};
pub use media_type::MediaType;
pub use path::{InvalidPath, ObjectPath, StorePath};
pub use sections::{SectionId, Sections};
pub use work::WorkId;
