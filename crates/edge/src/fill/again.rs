//! How often something has happened to a key: the fills of one object should be one, and a byte that is asked for again is worth more
//! than one.

use crate::key::CacheKey;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

/// Places for keys: half a megabyte. A day's lessons of a node are some hundred thousand objects; who comes to the same place
/// takes it, so what is counted is a little less than what is.
const PLACES: usize = 1 << 16;

/// Of a place that part says how often, and the rest is the key's sum.
const COUNT: u64 = 0xffff;

/// The last keys that it happened to.
pub(crate) struct Again {
    places: Box<[AtomicU64]>,
    sums: RandomState,
}

impl Default for Again {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(), sums: RandomState::new() }
    }
}

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Again")
    }
}

impl Again {
    /// Notes that it happens to `key`; whether it has before.
    pub(crate) fn is(&self, key: &CacheKey) -> bool {
        self.times(key) > 1
    }

    /// Notes that it happens to `key`; how often it has with this time, or since it was [forgotten](Self::forget).
    pub(crate) fn times(&self, key: &CacheKey) -> u64 {
        let (place, sum) = self.place(key);
        // Of two at the same time one may not count.
        let before = place.load(Ordering::Relaxed);
        let times = if before & !COUNT == sum { (before & COUNT).saturating_add(1).min(COUNT) } else { 1 };
        place.store(sum | times, Ordering::Relaxed);
        times
    }

    /// It has never happened to `key`.
    pub(crate) fn forget(&self, key: &CacheKey) {
        let (place, sum) = self.place(key);
        if place.load(Ordering::Relaxed) & !COUNT == sum {
            place.store(0, Ordering::Relaxed);
        }
    }

    fn place(&self, key: &CacheKey) -> (&AtomicU64, u64) {
        let sum = self.sums.hash_one(key);
        (&self.places[usize::try_from(sum % PLACES as u64).unwrap_or_default()], sum & !COUNT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_counted_until_it_is_forgotten_or_another_has_its_place() {
        let (again, key) = (Again::default(), |at: usize| CacheKey::primary("http", "h", &format!("/{at}")));
        let is_apart = |at: &usize| !std::ptr::eq(again.place(&key(0)).0, again.place(&key(*at)).0);
        let keys = [key(0), key((1..).find(is_apart).unwrap())];
        assert!(!again.is(&keys[0]) && again.is(&keys[0]));
        assert_eq!((again.times(&keys[0]), again.times(&keys[1])), (3, 1));
        again.forget(&keys[0]);
        assert_eq!((again.times(&keys[0]), again.times(&keys[1])), (1, 2));
        // No number of others makes it more than it is.
        for _ in 0..COUNT + 2 {
            again.times(&keys[1]);
        }
        assert_eq!((again.times(&keys[1]), again.times(&keys[0])), (COUNT, 2));
    }
}
