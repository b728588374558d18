//! Orders of the last minutes, held against what is fetched since: the edge that answers may not have heard of them yet.
//!
//! Orders reach a fleet one edge after the other. What this one has forgotten it would get back from a parent or a neighbour
//! that has not: so for as long as an order may be on its way, neighbours are not asked for what it means, parents are asked
//! for what is younger than the order (`max-age`, RFC 9111 §5.2.1.1), and what is older all the same, by its Age, is
//! stale when it comes: it serves those who wait for it, and is asked about each time.
//!
//! Who is on its way does not wait for a restart: disks note them (`store/disk/standing`), and a process that takes over is told.

use super::sweep::{is_about, is_labelled};
use crate::key::CacheKey;
use crate::upstream::Groups;
use ::purge::{MAX_LIFE, What};
use http::{HeaderMap, HeaderValue, header};
use httpcache::freshness::Freshness;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Orders that are remembered; beyond it the oldest counts as one about everything.
const MOST: usize = 256;
/// Bytes of them in a disk's note, which has room for twice as much beside the orders that stand.
const NOTED_BYTES: usize = 128 * 1_024;
/// What one takes there beside its URL or key.
const OVERHEAD: usize = 96;

/// Shared by all cores.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(Arc<Mutex<Orders>>);

#[derive(Debug, Default)]
struct Orders {
    /// In the order in which they came.
    list: VecDeque<(What, Instant)>,
    /// When the last of those came that are not remembered one by one.
    others: Option<Instant>,
}

/// One of them, as it is written down for the process behind a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Noted {
    /// `None`: about everything.
    what: Option<What>,
    /// When it came, by the wall clock.
    unix_ms: u64,
}

impl Recent {
    /// An order came `now`; of another process, which may tell of it late, then.
    pub(crate) fn note(&self, what: What, now: Instant) {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The last that means the same says it all: what two disks have noted, and a predecessor tells, is one order.
        if orders.list.iter().any(|(other, at)| *other == what && *at >= now) {
            return;
        }
        orders.list.retain(|(other, _)| *other != what);
        let place = orders.list.partition_point(|(_, at)| *at <= now);
        orders.list.insert(place, (what, now));
        let is_over = |at: Instant| now.saturating_duration_since(at) > MAX_LIFE;
        while orders.list.len() > MOST || orders.list.front().is_some_and(|(_, at)| is_over(*at)) {
            if let Some((_, at)) = orders.list.pop_front()
                && !is_over(at)
            {
                orders.others = orders.others.max(Some(at));
            }
        }
    }

