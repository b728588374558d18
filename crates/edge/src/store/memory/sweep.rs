//! An order to purge, carried out in the RAM tier.

use super::{Entry, Memory};
use crate::key::CacheKey;
use crate::purge::{is_about, is_labelled};
use crate::store::Object;
use crate::upstream::Groups;
use ::purge::{Mode, Place, Report, What};
use httpcache::freshness::State;
use moka::ops::compute::Op;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::time::Instant;

/// After so many entries the walk lets others have the processor.
const AT_A_TIME: usize = 1_024;

impl Memory {
    /// Takes out, or makes stale, what `what` means, and tells of it. A URL is found by its key; for the rest all entries are
    /// walked over, without a lock between two of them.
    ///
    /// What comes in meanwhile may be met too: it is fetched again.
    pub(crate) fn sweep(&self, groups: &Groups, what: &What, mode: Mode, now: Instant, report: &mut Report) {
        let mut sweep = |key: &CacheKey| self.sweep_one(key, what, mode, now, report);
        let What::Url(place) = what else {
            return self.walk(|key| is_about(groups, what, key), sweep);
        };
        for primary in primaries(groups, place) {
            // The sign-post comes before its variants: without it they are out of reach. One that memory has let go of may come back
            // from a disk and lead to them, where the order has left it there; or has, and knows none.
            if mode == Mode::Soft && self.may_hide_variants(&primary) {
                self.walk(|key| key.is_of(&primary), &mut sweep);
            } else {
                let variants = self.variants_at(&primary);
                std::iter::once(primary).chain(variants).for_each(|key| sweep(&key));
            }
        }
    }

    /// Shows all keys that are meant, one after the other.
    fn walk(&self, is_meant: impl Fn(&CacheKey) -> bool, mut show: impl FnMut(&CacheKey)) {
        // What is pinned may be evicted: the walk would not meet it.
        self.pinned.keys().iter().filter(|key| is_meant(key)).for_each(&mut show);
        for (at, (key, _)) in self.cache.iter().enumerate() {
            if is_meant(&key) {
                show(&key);
            }
            if at % AT_A_TIME == AT_A_TIME - 1 {
                std::thread::yield_now();
            }
        }
    }

    /// Whether there may be variants of a URL that no sign-post in memory knows of.
    fn may_hide_variants(&self, primary: &CacheKey) -> bool {
        match self.get(primary) {
            Some(Entry::Varies(variants)) => variants.is_restored(),
            entry => entry.is_none(),
        }
    }

    /// The keys of the variants that are known of a URL.
    fn variants_at(&self, primary: &CacheKey) -> Vec<CacheKey> {
        match self.get(primary) {
            Some(Entry::Varies(variants)) => variants.known(primary),
            _ => Vec::new(),
        }
    }

    /// Whether there are variants at `primary`, as far as memory knows.
    pub(crate) fn varies(&self, primary: &CacheKey) -> bool {
        matches!(self.get(primary), Some(Entry::Varies(_)))
    }

    fn sweep_one(&self, key: &CacheKey, what: &What, mode: Mode, now: Instant, report: &mut Report) {
        self.change(key, |entry| match (entry, mode) {
            (None, _) => Op::Nop,
            (Some(Entry::Object(object)), _) if !is_labelled(what, &object.headers) => Op::Nop,
            (Some(Entry::Object(_)), Mode::Hard) => {
                report.removed.memory += 1;
                report.tell(key);
                self.pinned.remove(key);
                Op::Remove
            }
            (Some(Entry::Object(object)), Mode::Soft) if object.state(now) == State::Fresh => {
                report.softened.memory += 1;
                report.tell(key);
                let stale = Entry::Object(Arc::new(Object::stale_from(&object, now)));
                self.pinned.renew(key, &stale, super::weight(key, &stale).into());
                Op::Put(stale)
            }
            // Sign-posts and the like carry no labels; by their URL they go.
            (Some(_), Mode::Hard) if what.key().is_none() => {
                self.pinned.remove(key);
                Op::Remove
            }
            (Some(_), _) => Op::Nop,
        });
    }
}

/// The keys of a URL, in the ways clients may write it; without its variants.
pub(crate) fn primaries(groups: &Groups, place: &Place) -> Vec<CacheKey> {
    let hosts = ["", ":80", ":443"].map(|port| format!("{}{port}", place.host()));
    let keys: BTreeSet<_> = place
        .spellings()
        .iter()
        .flat_map(|target| hosts.iter().map(move |host| (host, target)))
        // One scheme stands for both in all keys.
        .map(|(host, target)| CacheKey::primary("http", groups.site(host, target), target))
        .collect();
    keys.into_iter().collect()
}
