//! Which packages a lesson has been: what makes a roll back possible and keeps an earlier package from being removed.
//!
//! Lies at `history/<lesson>.json`, beside what is served and not in it: a package that was taken back must not be named
//! to the public.

use crate::layout::{LessonId, PackageId};
use crate::lesson::Lesson;
use crate::manifest::json;
use crate::path::StorePath;
use serde::{Deserialize, Serialize};

/// The folder of all histories.
pub const HISTORY: &str = "history";
/// Entries kept; the oldest go first. More than anybody corrects one lesson within a grace period.
pub const MAX_ENTRIES: usize = 256;
/// The largest history read: 256 entries of 90 bytes, and a description.
pub const MAX_HISTORY_BYTES: usize = 128 << 10;

/// What a lesson has been, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct History {
    /// Every change of its pointer.
    pub entries: Vec<Entry>,
    /// What was said about a lesson that has been deleted, so that it can be brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Lesson>,
}

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The package that the lesson became; none: it was deleted.
    pub package: Option<PackageId>,
    /// When, in seconds since 1970.
    pub since_s: u64,
}

impl LessonId {
    /// `history/<lesson>.json`.
    pub fn history(&self) -> StorePath {
        StorePath::known(format!("{HISTORY}/{self}.json"))
    }
}

impl History {
    /// Reads a history.
    ///
    /// # Errors
    /// When it is no such JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// As stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }

    /// Notes that the lesson is `package` from `now_s` on; whether that is news.
    pub fn record(&mut self, package: Option<PackageId>, now_s: u64) -> bool {
        if self.entries.last().is_some_and(|last| last.package == package) {
            return false;
        }
        self.entries.push(Entry { package, since_s: now_s });
        let surplus = self.entries.len().saturating_sub(MAX_ENTRIES);
        self.entries.drain(..surplus);
        true
    }

    /// The package it is by this history.
    pub fn current(&self) -> Option<PackageId> {
        self.entries.last()?.package
    }

    /// The package it was before `now`, the one that a roll back leads to: the last that is another one.
    pub fn before(&self, now: Option<PackageId>) -> Option<PackageId> {
        self.packages().rev().find(|&package| Some(package) != now)
    }

    /// All packages it has been, oldest first.
    pub fn packages(&self) -> impl DoubleEndedIterator<Item = PackageId> + '_ {
        self.entries.iter().filter_map(|entry| entry.package)
    }

    /// The packages it was at any time within the last `grace_s` seconds before `now_s`, the present one among them.
    pub fn held(&self, now_s: u64, grace_s: u64) -> impl Iterator<Item = PackageId> + '_ {
        let ends = self.entries.iter().skip(1).map(|next| next.since_s).chain([u64::MAX]);
        self.entries
            .iter()
            .zip(ends)
            .filter(move |(_, end)| end.saturating_add(grace_s) > now_s)
            .filter_map(|(entry, _)| entry.package)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> PackageId {
        PackageId::of(name.as_bytes())
    }

    #[test]
    fn what_was_before_leads_back_and_forth() {
        let mut history = History::default();
        assert_eq!(history.before(None), None);
        assert!(history.record(Some(package("a")), 10));
        assert!(!history.record(Some(package("a")), 11), "publishing again is no news");
        assert_eq!(history.before(history.current()), None);
        history.record(Some(package("b")), 20);
        assert_eq!(history.before(history.current()), Some(package("a")));
        history.record(Some(package("a")), 30);
        assert_eq!(history.before(history.current()), Some(package("b")));
        history.record(None, 40);
        assert_eq!(history.current(), None);
        assert_eq!(history.before(None), Some(package("a")), "a deleted lesson comes back as it was");
        assert_eq!(History::parse(&history.to_bytes()).unwrap(), history);
    }

    #[test]
    fn a_package_is_held_for_the_grace_period_after_its_end() {
        let mut history = History::default();
        for (name, since) in [(Some("a"), 100), (Some("b"), 200), (None, 300)] {
            history.record(name.map(package), since);
        }
        for (now, grace, held) in [
            (250, 0, vec!["b"]),
            (209, 10, vec!["a", "b"]),
            (210, 10, vec!["b"]),
            (309, 10, vec!["b"]),
            (310, 10, vec![]),
            (310, 111, vec!["a", "b"]),
        ] {
            let expected: Vec<_> = held.into_iter().map(package).collect();
            assert_eq!(history.held(now, grace).collect::<Vec<_>>(), expected, "{now} {grace}");
        }
    }

    #[test]
    fn the_oldest_entries_go_first() {
        let mut history = History::default();
        for number in 0..MAX_ENTRIES + 3 {
            history.record(Some(package(&number.to_string())), number as u64);
        }
        assert_eq!(history.entries.len(), MAX_ENTRIES);
        assert_eq!(history.entries[0].package, Some(package("3")));
        assert!(history.to_bytes().len() < MAX_HISTORY_BYTES);
    }
}
