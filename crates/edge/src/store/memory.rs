//! The RAM tier: moka, weighed by bytes.

use super::object::Object;
use super::variants::Variants;
use crate::key::CacheKey;
use httpcache::vary::VaryNames;
use moka::notification::RemovalCause;
use moka::ops::compute::Op;
use prometheus::{IntCounter, IntGauge};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use units::ByteCount;

/// What stands under a key.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// A response.
    Object(Arc<Object>),
    /// There are several; which one, these request fields tell.
    Varies(Arc<Variants>),
    /// The upstream's answer was not to be shared: until then nobody waits for anybody else's.
    Pass(Instant),
}

/// How long "not to be shared" is remembered. Short: an origin that starts to allow caching in the morning rush
/// must not wait for it.
pub(crate) const PASS_FOR: Duration = Duration::from_secs(5);
/// What an entry without a body is counted as.
const SMALL: u32 = 256;

/// The RAM tier, shared by all cores. moka evicts by TinyLFU when the weights exceed the capacity, so one pass of a
/// robot over the catalogue does not push out what students watch.
#[derive(Clone)]
pub(crate) struct Memory {
    cache: moka::sync::Cache<CacheKey, Entry>,
    capacity: u64,
    bytes: IntGauge,
    objects: IntGauge,
}

impl Memory {
    pub(crate) fn new(
        capacity: ByteCount,
        bytes: IntGauge,
        objects: IntGauge,
        evictions: IntCounter,
    ) -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(capacity.0)
            .weigher(|key: &CacheKey, entry: &Entry| match entry {
                Entry::Object(object) => object.weight().saturating_add(key.weight()),
                Entry::Varies(_) | Entry::Pass(_) => SMALL.saturating_add(key.weight()),
            })
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evictions.inc();
                }
            })
            .build();
        Self { cache, capacity: capacity.0, bytes, objects }
    }

    pub(crate) fn get(&self, key: &CacheKey) -> Option<Entry> {
        self.cache.get(key)
    }

    pub(crate) fn insert(&self, key: CacheKey, entry: Entry) {
        self.cache.insert(key, entry);
    }

    /// What stands there goes. Where it was the sign-post to variants, they are out of reach with it.
    pub(crate) fn remove(&self, key: &CacheKey) {
        self.cache.invalidate(key);
    }

    /// Puts `new` in the place of `old`, unless something else stands there by now.
    pub(crate) fn replace(&self, key: &CacheKey, old: &Arc<Object>, new: Arc<Object>) {
        self.cache.entry_by_ref(key).and_compute_with(|entry| match entry.map(moka::Entry::into_value) {
            Some(Entry::Object(object)) if Arc::ptr_eq(&object, old) => Op::Put(Entry::Object(new)),
            _ => Op::Nop,
        });
    }

    /// Takes `old` out, unless something else stands there by now.
    pub(crate) fn drop_object(&self, key: &CacheKey, old: &Arc<Object>) {
        self.cache.entry_by_ref(key).and_compute_with(|entry| match entry.map(moka::Entry::into_value) {
            Some(Entry::Object(object)) if Arc::ptr_eq(&object, old) => Op::Remove,
            _ => Op::Nop,
        });
    }

    /// The sign-post to the variants by `names` at a URL: the one that stands there, or a new one.
    pub(crate) fn sign_post(&self, primary: &CacheKey, names: VaryNames) -> Arc<Variants> {
        let mut post = None;
        self.cache.entry_by_ref(primary).and_compute_with(|entry| match entry.map(moka::Entry::into_value) {
            Some(Entry::Varies(standing)) if *standing.names() == names => {
                post = Some(standing);
                Op::Nop
            }
            _ => {
                let new = Arc::new(Variants::new(names.clone()));
                post = Some(Arc::clone(&new));
                Op::Put(Entry::Varies(new))
            }
        });
        post.unwrap_or_else(|| Arc::new(Variants::new(names)))
    }

    /// Puts a sign-post back that was evicted; one that stands there stays.
    pub(crate) fn put_back(&self, primary: &CacheKey, variants: &Arc<Variants>) {
        self.cache.entry_by_ref(primary).and_compute_with(|entry| match entry {
            Some(_) => Op::Nop,
            None => Op::Put(Entry::Varies(Arc::clone(variants))),
        });
    }

    /// The largest body that is kept: an eighth, so that one object cannot empty the cache.
    pub(crate) fn largest_object(&self) -> u64 {
        (self.capacity / 8).min(u64::from(u32::MAX) / 2)
    }

    /// Brings moka's bookkeeping and our gauges up to date; called now and then, off the hot path.
    pub(crate) fn tend(&self) {
        self.cache.run_pending_tasks();
        self.bytes.set(i64::try_from(self.cache.weighted_size()).unwrap_or(i64::MAX));
        self.objects.set(i64::try_from(self.cache.entry_count()).unwrap_or(i64::MAX));
    }
}
