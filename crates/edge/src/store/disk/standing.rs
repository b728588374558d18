//! Orders to purge that still stand: those that have not yet met all that lies on the disks.
//!
//! A look-up on a disk knows a key alone, and to read a million heads takes minutes: so an order is written down, and whatever
//! is read from a disk is held against the orders that came after it was written. A walk beside (`purge::rounds`) looks for what
//! is meant; an order that has met everything is dropped. Numbers and no clocks say what came first: each head carries the
//! number of the latest order when it was written.

use super::head::Times;
use crate::key::CacheKey;
use crate::purge::{is_about, is_labelled};
use crate::upstream::Groups;
use ::purge::{Mode, What};
use bytes::Bytes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Orders that stand at once. More, and the oldest is taken to mean everything older: that costs fills, and nothing comes
/// back.
const MOST: usize = 1_024;
/// Bytes of all of them as they are noted, with room to spare below the longest note.
const MOST_BYTES: usize = 512 * 1_024;
/// What one takes beside its URL or key.
const OVERHEAD: usize = 192;
/// How it is noted.
const VERSION: u32 = 1;

/// An order as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Standing {
    number: u64,
    what: What,
    mode: Mode,
    /// When it came: from then on what it means is stale.
    at: Times,
}

/// What orders make of something on a disk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    /// Nothing.
    Kept,
    /// It is stale since then, says this order.
    Softened(Times, u64),
    /// It is gone, says this order.
    Gone(u64),
}

/// As it is noted on each disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct List {
    version: u32,
    /// The latest number that was given.
    latest: u64,
    /// The latest order that was dropped because it had met everything.
    dropped: u64,
    /// What was written before this number is gone, whatever it is.
    floor: u64,
    standing: Vec<Standing>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Orders {
    list: Mutex<List>,
    latest: AtomicU64,
    /// A disk may not have what is in the list.
    unwritten: AtomicBool,
}

impl Default for Orders {
    fn default() -> Self {
        let list = List { version: VERSION, latest: 0, dropped: 0, floor: 0, standing: Vec::new() };
        Self { list: Mutex::new(list), latest: AtomicU64::new(0), unwritten: AtomicBool::new(false) }
    }
}

