//! Whether something happens to a key that has happened to it before: the fills of one object should be one, and a byte that is
//! asked for again is worth more than one.

use crate::key::CacheKey;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

/// Places for keys: half a megabyte. A day's lessons of a node are some hundred thousand objects; who comes to the same place
/// takes it, so what is counted is a little less than what is.
const PLACES: usize = 1 << 16;

/// The last keys that it happened to, by their sums.
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
        let sum = self.sums.hash_one(key);
        let place = usize::try_from(sum % PLACES as u64).unwrap_or_default();
        self.places[place].swap(sum, Ordering::Relaxed) == sum
    }
}
