//! How long what may be kept: decided by the path alone, before anything is read.

use crate::layout::SIGNATURES;
use crate::path::StorePath;

/// Classes of what is served, by how it may be cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheClass {
    /// Named by its content: never changes, may be kept for ever.
    Immutable,
    /// Says which immutable thing counts now: kept for seconds.
    Pointer,
    /// The page itself: kept briefly, it names hashed assets.
    Page,
}

impl CacheClass {
    /// The class of what lies at `path`; `None` for what is never served: ingest records, plans, histories,
    /// unfinished work, and anything unknown.
    pub fn of(path: &StorePath) -> Option<Self> {
        let mut parts = path.as_str().split('/');
        match (parts.next()?, parts.next()?, parts.next()) {
            // Another key may sign the same package later.
            ("p", _, Some(SIGNATURES)) => Some(Self::Pointer),
            ("p", _, Some(_)) | ("r", _, None) => Some(Self::Immutable),
            ("lessons", _, Some(_)) => Some(Self::Pointer),
            ("catalogue", "version.json", None) => Some(Self::Pointer),
            ("catalogue", _, None) => Some(Self::Immutable),
            // Guides change with the plan; the plan itself, below `plans`, names packages and is for nodes.
            ("timetable" | "guide" | "resources", _, None) => Some(Self::Pointer),
            _ => None,
        }
    }

    /// For labels and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Immutable => "immutable",
            Self::Pointer => "pointer",
            Self::Page => "page",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_by_path() {
        for (path, class) in [
            ("p/0123/main.m3u8", Some(CacheClass::Immutable)),
            ("p/0123/s0/00000.m4s", Some(CacheClass::Immutable)),
            ("lessons/a/main.m3u8", Some(CacheClass::Pointer)),
            ("lessons/a/lesson.json", Some(CacheClass::Pointer)),
            ("catalogue/version.json", Some(CacheClass::Pointer)),
            ("resources/support.json", Some(CacheClass::Pointer)),
            ("catalogue/primary-3-0a1b2c3d.json", Some(CacheClass::Immutable)),
            ("catalogue/a/b.json", None),
            ("timetable/2026-09-01.json", Some(CacheClass::Pointer)),
            ("guide/g7.xml", Some(CacheClass::Pointer)),
            ("r/0123.pdf", Some(CacheClass::Immutable)),
            ("r/a/b.pdf", None),
            ("resources/index.json", Some(CacheClass::Pointer)),
            ("plans/2026-09-01.json", None),
            ("timetable/plans/2026-09-01.json", None),
            ("ingests/0123.json", None),
            ("p/0123/manifest.sig", Some(CacheClass::Pointer)),
            ("history/a.json", None),
            ("work/0123456789abcdef0123456789abcdef01234567/pictures-00000.json", None),
            ("p/0123", None),
            ("p", None),
            ("elsewhere/x", None),
        ] {
            assert_eq!(CacheClass::of(&StorePath::parse(path).unwrap()), class, "{path}");
        }
    }
}
