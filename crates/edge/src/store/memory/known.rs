//! What this core has found lately, before the memory that all cores share is asked.
//!
//! To look into that is to write to it: who holds an entry is counted, and what was read is told, so that it is known what is popular. At
//! a bell all cores look for the same few things, and each waits for cache lines that another has just written. Here a core finds again
//! what it found a moment ago, as long as nothing has been written under that key since, which a count says that nobody writes to
//! meanwhile. Nothing is held: what goes is gone.

use super::Entry;
use crate::key::CacheKey;
use crate::store::{Object, Variants};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// Keys that a core remembers: the lists and segments of the moment, and their sign-posts.
const PLACES: usize = 64;
/// Looks at most that are answered here until memory hears of one: it is to know what is popular, and evict something else. The first
/// ones it hears of all, then of fewer and fewer; it counts no further than fifteen anyway.
const LOOKS: u8 = 16;
/// Counts of what was written: what is filled makes a core forget a part of what it knows.
const COUNTS: usize = 256;

thread_local! {
    static KNOWN: RefCell<[Option<Place>; PLACES]> = const { RefCell::new([const { None }; PLACES]) };
}

/// How often has been written under keys.
#[derive(Debug)]
pub(super) struct Writes {
    /// Of one memory: a thread of a test has several.
    memory: u64,
    counts: [AtomicU64; COUNTS],
}

impl Writes {
    pub(super) fn new() -> Self {
        static MEMORIES: AtomicU64 = AtomicU64::new(0);
        let memory = MEMORIES.fetch_add(1, Ordering::Relaxed);
        Self { memory, counts: [const { AtomicU64::new(0) }; COUNTS] }
    }

    fn of(&self, number: u64) -> &AtomicU64 {
        &self.counts[(number >> 8) as usize % COUNTS]
    }

    /// Something has been written under `key`. Called behind it: who has not heard of this may have what stood there before, as if it had
    /// looked a moment sooner.
    pub(super) fn note(&self, key: &CacheKey) {
        self.of(number_of(key)).fetch_add(1, Ordering::Release);
    }

    /// What stands under `key`, by what this core has found or else by `look`.
    pub(super) fn find(&self, key: &CacheKey, look: impl FnOnce() -> Option<Entry>) -> Option<Entry> {
        let number = number_of(key);
        // Before the look: what is written behind it is not in what was found.
        let written = self.of(number).load(Ordering::Acquire);
        let place = number as usize % PLACES;
        let known = KNOWN.with_borrow_mut(|places| {
            places[place].as_mut().filter(|known| known.is_of(self.memory, key))?.look(written)
        });
        if known.is_some() {
            return known;
        }
        let entry = look()?;
        if let Some(found) = Found::of(&entry) {
            KNOWN.with_borrow_mut(|places| match &mut places[place] {
                Some(known) if known.is_of(self.memory, key) => known.renew(found, written),
                other => *other = Some(Place::new(self.memory, key.clone(), found, written)),
            });
        }
        Some(entry)
    }
}

/// A key that is remembered.
struct Place {
    memory: u64,
    key: CacheKey,
    found: Found,
    /// What its count was before it was found.
    written: u64,
    /// Looks that are left, of how many.
    left: u8,
    looks: u8,
}

impl Place {
    fn new(memory: u64, key: CacheKey, found: Found, written: u64) -> Self {
        Self { memory, key, found, written, left: 0, looks: 0 }
    }

    /// What was found, if it still stands and it is not time to have memory hear of it.
    fn look(&mut self, written: u64) -> Option<Entry> {
        if self.written != written {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        self.found.entry()
    }

    /// It has been found once more.
    fn renew(&mut self, found: Found, written: u64) {
        let looks = (self.looks * 2 + 1).min(LOOKS);
        (self.found, self.written, self.left, self.looks) = (found, written, looks, looks);
    }

    fn is_of(&self, memory: u64, key: &CacheKey) -> bool {
        self.memory == memory && self.key == *key
    }
}

/// What most looks are for.
enum Found {
    Object(Weak<Object>),
    Varies(Weak<Variants>),
}

impl Found {
    fn of(entry: &Entry) -> Option<Self> {
        match entry {
            Entry::Object(object) => Some(Self::Object(Arc::downgrade(object))),
            Entry::Varies(variants) => Some(Self::Varies(Arc::downgrade(variants))),
            Entry::Block(_) | Entry::Pass(..) => None,
        }
    }

