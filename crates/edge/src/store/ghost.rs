//! What has come from the disk lately and was not kept in memory: names without bodies.
//!
//! A body that is asked for once has no use in memory, where it pushes out others and is written to pages that no cache holds. One
//! that is asked for again before a memory's worth of others has come would still have been there, had it been kept: that one
//! is worth it. (ARC and S3-FIFO call such a list a ghost.)

use crate::key::CacheKey;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that a body counts as at least: the list has at most a name for each so many bytes of memory.
const LEAST: u64 = super::BLOCK_SIZE;

/// The list, shared by all cores.
#[derive(Debug)]
pub(crate) struct Ghost {
    /// Bytes of bodies that may come between two questions for the same.
    memory: u64,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    /// Bytes of all that has come.
    come: u64,
    /// How much had come when a body did last.
    last: HashMap<CacheKey, u64>,
    /// The same in the order of their coming; some are there again behind.
    order: VecDeque<(CacheKey, u64)>,
}

impl Ghost {
    /// For a memory of so many bytes.
    pub(crate) fn new(memory: u64) -> Self {
        Self { memory, list: Mutex::default() }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that what is under `key` comes. Whether it did already, less than a memory's worth before.
    pub(crate) fn is_back(&self, key: &CacheKey) -> bool {
        let list = &mut *self.list();
        while let Some((oldest, at)) = list.order.front()
            && list.come - at > self.memory
        {
            if list.last.get(oldest) == Some(at) {
                list.last.remove(oldest);
            }
            list.order.pop_front();
        }
        let back = list.last.insert(key.clone(), list.come).is_some();
        list.order.push_back((key.clone(), list.come));
        list.come += LEAST;
        back
    }

    /// What came last has `length` bytes.
    pub(crate) fn has_come(&self, length: u64) {
        self.list().come += length.saturating_sub(LEAST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: u64 = 10 * LEAST;

    fn key(number: u32) -> CacheKey {
        CacheKey::primary("http", "a", &format!("/{number}"))
    }

    #[test]
    fn who_comes_again_within_a_memory_s_worth_is_back() {
        let ghost = Ghost::new(MEMORY);
        let comes = |number, blocks| {
            let back = ghost.is_back(&key(number));
            ghost.has_come(blocks * LEAST);
            back
        };
        assert!(!comes(1, 4));
        assert!(!comes(2, 6));
        assert!(comes(1, 4), "ten blocks behind it");
        assert!(comes(1, 7));
        assert!(!comes(2, 1), "seventeen blocks behind it");
    }

    #[test]
    fn a_pass_over_a_catalogue_is_never_back_and_leaves_no_more_than_a_memory_s_worth_of_names() {
        let ghost = Ghost::new(MEMORY);
        for number in (0..1_000).chain(0..1_000) {
            assert!(!ghost.is_back(&key(number)), "{number}");
        }
        for _ in 0..1_000 {
            ghost.is_back(&key(7));
        }
        let list = ghost.list();
        assert!(list.order.len() <= 12 && list.last.len() <= 12, "{list:?}");
    }
}