    /// All that still count, to be written down at `unix_ms`, which is `now`. What is beyond [`NOTED_BYTES`] is one about everything.
    pub(crate) fn to_note(&self, now: Instant, unix_ms: u64) -> Vec<Noted> {
        let (mut noted, mut bytes, mut others) = (Vec::new(), 0, None);
        // The latest first: those that count longest.
        for (what, ago) in self.all(now).into_iter().rev() {
            let then = unix_ms.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX));
            bytes += what.as_ref().map_or(0, |what| what.json_bytes() + OVERHEAD);
            match what {
                Some(_) if bytes <= NOTED_BYTES => noted.push(Noted { what, unix_ms: then }),
                _ => others = others.max(Some(then)),
            }
        }
        noted.extend(others.map(|unix_ms| Noted { what: None, unix_ms }));
        noted
    }

    /// Takes in what an earlier process has written down. By a clock that was set back since they came just now.
    pub(crate) fn take_in(&self, noted: Vec<Noted>, now: Instant, unix_ms: u64) {
        for Noted { what, unix_ms: then } in noted {
            let ago = Duration::from_millis(unix_ms.saturating_sub(then));
            if ago > MAX_LIFE {
                continue;
            }
            // A machine that is younger than the order has no such time.
            let at = now.checked_sub(ago).unwrap_or(now);
            match what {
                Some(what) => self.note(what, at),
                None => self.note_all(at),
            }
        }
    }

    /// One about everything, as far as anybody knows, came at `at`.
    pub(crate) fn note_all(&self, at: Instant) {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orders.others = orders.others.max(Some(at));
    }

    /// All that still count, and how long ago they came; `None` is about everything.
    pub(super) fn all(&self, now: Instant) -> Vec<(Option<What>, Duration)> {
        let orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others = orders.others.map(|at| (None, at));
        let all = others.into_iter().chain(orders.list.iter().map(|(what, at)| (Some(what.clone()), *at)));
        let all = all.map(|(what, at)| (what, now.saturating_duration_since(at)));
        all.filter(|(_, ago)| *ago <= MAX_LIFE).collect()
    }

    /// How long ago the latest order about `key` came. `labels` are the fields of the response; `None` where nobody knows them
    /// yet: then any label may be meant.
    pub(crate) fn since(
        &self,
        groups: &Groups,
        key: &CacheKey,
        labels: Option<&HeaderMap>,
        now: Instant,
    ) -> Option<Duration> {
        let orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let means = |what: &What| {
            is_about(groups, what, key) && labels.is_none_or(|labels| is_labelled(what, labels))
        };
        let latest = orders.list.iter().rev().find(|(what, _)| means(what)).map(|(_, at)| *at);
        let since = now.saturating_duration_since(latest.max(orders.others)?);
        (since <= MAX_LIFE).then_some(since)
    }

    /// `freshness` of an answer that came now for `key`, as orders let it be. `age` is the field of the answer, `labels` those
    /// of the response it makes.
    pub(crate) fn judge(
        &self,
        groups: &Groups,
        key: &CacheKey,
        labels: &HeaderMap,
        age: Option<&HeaderValue>,
        freshness: Freshness,
        now: Instant,
    ) -> Freshness {
        let age = age.and_then(|age| age.to_str().ok()?.trim().parse().ok()).map(Duration::from_secs);
        match (age, self.since(groups, key, Some(labels), now)) {
            // In whole seconds: what may be as old as the order counts as older.
            (Some(age), Some(since)) if age.as_secs() >= since.as_secs() => {
                let then = freshness.initial_age.saturating_sub(since);
                Freshness { lifetime: freshness.lifetime.min(then), ..freshness }
            }
            _ => freshness,
        }
    }
}