    fn entry(&self) -> Option<Entry> {
        match self {
            Self::Object(object) => object.upgrade().map(Entry::Object),
            Self::Varies(variants) => variants.upgrade().map(Entry::Varies),
        }
    }
}

/// Where a key is remembered and counted. Not secret: who makes keys that fall together has them looked up as if there were nothing here.
fn number_of(key: &CacheKey) -> u64 {
    let mix = |number: u64, word: u64| (number.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let (words, rest) = key.as_bytes().as_chunks::<8>();
    let number = words.iter().fold(0, |number, word| mix(number, u64::from_le_bytes(*word)));
    rest.iter().fold(number, |number, byte| mix(number, u64::from(*byte))) >> 32
}

#[cfg(test)]
mod tests {
    use super::super::{Memory, Whose};
    use super::*;
    use crate::store::{Blocks, Body, Sparse};
    use crate::upstream::Groups;
    use ::purge::{Mode, Report, What};
    use http::{HeaderMap, HeaderValue, StatusCode};
    use httpcache::freshness::{Freshness, StaleUse};
    use prometheus::{IntCounter, IntGauge};
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;
    use tokio::time::Instant;
    use units::ByteCount;

    fn memory() -> Memory {
        let gauge = || IntGauge::new("a", "a").unwrap();
        Memory::new(ByteCount::mib(4), gauge(), gauge(), IntCounter::new("a", "a").unwrap())
    }

    fn with_body(body: Body) -> Arc<Object> {
        let (stale, lifetime) = (StaleUse::default(), Duration::from_secs(60));
        let freshness = Freshness { initial_age: Duration::ZERO, lifetime, stale, immutable: false };
        Arc::new(Object::new(StatusCode::OK, HeaderMap::new(), freshness, Instant::now(), body))
    }

    fn object() -> Arc<Object> {
        with_body(Body::Complete(Arc::new(Blocks::new(Vec::new()))))
    }

    fn key() -> CacheKey {
        CacheKey::primary("http", "a", "/x")
    }

    fn is(found: Option<Entry>, object: &Arc<Object>) -> bool {
        matches!(found, Some(Entry::Object(found)) if Arc::ptr_eq(&found, object))
    }

    /// Has this core know what is under `key` as well as it knows anything.
    fn know(memory: &Memory, key: &CacheKey) {
        (0..100).for_each(|_| drop(memory.get(key)));
    }

    #[test]
    fn what_is_known_is_found_without_memory_and_memory_hears_of_one_in_so_many() {
        let (memory, object) = (memory(), object());
        memory.insert(key(), Entry::Object(Arc::clone(&object)));
        know(&memory, &key());
        assert_eq!(Arc::strong_count(&object), 2, "memory has it, and nobody else");
        // Behind its back, as what is evicted goes.
        memory.cache.invalidate(&key());
        let found = (0..100).take_while(|_| is(memory.get(&key()), &object)).count();
        assert!(found <= LOOKS.into(), "{found}");
        assert!(memory.get(&key()).is_none());
        // Who is asked for a few times is heard of most times.
        let memory = self::memory();
        memory.insert(key(), Entry::Object(Arc::clone(&object)));
        assert!((0..2).all(|_| is(memory.get(&key()), &object)));
        memory.cache.invalidate(&key());
        assert!(is(memory.get(&key()), &object), "the second look is good for a third");
        assert!(memory.get(&key()).is_none());
    }

    #[test]
    fn what_nobody_has_any_more_is_not_found() {
        let memory = memory();
        memory.insert(key(), Entry::Object(object()));
        know(&memory, &key());
        memory.cache.invalidate(&key());
        memory.cache.run_pending_tasks();
        crossbeam_gives_up(&memory);
        assert!(memory.get(&key()).is_none());
    }

    /// What moka has taken out it drops some operations later.
    fn crossbeam_gives_up(memory: &Memory) {
        for number in 0..1_000 {
            let other = CacheKey::primary("http", "b", &format!("/{number}"));
            memory.insert(other.clone(), Entry::Pass(Instant::now(), Whose::Everybody));
            memory.cache.invalidate(&other);
            memory.cache.run_pending_tasks();
        }
    }

    #[test]
    fn whoever_writes_is_seen_by_the_next_look() {
        let (old, new) = (object(), object());
        let sparse = Arc::new(Sparse::new(key(), 1_000, HeaderValue::from_static("\"1\"")));
        let in_blocks = with_body(Body::Sparse(Arc::clone(&sparse)));
        let (groups, all) = (Groups::of_one("http://a"), What::Prefix("http://a/".parse().unwrap()));
        let sweep = |memory: &Memory, mode| {
            let mut report = Report::new("0".repeat(32).try_into().unwrap(), mode);
            memory.sweep(&groups, &all, mode, Instant::now(), &mut report);
        };
        type Write<'a> = Box<dyn Fn(&Memory) + 'a>;
        type Way<'a> = (&'static str, &'a Arc<Object>, Write<'a>, Option<&'a Arc<Object>>);
        let ways: [Way<'_>; 7] = [
            (
                "insert",
                &old,
                Box::new(|memory| memory.insert(key(), Entry::Object(Arc::clone(&new)))),
                Some(&new),
            ),
            ("remove", &old, Box::new(|memory| memory.remove(&key())), None),
            ("replace", &old, Box::new(|memory| memory.replace(&key(), &old, Arc::clone(&new))), Some(&new)),
            ("drop_object", &old, Box::new(|memory| assert!(memory.drop_object(&key(), &old))), None),
            ("drop_sparse", &in_blocks, Box::new(|memory| assert!(memory.drop_sparse(&sparse))), None),
            ("a hard purge", &old, Box::new(|memory| sweep(memory, Mode::Hard)), None),
            (
                "an answer that is not to be shared",
                &old,
                Box::new(|memory| memory.insert(key(), Entry::Pass(Instant::now(), Whose::Everybody))),
                None,
            ),
        ];
        for (way, before, write, after) in ways {
            let memory = memory();
            memory.insert(key(), Entry::Object(Arc::clone(before)));
            know(&memory, &key());
            // Once more than is left, so that each is met by a look that would be answered here.
            for more in 0..=LOOKS {
                memory.insert(key(), Entry::Object(Arc::clone(before)));
                (0..more + 3).for_each(|_| assert!(is(memory.get(&key()), before), "{way}"));
                write(&memory);
                match after {
                    Some(after) => assert!(is(memory.get(&key()), after), "{way} after {more}"),
                    None => assert!(!is(memory.get(&key()), before), "{way} after {more}"),
                }
            }
        }
        let memory = memory();
        memory.insert(key(), Entry::Object(Arc::clone(&old)));
        know(&memory, &key());
        sweep(&memory, Mode::Soft);
        assert!(!is(memory.get(&key()), &old), "a soft purge");
    }

    #[test]
    fn one_memory_does_not_know_of_another() {
        let (one, other) = (memory(), memory());
        one.insert(key(), Entry::Object(object()));
        know(&one, &key());
        assert!(other.get(&key()).is_none());
    }

    #[test]
    fn keys_that_fall_together_are_told_apart() {
        let memory = memory();
        let keys: Vec<_> =
            (0..10 * PLACES).map(|number| CacheKey::primary("http", "a", &format!("/{number}"))).collect();
        let objects: Vec<_> = keys.iter().map(|_| object()).collect();
        for (key, object) in keys.iter().zip(&objects) {
            memory.insert(key.clone(), Entry::Object(Arc::clone(object)));
        }
        for _ in 0..20 {
            for (key, object) in keys.iter().zip(&objects) {
                assert!((0..3).all(|_| is(memory.get(key), object)));
            }
        }
    }

    /// Who has heard that something was written finds nothing older, whatever it knows.
    #[test]
    fn beside_who_writes_nobody_goes_back() {
        const ROUNDS: usize = 20_000;
        let (memory, written) = (memory(), AtomicUsize::new(0));
        let objects: Vec<_> = (0..=ROUNDS).map(|_| object()).collect();
        let number_of = |found: &Arc<Object>, from: usize| {
            (from..objects.len()).find(|number| Arc::ptr_eq(&objects[*number], found))
        };
        memory.insert(key(), Entry::Object(Arc::clone(&objects[0])));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while written.load(Ordering::Acquire) < ROUNDS {
                        let least = written.load(Ordering::Acquire);
                        let Some(Entry::Object(found)) = memory.get(&key()) else { panic!("it is there") };
                        assert!(number_of(&found, least).is_some(), "older than {least}");
                    }
                });
            }
            for (number, object) in objects.iter().enumerate().skip(1) {
                match number % 2 {
                    0 => memory.insert(key(), Entry::Object(Arc::clone(object))),
                    _ => memory.replace(&key(), &objects[number - 1], Arc::clone(object)),
                }
                written.store(number, Ordering::Release);
                if number % 64 == 0 {
                    std::thread::yield_now();
                }
            }
        });
    }
}
