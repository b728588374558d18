//! The RAM tier: moka, weighed by bytes; `sweep` is how orders to purge are carried out in it.

mod known;
mod sweep;

pub(crate) use sweep::primaries;

use super::body::{Blocks, Body};
use super::object::Object;
use super::pinned::Pinned;
use super::sparse::{Piece, Sparse};
use super::variants::Variants;
use crate::key::CacheKey;
use http::{HeaderMap, header};
use httpcache::vary::VaryNames;
use known::Writes;
use moka::notification::RemovalCause;
use moka::ops::compute::Op;
use prometheus::{IntCounter, IntGauge};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
use units::ByteCount;

/// What stands under a key.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// A response.
    Object(Arc<Object>),
    /// There are several; which one, these request fields tell.
    Varies(Arc<Variants>),
    /// A block of a response that stands under another key.
    Block(Piece),
    /// The upstream's answer was not to be shared: until then nobody of these waits for anybody else's.
    Pass(Instant, Whose),
}

/// Whose answers are not to be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Everybody,
    /// Of who asks with Authorization.
    Authorized,
    /// Of who asks with a cookie.
    Cookie,
}

impl Whose {
    /// Who asks so, where he says who he is.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        [Self::Authorized, Self::Cookie].into_iter().find(|whose| whose.is_of(headers))
    }

    /// Whether the one who asks so is one of them.
    pub(crate) fn is_of(self, headers: &HeaderMap) -> bool {
        match self {
            Self::Everybody => true,
            Self::Authorized => headers.contains_key(header::AUTHORIZATION),
            Self::Cookie => headers.contains_key(header::COOKIE),
        }
    }
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
    pinned: Arc<Pinned>,
    /// By which each core knows that what it has found still stands.
    writes: Arc<Writes>,
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
            .weigher(weight)
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evictions.inc();
                }
            })
            .build();
        Self {
            cache,
            capacity: capacity.0,
            bytes,
            objects,
            pinned: Arc::default(),
            writes: Arc::new(Writes::new()),
        }
    }

    /// The same, and beside it `room` for what is pinned.
    pub(crate) fn with_pins(self, room: ByteCount) -> Self {
        Self { pinned: Arc::new(Pinned::new(room.0)), ..self }
    }

    pub(crate) fn get(&self, key: &CacheKey) -> Option<Entry> {
        self.writes.find(key, || self.cache.get(key).or_else(|| self.bring_back(key)))
    }

    pub(crate) fn insert(&self, key: CacheKey, entry: Entry) {
        if !self.pinned.holds(&key) {
            self.cache.insert(key.clone(), entry);
            return self.writes.note(&key);
        }
        // In one with what is brought back meanwhile: the older must not come in behind this.
        self.change(&key, |_| {
            self.pinned.renew(&key, &entry, weight(&key, &entry).into());
            Op::Put(entry)
        });
    }

    /// Keeps `entry` under `key` until `until`; `false` where there is no room for it.
    pub(crate) fn pin(&self, key: &CacheKey, entry: Entry, until: SystemTime) -> bool {
        let weight = weight(key, &entry).into();
        self.pinned.put(key.clone(), entry, weight, until)
    }

    /// Keeps the sign-post at `primary`, if there is one.
    pub(crate) fn pin_sign_post(&self, primary: &CacheKey, until: SystemTime) -> bool {
        match self.get(primary) {
            Some(entry @ Entry::Varies(_)) => self.pin(primary, entry, until),
            _ => true,
        }
    }

    /// Whether what is under `key` is kept.
    pub(crate) fn is_pinned(&self, key: &CacheKey) -> bool {
        self.pinned.holds(key)
    }

    /// Keeps what `is_meant` picks no longer than others.
    pub(crate) fn unpin(&self, is_meant: impl Fn(&CacheKey) -> bool) {
        self.pinned.retain(|key, _| !is_meant(key));
    }

    /// The same for what was to be kept until `now` at most.
    pub(crate) fn unpin_before(&self, now: SystemTime) {
        self.pinned.retain(|_, until| until > now);
    }

    /// What is pinned and was evicted stands where all others do again.
    fn bring_back(&self, key: &CacheKey) -> Option<Entry> {
        if !self.pinned.holds(key) {
            return None;
        }
        let mut found = None;
        self.change(key, |entry| {
            found.clone_from(&entry);
            entry.map_or(Op::Nop, Op::Put)
        });
        found
    }

    /// Does something to what stands under `key`, be it pinned and evicted, while nobody else does.
    fn change(&self, key: &CacheKey, change: impl FnOnce(Option<Entry>) -> Op<Entry>) {
        self.cache.entry_by_ref(key).and_compute_with(|entry| {
            change(entry.map(moka::Entry::into_value).or_else(|| self.pinned.get(key)))
        });
        self.writes.note(key);
    }

    /// What stands there goes. Where it was the sign-post to variants, they are out of reach with it.
    pub(crate) fn remove(&self, key: &CacheKey) {
        self.change(key, |_| {
            self.pinned.remove(key);
            Op::Remove
        });
    }

    /// Puts `new` in the place of `old`, unless something else stands there by now.
    pub(crate) fn replace(&self, key: &CacheKey, old: &Arc<Object>, new: Arc<Object>) {
        let renewed = Entry::Object(Arc::clone(&new));
        self.change(key, |entry| match entry {
            Some(Entry::Object(object)) if Arc::ptr_eq(&object, old) => {
                self.pinned.renew(key, &renewed, weight(key, &renewed).into());
                Op::Put(Entry::Object(new))
            }
            _ => Op::Nop,
        });
    }

    /// Takes `old` out, unless something else stands there by now: whether nothing does.
    pub(crate) fn drop_object(&self, key: &CacheKey, old: &Arc<Object>) -> bool {
        let mut is_gone = true;
        self.change(key, |entry| match entry {
            Some(Entry::Object(object)) if Arc::ptr_eq(&object, old) => {
                self.pinned.remove(key);
                Op::Remove
            }
            other => {
                is_gone = other.is_none();
                Op::Nop
            }
        });
        is_gone
    }

    /// What is held of a block.
    pub(crate) fn block(&self, key: &CacheKey) -> Option<Piece> {
        match self.cache.get(key) {
            Some(Entry::Block(piece)) => Some(piece),
            _ => None,
        }
    }

    /// Whether anything stands there; looking does not make it more popular.
    pub(crate) fn holds(&self, key: &CacheKey) -> bool {
        self.cache.contains_key(key) || self.pinned.holds(key)
    }

    /// Whether what stands under `key` came later than `object`; a word that nothing is for everybody has.
    pub(crate) fn has_younger(&self, key: &CacheKey, object: &Object, now: Instant) -> bool {
        match self.get(key) {
            Some(Entry::Object(standing)) => standing.is_younger_than(object),
            Some(Entry::Pass(until, Whose::Everybody)) => now < until,
            _ => false,
        }
    }

    /// The representation in blocks that stands under `key`.
    pub(crate) fn sparse(&self, key: &CacheKey) -> Option<Arc<Sparse>> {
        match self.cache.get(key) {
            Some(Entry::Object(object)) => match &object.body {
                Body::Sparse(sparse) => Some(Arc::clone(sparse)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes the head of a representation in blocks out, unless another stands there by now: whether nothing does. Its blocks are out of
    /// reach with it.
    pub(crate) fn drop_sparse(&self, sparse: &Arc<Sparse>) -> bool {
        self.change_sparse(sparse, |_| Op::Remove);
        !self.holds(sparse.key())
    }

    /// Makes one object of a representation all of whose blocks have come, if they are still here and it is not too large
    /// for that. The blocks themselves stay until they are evicted, for those who are reading them; they share memory.
    pub(crate) fn complete(&self, sparse: &Arc<Sparse>) {
        if sparse.length() > self.largest_object() {
            return;
        }
        let blocks: Option<Vec<_>> = (0..sparse.length().div_ceil(super::BLOCK_SIZE))
            .map(|index| self.block(&sparse.block_key(index))?.get(&(0..sparse.block_length(index))))
            .collect();
        let Some(blocks) = blocks else { return };
        let body = Body::Complete(Arc::new(Blocks::new(blocks)));
        self.change_sparse(sparse, |head| {
            let whole = head.with_body(body);
            if let Some(generation) = head.on_disk() {
                whole.note_on_disk(generation);
            }
            Op::Put(Entry::Object(Arc::new(whole)))
        });
    }

    fn change_sparse(&self, sparse: &Arc<Sparse>, change: impl FnOnce(&Object) -> Op<Entry>) {
        self.cache.entry_by_ref(sparse.key()).and_compute_with(|entry| {
            match entry.map(moka::Entry::into_value) {
                Some(Entry::Object(object)) => match &object.body {
                    Body::Sparse(standing) if Arc::ptr_eq(standing, sparse) => change(&object),
                    _ => Op::Nop,
                },
                _ => Op::Nop,
            }
        });
        self.writes.note(sparse.key());
    }

    /// The sign-post to the variants by `names` at a URL: the one that stands there, or a new one.
    pub(crate) fn sign_post(&self, primary: &CacheKey, names: VaryNames) -> Arc<Variants> {
        let mut post = None;
        self.change(primary, |entry| match entry {
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

    /// The sign-post in force at `primary` for a response that was to stand under `own`: another by the same fields where that was
    /// evicted meanwhile. `None`: something else stands there, which has come later.
    pub(crate) fn standing_post(&self, primary: &CacheKey, own: &Arc<Variants>) -> Option<Arc<Variants>> {
        match self.get(primary) {
            None => Some(Arc::clone(own)),
            Some(Entry::Varies(standing)) => (standing.names() == own.names()).then_some(standing),
            Some(_) => None,
        }
    }

    /// Tells the sign-post at `primary` that something stands under `key`; gives the key of what has to go for it.
    pub(crate) fn note_variant(&self, primary: &CacheKey, key: &CacheKey) -> Option<CacheKey> {
        match self.get(primary) {
            Some(Entry::Varies(variants)) => {
                let oldest = variants.note(key);
                self.put_back(primary, &variants);
                oldest
            }
            _ => None,
        }
    }

    /// Puts a sign-post back that was evicted; where it stands it is weighed again, with what it knows by now. Another stays.
    pub(crate) fn put_back(&self, primary: &CacheKey, variants: &Arc<Variants>) {
        self.change(primary, |entry| match entry {
            Some(Entry::Varies(standing)) if !Arc::ptr_eq(&standing, variants) => Op::Nop,
            Some(Entry::Varies(_)) | None => Op::Put(Entry::Varies(Arc::clone(variants))),
            Some(_) => Op::Nop,
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

/// What an entry is counted as.
fn weight(key: &CacheKey, entry: &Entry) -> u32 {
    let body = match entry {
        Entry::Object(object) => object.weight(),
        Entry::Block(piece) => u32::try_from(piece.bytes.len()).unwrap_or(u32::MAX).saturating_add(SMALL),
        Entry::Varies(variants) => variants.weight().saturating_add(SMALL),
        Entry::Pass(..) => SMALL,
    };
    body.saturating_add(key.weight())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, StatusCode};
    use httpcache::freshness::{Freshness, StaleUse};
    use std::hash::BuildHasher;

    /// Whoever makes URLs cannot choose them to fall into one place: each process places keys by a secret of its own.
    /// That it is SipHash, which keeps the secret, is in the type; a quicker hasher has to be looked at.
    #[test]
    fn attack_46_keys_fall_where_nobody_can_foresee() {
        fn secret_of(
            _: &moka::sync::Cache<CacheKey, Entry, std::hash::RandomState>,
        ) -> std::hash::RandomState {
            std::hash::RandomState::new()
        }
        let empty = || IntGauge::new("a", "a").unwrap();
        let evictions = IntCounter::new("a", "a").unwrap();
        let memory = Memory::new(ByteCount::mib(1), empty(), empty(), evictions);
        let (one, other) = (secret_of(&memory.cache), secret_of(&memory.cache));
        let key = CacheKey::primary("http", "a", "/x");
        assert_ne!(one.hash_one(&key), other.hash_one(&key));
    }

    /// One of a mebibyte, with room for pins.
    fn with_pins() -> Memory {
        let gauge = || IntGauge::new("a", "a").unwrap();
        let evictions = IntCounter::new("a", "a").unwrap();
        Memory::new(ByteCount::mib(1), gauge(), gauge(), evictions).with_pins(ByteCount::mib(64))
    }

    fn pass(after: u64) -> Entry {
        Entry::Pass(Instant::now() + Duration::from_secs(after), Whose::Everybody)
    }

    fn is_pass(entry: Option<Entry>, expected: &Entry) -> bool {
        matches!((entry, expected), (Some(Entry::Pass(found, _)), Entry::Pass(expected, _)) if found == *expected)
    }

    #[test]
    fn what_is_pinned_and_evicted_is_changed_and_removed_as_what_stands_there() {
        let memory = with_pins();
        let key = CacheKey::primary("http", "a", "/x");
        let (old, new) = (pass(1), pass(2));
        let until = SystemTime::UNIX_EPOCH;
        assert!(memory.pin(&key, old.clone(), until));
        assert!(memory.holds(&key) && is_pass(memory.get(&key), &old));
        memory.cache.invalidate(&key);
        memory.insert(key.clone(), new.clone());
        memory.cache.invalidate(&key);
        assert!(is_pass(memory.get(&key), &new), "the pin has it, too");
        memory.cache.invalidate(&key);
        memory.remove(&key);
        assert!(!memory.holds(&key) && memory.get(&key).is_none());
    }

    /// Who had read slowly found out late that it had changed, and had the disk forget what had been fetched since.
    #[test]
    fn what_is_in_blocks_goes_unless_another_stands_there() {
        let stale = StaleUse::default();
        let freshness =
            Freshness { initial_age: Duration::ZERO, lifetime: Duration::ZERO, stale, immutable: false };
        let (memory, key) = (with_pins(), CacheKey::primary("http", "a", "/x"));
        let [old, new] = ["\"1\"", "\"2\""].map(|etag| {
            let sparse = Arc::new(Sparse::new(key.clone(), 1_000, HeaderValue::from_static(etag)));
            let body = Body::Sparse(Arc::clone(&sparse));
            let head = Object::new(StatusCode::OK, HeaderMap::new(), freshness, Instant::now(), body);
            (sparse, Entry::Object(Arc::new(head)))
        });
        assert!(memory.drop_sparse(&old.0), "nothing stands there");
        memory.insert(key.clone(), old.1);
        memory.insert(key.clone(), new.1);
        assert!(!memory.drop_sparse(&old.0) && memory.sparse(&key).is_some());
        assert!(memory.drop_sparse(&new.0) && memory.sparse(&key).is_none());
    }

    #[test]
    fn what_is_brought_back_beside_those_who_remove_and_renew_it_is_never_the_older() {
        let memory = with_pins();
        let until = SystemTime::UNIX_EPOCH;
        for round in 0..500 {
            let key = CacheKey::primary("http", "a", &format!("/{round}"));
            let (old, new) = (pass(1), pass(2));
            memory.pin(&key, old.clone(), until);
            std::thread::scope(|scope| {
                scope.spawn(|| memory.get(&key));
                scope.spawn(|| {
                    if round % 2 == 0 { memory.remove(&key) } else { memory.insert(key.clone(), new.clone()) }
                });
            });
            let expected = if round % 2 == 0 { None } else { Some(new) };
            assert_eq!(memory.get(&key).is_some(), expected.is_some());
            assert!(expected.is_none_or(|new| is_pass(memory.get(&key), &new)));
        }
    }

    #[test]
    fn attack_45_a_sign_post_is_counted_with_what_it_knows() {
        let gauge = || IntGauge::new("a", "a").unwrap();
        let bytes = gauge();
        let evictions = IntCounter::new("a", "a").unwrap();
        let memory = Memory::new(ByteCount::mib(1), bytes.clone(), gauge(), evictions);
        let mut vary = http::HeaderMap::new();
        vary.insert("vary", http::HeaderValue::from_static("x-band"));
        let primary = CacheKey::primary("http", "a", "/x");
        let variants = memory.sign_post(&primary, httpcache::vary::names(&vary).unwrap());
        memory.tend();
        let alone = bytes.get();
        for number in 0..10 {
            memory.note_variant(&primary, &primary.variant(variants.generation(), &format!("{number:0100}")));
        }
        memory.tend();
        assert!(bytes.get() > alone + 10 * 100, "{} of {alone}", bytes.get());
    }
}
