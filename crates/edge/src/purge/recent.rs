//! Orders of the last minutes, held against what is fetched since: the edge that answers may not have heard of them yet.
//!
//! Orders reach a fleet one edge after the other. What this one has forgotten it would get back from a parent or a neighbour
//! that has not: so for as long as an order may be on its way, neighbours are not asked for what it means, parents are asked
//! for what is younger than the order (`max-age`, RFC 9111 §5.2.1.1), and what is older all the same, by its Age, is
//! stale when it comes: it serves those who wait for it, and is asked about each time.

use super::sweep::{is_about, is_labelled};
use crate::key::CacheKey;
use crate::upstream::Groups;
use ::purge::{MAX_LIFE, What};
use http::{HeaderMap, HeaderValue, header};
use httpcache::freshness::Freshness;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Orders that are remembered; beyond it the oldest counts as one about everything.
const MOST: usize = 256;

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

impl Recent {
    /// An order came `now`; of another process, which may tell of it late, then.
    pub(crate) fn note(&self, what: What, now: Instant) {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// One about everything, as far as anybody knows, came at `at`.
    pub(super) fn note_all(&self, at: Instant) {
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
        for seconds in std::iter::repeat_n(20, MOST).chain([10, 11]) {
            recent.note(prefix("http://c/"), at(seconds));
        }
        assert_eq!(recent.since(&groups, &key, None, at(25)), Some(Duration::from_secs(10)));
    }
}
