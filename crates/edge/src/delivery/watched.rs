//! What is watched: bytes by package, in bounded room (`board::Top`). Of packages, never of who asked.

use board::{Counted, Top};
use package::PackageId;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Lessons told of.
const TOLD: usize = 12;
/// Digits of a package's name.
const DIGITS: usize = 40;

/// The counts of all cores. A lock that is held for a tenth of a microsecond, some ten thousand times a second where a node is full.
#[derive(Debug)]
pub(crate) struct Watched {
    began: Instant,
    top: Mutex<Top<PackageId>>,
}

/// What was sent most of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Most {
    pub(crate) first: Vec<Counted<PackageId>>,
    /// Of all packages.
    pub(crate) bytes: u64,
    /// For how long they are counted.
    pub(crate) over: Duration,
}

impl Watched {
    pub(crate) fn new(now: Instant) -> Self {
        Self { began: now, top: Mutex::new(Top::new(Duration::ZERO)) }
    }

    pub(super) fn count(&self, package: PackageId, bytes: u64, now: Instant) {
        let now = now.saturating_duration_since(self.began);
        self.top.lock().unwrap_or_else(PoisonError::into_inner).count(package, bytes, now);
    }

    pub(crate) fn first(&self, now: Instant) -> Most {
        let mut top = self.top.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, bytes, over) = top.first(TOLD, now.saturating_duration_since(self.began));
        Most { first, bytes, over }
    }
}

/// Whose object is at `path`: `/p/<package>/…`.
pub(super) fn package_of(path: &str) -> Option<PackageId> {
    let (name, _) = path.strip_prefix("/p/")?.split_once('/')?;
    if name.len() == DIGITS { name.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_by_package() {
        let id = |n: u32| format!("{n:040x}");
        let now = Instant::now();
        let watched = Watched::new(now);
        for (path, bytes) in [
            (format!("/p/{}/s0/00001.m4s", id(1)), 10),
            (format!("/p/{}/manifest.json", id(2)), 30),
            (format!("/p/{}/audio/lo/00001.m4s", id(1)), 5),
        ] {
            watched.count(package_of(&path).unwrap(), bytes, now);
        }
        let most = watched.first(now);
        let told: Vec<_> = most.first.iter().map(|one| (one.key.to_string(), one.bytes)).collect();
        assert_eq!(told, [(id(2), 30), (id(1), 15)]);
        assert_eq!(most.bytes, 45);
        for path in
            ["/", "/p/", "/p/12/s0/1.m4s", &format!("/p/{}", id(1)), &format!("/p/{}/x", "é".repeat(20))]
        {
            assert_eq!(package_of(path), None, "{path}");
        }
    }
}