/// Asks for what was made after an order of `since` ago.
pub(crate) fn ask_for_younger(headers: &mut HeaderMap, since: Duration) {
    let seconds = since.as_secs().saturating_sub(1);
    if let Ok(value) = HeaderValue::try_from(format!("max-age={seconds}")) {
        headers.insert(header::CACHE_CONTROL, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> What {
        What::Prefix(text.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_counts_for_as_long_as_it_may_be_on_its_way() {
        let (recent, began) = (Recent::default(), Instant::now());
        let groups = Groups::of_one("http://a");
        let key = CacheKey::primary("http", "a", "/x");
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(recent.since(&groups, &key, None, began), None);
        recent.note(prefix("http://a/"), began);
        let label = What::SurrogateKey { key: "k".parse().unwrap(), host: None };
        recent.note(label, at(10));
        assert_eq!(
            recent.since(&groups, &key, Some(&HeaderMap::new()), at(15)),
            Some(Duration::from_secs(15))
        );
        assert_eq!(
            recent.since(&groups, &key, None, at(15)),
            Some(Duration::from_secs(5)),
            "it may be labelled so"
        );
        assert_eq!(recent.since(&groups, &key, Some(&HeaderMap::new()), at(601)), None);
        // What another process is told of it.
        let ago: Vec<_> = recent.all(at(605)).into_iter().map(|(_, ago)| ago.as_secs()).collect();
        assert_eq!(ago, [595]);
        let other = CacheKey::primary("http", "b", "/x");
        assert_eq!(recent.since(&groups, &other, Some(&HeaderMap::new()), at(15)), None);
        for order in 0..MOST {
            recent.note(prefix(&format!("http://c/{order}")), at(20));
        }
        assert_eq!(
            recent.since(&groups, &other, Some(&HeaderMap::new()), at(21)),
            Some(Duration::from_secs(11))
        );
        assert_eq!(recent.all(at(21)).len(), MOST + 1);
        let told = Recent::default();
        told.note_all(at(10));
        assert_eq!(told.since(&groups, &other, None, at(21)), Some(Duration::from_secs(11)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_older_order_that_is_told_late_hides_no_younger_one() {
        let (recent, began) = (Recent::default(), Instant::now());
        let groups = Groups::of_one("http://a");
        let key = CacheKey::primary("http", "a", "/x");
        let at = |seconds| began + Duration::from_secs(seconds);
        for seconds in [20, 10] {
            recent.note(prefix("http://a/"), at(seconds));
        }
        assert_eq!(recent.since(&groups, &key, None, at(25)), Some(Duration::from_secs(5)));
        // Nor where there are too many: what is forgotten one by one is the oldest.
        let recent = Recent::default();
        recent.note_all(at(15));
        for (number, seconds) in std::iter::repeat_n(20, MOST).chain([10, 11]).enumerate() {
            recent.note(prefix(&format!("http://c/{number}")), at(seconds));
        }
        assert_eq!(recent.since(&groups, &key, None, at(25)), Some(Duration::from_secs(10)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_forgets_no_order_that_is_on_its_way() {
        let now = Instant::now() + Duration::from_secs(1_000);
        let (groups, at) = (Groups::of_one("http://a"), |ago| now - Duration::from_secs(ago));
        let since = |recent: &Recent, target| {
            let key = CacheKey::primary("http", "a", target);
            recent.since(&groups, &key, Some(&HeaderMap::new()), now).map(|ago| ago.as_secs())
        };
        let before = Recent::default();
        before.note(prefix("http://a/old"), at(601));
        before.note(prefix("http://a/x"), at(300));
        before.note(prefix("http://a/y"), at(20));
        let noted = before.to_note(now, 5_000_000);
        assert_eq!(noted.len(), 2);
        let text = serde_json::to_string(&noted).unwrap();
        for (later, x, y) in [
            (0, Some(300), Some(20)),
            (100, Some(400), Some(120)),
            (400, None, Some(420)),
            // Set back: nobody knows how long it was.
            (-3_600, Some(0), Some(0)),
        ] {
            let next = Recent::default();
            let unix_ms = 5_000_000_u64.saturating_add_signed(later * 1_000);
            // From two disks.
            for _ in 0..2 {
                next.take_in(serde_json::from_str(&text).unwrap(), now, unix_ms);
            }
            assert_eq!((since(&next, "/x"), since(&next, "/y"), since(&next, "/z")), (x, y, None), "{later}");
            assert!(next.all(now).len() <= 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_note_has_no_room_for_counts_as_one_about_everything() {
        let now = Instant::now() + Duration::from_secs(1_000);
        let before = Recent::default();
        for order in 0..100 {
            let long = format!("http://a/{order}/{}", "x".repeat(4_000));
            before.note(prefix(&long), now - Duration::from_secs(200 - order));
        }
        let noted = before.to_note(now, 1_000_000);
        assert!(serde_json::to_vec(&noted).unwrap().len() < NOTED_BYTES + 1_024);
        let next = Recent::default();
        next.take_in(noted, now, 1_000_000);
        let key = |target: &str| CacheKey::primary("http", "a", target);
        let since = |target| next.since(&Groups::of_one("http://a"), &key(target), None, now);
        assert!(
            since("/none").unwrap() < Duration::from_secs(200),
            "as the latest of those that are not named"
        );
        let named = format!("/99/{}", "x".repeat(4_000));
        assert_eq!(since(&named), Some(Duration::from_secs(101)));
    }
}