impl Orders {
    fn list(&self) -> MutexGuard<'_, List> {
        // Nothing that holds the lock can panic half way through a change.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut List) -> T) -> T {
        let mut list = self.list();
        let changed = change(&mut list);
        list.keep_bounds();
        self.latest.store(list.latest, Ordering::Release);
        self.unwritten.store(true, Ordering::Release);
        changed
    }

    /// The latest number that was given.
    pub(super) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    /// From now on it stands; gives its number. Numbers go on over restarts: where the list was lost, the clock is above all
    /// that were given before.
    pub(super) fn add(&self, what: What, mode: Mode, at: Times) -> u64 {
        self.change(|list| {
            list.latest = at.unix_ms.max(list.latest + 1);
            list.standing.push(Standing { number: list.latest, what, mode, at });
            list.latest
        })
    }

    /// It has met everything.
    pub(super) fn drop_order(&self, number: u64) {
        self.change(|list| {
            list.standing.retain(|order| order.number != number);
            list.dropped = list.dropped.max(number);
        });
    }

    /// The numbers of those that stand, ascending.
    pub(super) fn standing(&self) -> Vec<u64> {
        self.list().standing.iter().map(|order| order.number).collect()
    }

    /// What becomes of something under `key` that was written when `orders` was the latest order. `headers` are a response's;
    /// without them it is a sign-post.
    pub(super) fn judge(
        &self,
        groups: &Groups,
        key: &CacheKey,
        orders: u64,
        headers: Option<&HeaderMap>,
    ) -> Verdict {
        let list = self.list();
        if orders < list.floor {
            return Verdict::Gone(list.floor);
        }
        let mut verdict = Verdict::Kept;
        let later = list.standing.partition_point(|order| order.number <= orders);
        for order in &list.standing[later..] {
            if !order.means(groups, key, headers) {
                continue;
            }
            match (order.mode, &verdict) {
                (Mode::Hard, _) => return Verdict::Gone(order.number),
                // Stale since the first that said so.
                (Mode::Soft, Verdict::Kept) => verdict = Verdict::Softened(order.at, order.number),
                (Mode::Soft, _) => {}
            }
        }
        verdict
    }

    /// The list as it is to be noted, and the number of its latest order.
    pub(super) fn to_note(&self) -> (Bytes, u64) {
        self.unwritten.store(false, Ordering::Release);
        let list = self.list();
        (serde_json::to_vec(&*list).unwrap_or_default().into(), list.latest)
    }

    /// Whether a disk may lack something of the list.
    pub(super) fn is_unwritten(&self) -> bool {
        self.unwritten.load(Ordering::Acquire)
    }

    /// A disk could not take the note.
    pub(super) fn not_written(&self) {
        self.unwritten.store(true, Ordering::Release);
    }

    /// Takes in what a disk says, before anything else of it is believed. `now_ms` is the wall clock.
    pub(super) fn take_in(&self, note: diskstore::Note, now_ms: u64) {
        let text = match note {
            diskstore::Note::Nothing => {
                // A new disk: it must have what the others have.
                if self.latest() > 0 {
                    self.not_written();
                }
                return;
            }
            diskstore::Note::Text(text) => text,
            diskstore::Note::Damaged => Bytes::new(),
        };
        let noted: Option<List> =
            serde_json::from_slice(&text).ok().filter(|list: &List| list.version == VERSION);
        self.change(|list| match noted {
            Some(noted) => list.take_in(noted),
            None => {
                tracing::warn!(
                    "the orders to purge on a disk cannot be read; what lies on disks is not used any more"
                );
                list.latest = now_ms.max(list.latest + 1);
                list.floor = list.latest;
            }
        });
    }
}

impl List {
    fn take_in(&mut self, noted: Self) {
        for order in noted.standing {
            if !self.standing.iter().any(|standing| standing.number == order.number) {
                self.standing.push(order);
            }
        }
        self.standing.sort_by_key(|order| order.number);
        // One of the two has not been there while orders met everything else, and were dropped.
        let missed = |dropped: u64, latest: u64| if dropped > latest { dropped } else { 0 };
        let known = if self.latest == 0 { noted.latest } else { self.latest };
        let missed = missed(self.dropped, noted.latest).max(missed(noted.dropped, known));
        self.floor = self.floor.max(noted.floor).max(missed);
        self.latest = self.latest.max(noted.latest);
        self.dropped = self.dropped.max(noted.dropped);
    }

    fn keep_bounds(&mut self) {
        let size = |order: &Standing| order.what.to_string().len() + OVERHEAD;
        let mut bytes: usize = self.standing.iter().map(size).sum();
        while self.standing.len() > MOST || bytes > MOST_BYTES {
            let oldest = self.standing.remove(0);
            bytes -= size(&oldest);
            self.floor = self.floor.max(oldest.number);
        }
    }
}

