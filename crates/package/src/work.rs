//! Where results of unfinished lessons lie: `work/<40 hex>/<name>`, never served, swept when old.

use crate::layout::PackageId;
use crate::path::StorePath;
use std::fmt;
use units::hex;

/// The folder of all work.
pub const WORK: &str = "work";

/// Names the folder of one piece of unfinished work: 40 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkId([u8; 20]);

impl WorkId {
    /// Whose work lies at `path`; `None` when it is none.
    pub fn of_path(path: &StorePath) -> Option<Self> {
        let mut parts = path.as_str().split('/');
        let (work, id, _name) = (parts.next()?, parts.next()?, parts.next()?);
        (work == WORK).then(|| hex::read(id).map(Self)).flatten()
    }

    /// `work/<id>`.
    pub fn folder(&self) -> StorePath {
        StorePath::known(format!("{WORK}/{self}"))
    }
}

impl PackageId {
    /// Where those who publish and those who remove this package leave word for each other.
    pub fn word(&self, name: &str) -> StorePath {
        StorePath::known(format!("{WORK}/{self}/{name}"))
    }
}

impl fmt::Display for WorkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::CacheClass;
    use crate::digest::Digest;
    use crate::ingest::IngestKey;

    #[test]
    fn work_has_a_folder_of_its_own_and_is_never_served() {
        let key = IngestKey::of(&Digest::of(b"source"), &Digest::of(b"recipe"), "5.1.9");
        let unit = StorePath::parse(&format!("work/{}/o/s2/00017.m4s", key.short())).unwrap();
        let work = WorkId::of_path(&unit).unwrap();
        assert!(unit.as_str().starts_with(&format!("{}/", work.folder())), "{unit}");
        assert_eq!(CacheClass::of(&unit), None);
        let word = PackageId::of(b"manifest").word("pointed");
        assert_eq!(CacheClass::of(&word), None);
        assert!(WorkId::of_path(&word).is_some());
    }

    #[test]
    fn other_paths_are_no_work() {
        for path in ["work/0123/x", "work", "p/0123456789abcdef0123456789abcdef01234567/x", "lessons/a/b"] {
            assert_eq!(WorkId::of_path(&StorePath::parse(path).unwrap()), None, "{path}");
        }
    }
}
