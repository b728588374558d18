//! Which files of a watched folder are complete and new. Pure: what was seen and when goes in, what to do comes out.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Endings of the containers that are taken.
const VIDEOS: [&str; 9] = ["mp4", "m4v", "mov", "mkv", "webm", "ts", "m2ts", "mts", "mpg"];

/// What tells whether a file has changed: its own length and time, and those of its description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) bytes: u64,
    pub(super) modified_ns: i64,
    pub(super) description: Option<(u64, i64)>,
}

/// What is known of a folder.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Folder {
    /// Enqueued, or refused, as they were.
    settled: BTreeMap<PathBuf, Stamp>,
    /// Seen and perhaps still being written: since when unchanged.
    #[serde(skip)]
    growing: BTreeMap<PathBuf, (Stamp, Duration)>,
}

impl Folder {
    /// Files that have been unchanged for `settle`, given what is there `at` this time.
    pub(super) fn look(
        &mut self,
        there: &BTreeMap<PathBuf, Stamp>,
        at: Duration,
        settle: Duration,
    ) -> Vec<PathBuf> {
        self.settled.retain(|path, _| there.contains_key(path));
        self.growing.retain(|path, _| there.contains_key(path));
        let mut complete = Vec::new();
        for (path, stamp) in there {
            if self.settled.get(path) == Some(stamp) || stamp.bytes == 0 {
                continue;
            }
            let (seen, since) = self.growing.entry(path.clone()).or_insert((*stamp, at));
            if seen != stamp {
                (*seen, *since) = (*stamp, at);
            } else if at.saturating_sub(*since) >= settle {
                complete.push(path.clone());
            }
        }
        complete
    }

    /// `path` was dealt with as it was at `stamp`.
    pub(super) fn settle(&mut self, path: &Path, stamp: Stamp) {
        self.growing.remove(path);
        self.settled.insert(path.to_owned(), stamp);
    }

    /// Whether everything that is there was dealt with.
    pub(super) fn is_quiet(&self) -> bool {
        self.growing.is_empty()
    }
}

/// Whether a file may be a lesson by its name: a video, not hidden, not a copy in progress.
pub(super) fn is_video(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with(['.', '~']));
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    !hidden && VIDEOS.contains(&ending.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(bytes: u64) -> BTreeMap<PathBuf, Stamp> {
        BTreeMap::from([("a.mp4".into(), Stamp { bytes, modified_ns: 1, description: None })])
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_file_is_taken_once_when_it_has_stopped_growing() {
        let mut folder = Folder::default();
        for (at, bytes, complete) in
            [(0, 0, false), (1, 5, false), (10, 9, false), (19, 9, false), (20, 9, true), (22, 9, true)]
        {
            assert_eq!(!folder.look(&seen(bytes), s(at), s(10)).is_empty(), complete, "at {at} s");
        }
        folder.settle(Path::new("a.mp4"), seen(9)[Path::new("a.mp4")]);
        assert!(folder.is_quiet() && folder.look(&seen(9), s(99), s(10)).is_empty(), "not again");
        assert!(folder.look(&seen(8), s(100), s(10)).is_empty());
        assert_eq!(folder.look(&seen(8), s(110), s(10)).len(), 1, "a new version is");
        // What was remembered survives; what is gone is forgotten.
        let text = serde_json::to_string(&folder).unwrap();
        let mut folder: Folder = serde_json::from_str(&text).unwrap();
        assert!(folder.look(&seen(9), s(0), s(10)).is_empty() && folder.is_quiet());
        folder.look(&BTreeMap::new(), s(1), s(10));
        folder.look(&seen(9), s(2), s(10));
        assert!(!folder.is_quiet());
    }

    #[test]
    fn names_of_videos() {
        for (name, video) in [
            ("a.mp4", true),
            ("第1课.MKV", true),
            (".a.mp4", false),
            ("~a.mp4", false),
            ("a.mp4.part", false),
            ("a.toml", false),
            ("a", false),
        ] {
            assert_eq!(is_video(Path::new(name)), video, "{name}");
        }
    }
}