impl Standing {
    /// Whether something is meant, as its key and its fields tell. A sign-post goes with its URL and carries no labels; made
    /// stale it would say nothing else.
    fn means(&self, groups: &Groups, key: &CacheKey, headers: Option<&HeaderMap>) -> bool {
        is_about(groups, &self.what, key)
            && match headers {
                Some(headers) => is_labelled(&self.what, headers),
                None => self.what.key().is_none() && self.mode == Mode::Hard,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diskstore::Note;

    fn groups() -> Groups {
        Groups::of_one("http://a")
    }

    fn at(unix_ms: u64) -> Times {
        Times { run: 1, since_start_ms: unix_ms, unix_ms }
    }

    fn prefix(text: &str) -> What {
        What::Prefix(text.parse().unwrap())
    }

    fn key(target: &str) -> CacheKey {
        CacheKey::primary("http", "a", target)
    }

    fn is_gone(orders: &Orders, target: &str, written: u64) -> bool {
        matches!(orders.judge(&groups(), &key(target), written, Some(&HeaderMap::new())), Verdict::Gone(_))
    }

    #[test]
    fn an_order_is_about_what_was_written_before_it() {
        let orders = Orders::default();
        let first = orders.add(prefix("http://a/x"), Mode::Hard, at(100));
        assert!(is_gone(&orders, "/x/1", 0) && is_gone(&orders, "/x/1", first - 1));
        assert!(!is_gone(&orders, "/x/1", first) && !is_gone(&orders, "/y", 0));
        // The clock was set back: numbers go on all the same.
        let second = orders.add(prefix("http://a/x"), Mode::Soft, at(50));
        assert!(second > first);
        let verdict = orders.judge(&groups(), &key("/x/1"), first, Some(&HeaderMap::new()));
        assert!(
            matches!(verdict, Verdict::Softened(since, number) if since == at(50) && number == second),
            "{verdict:?}"
        );
        assert!(
            matches!(orders.judge(&groups(), &key("/x/1"), first, None), Verdict::Kept),
            "sign-posts stay"
        );
        orders.drop_order(first);
        assert!(!is_gone(&orders, "/x/1", 0));
    }

    #[test]
    fn the_next_process_knows_them_and_numbers_go_on() {
        let orders = Orders::default();
        let number = orders.add(prefix("http://a/x"), Mode::Hard, at(100));
        let (note, latest) = orders.to_note();
        assert!(latest == number && !orders.is_unwritten());
        let next = Orders::default();
        next.take_in(Note::Text(note.clone()), 1);
        next.take_in(Note::Text(note), 1);
        assert!(is_gone(&next, "/x", number - 1) && !is_gone(&next, "/x", number));
        assert_eq!(next.standing().len(), 1);
        assert_eq!(next.add(prefix("http://a/y"), Mode::Hard, at(7)), number + 1);
    }

    #[test]
    fn what_cannot_be_read_hides_everything_that_was_there() {
        for note in [Note::Damaged, Note::Text(Bytes::from_static(b"{}"))] {
            let orders = Orders::default();
            orders.take_in(note, 1_000);
            assert!(is_gone(&orders, "/any", 999) && !is_gone(&orders, "/any", orders.latest()));
        }
        let new = Orders::default();
        new.take_in(Note::Nothing, 1_000);
        assert!(!is_gone(&new, "/any", 0));
    }

    #[test]
    fn a_disk_that_was_not_there_when_orders_were_dropped_is_not_believed() {
        let orders = Orders::default();
        let early = orders.add(prefix("http://a/x"), Mode::Hard, at(100));
        let (old, _) = orders.to_note();
        let late = orders.add(prefix("http://a/y"), Mode::Hard, at(200));
        orders.drop_order(early);
        orders.drop_order(late);
        let (new, _) = orders.to_note();
        for notes in [[&old, &new], [&new, &old]] {
            let next = Orders::default();
            for note in notes {
                next.take_in(Note::Text(note.clone()), 1);
            }
            assert!(is_gone(&next, "/y", early) && !is_gone(&next, "/y", late), "{next:?}");
        }
    }

    #[test]
    fn more_than_can_stand_mean_everything_older() {
        let orders = Orders::default();
        let numbers: Vec<u64> = (0..MOST as u64 + 10)
            .map(|at_ms| orders.add(prefix(&format!("http://a/{at_ms}/")), Mode::Hard, at(at_ms)))
            .collect();
        assert_eq!(orders.standing().len(), MOST);
        assert!(is_gone(&orders, "/any", numbers[9] - 1) && !is_gone(&orders, "/any", numbers[9]));
        let long = "x".repeat(8_000);
        for at_ms in 0..200 {
            orders.add(prefix(&format!("http://a/{long}")), Mode::Hard, at(at_ms));
        }
        assert!(orders.to_note().0.len() < 1_024 * 1_024);
    }
}
