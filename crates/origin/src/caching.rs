//! How long an answer may be kept, by what it is.

use http::HeaderValue;
use package::CacheClass;

/// Named by content (a package's objects, hashed assets, catalogue shards): for ever.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Pointers, descriptions, the catalogue's version.
///
/// 5 s is about a segment: a corrected or withdrawn lesson is so everywhere within that, and yet the bell of a whole
/// nation costs us one question an edge every 5 s. For 30 s more an edge answers at once and asks meanwhile, so no
/// student waits for us. A day without us must not stop a lesson (design: a node serves on alone for 24 h).
const POINTER: HeaderValue =
    HeaderValue::from_static("public, max-age=5, stale-while-revalidate=30, stale-if-error=86400");

/// The page names the hashed assets of one release, so it must not outlive it by long: as a pointer, but what is stale is
/// only used when we are not there.
const PAGE: HeaderValue = HeaderValue::from_static("public, max-age=5, stale-if-error=86400");

/// What is not there. Asked for too early by thousands, it costs one request an edge every 2 s, and is seen 2 s after it
/// appears.
pub(crate) const ABSENT: HeaderValue = HeaderValue::from_static("public, max-age=2");

/// Answers that say something about this request or this moment only.
pub(crate) const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// `Cache-Control` of a class.
pub(crate) fn cache_control(class: CacheClass) -> HeaderValue {
    match class {
        CacheClass::Immutable => IMMUTABLE,
        CacheClass::Pointer => POINTER,
        CacheClass::Page => PAGE,
    }
}
