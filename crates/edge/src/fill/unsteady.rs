//! What servers upstream give different validators, one after the other, as where each makes its own of inode and time and a balancer
//! stands before them, or we are it. Its parts are never put together (RFC 9110 §15.3.7.3), so who reads them is cut off at each
//! turn: it is had whole, by one question.
//!
//! A representation that has changed does not come back. One that does, to be read or to be given up again, tells them apart.

use crate::key::CacheKey;
use http::HeaderValue;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long it counts: whoever has mended the servers waits no longer for it to be kept in parts again.
pub(super) const UNSTEADY_FOR: Duration = Duration::from_secs(3_600);

/// So many that changed last are remembered, and so many that are unsteady. Beyond them one is cut off more often, no more.
const MOST: usize = 256;

/// The list, shared by all cores.
#[derive(Debug, Default)]
pub(crate) struct Unsteady {
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    /// What has been given up for another, with its validator, the oldest first.
    given_up: VecDeque<(CacheKey, HeaderValue, Instant)>,
    /// Until when what is had whole.
    unsteady: VecDeque<(CacheKey, Instant)>,
}

impl Unsteady {
    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that what stood under `key` with the validator `before` has been given up, since the upstream has it with the validator `now`.
    /// Whether either had been given up before.
    pub(super) fn turned(
        &self,
        key: &CacheKey,
        before: &HeaderValue,
        now: Option<&HeaderValue>,
        at: Instant,
    ) -> bool {
        let Lists { given_up, unsteady } = &mut *self.lists();
        given_up.retain(|(_, _, since)| at.duration_since(*since) < UNSTEADY_FOR);
        let is_of = |(of, etag, _): &(CacheKey, HeaderValue, Instant), which| of == key && etag == which;
        let had_been = |etag| given_up.iter().any(|given| is_of(given, etag));
        let is_again = had_been(before);
        let is_back = is_again || now.is_some_and(had_been);
        if !is_again {
            push(given_up, (key.clone(), before.clone(), at));
        }
        if is_back {
            unsteady.retain(|(of, _)| of != key);
            push(unsteady, (key.clone(), at + UNSTEADY_FOR));
        }
        is_back
    }

    /// Whether what is under `key` is to be had whole.
    pub(super) fn has(&self, key: &CacheKey, now: Instant) -> bool {
        self.lists().unsteady.iter().any(|(of, until)| of == key && now < *until)
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == MOST {
        list.pop_front();
    }
    list.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_unsteady_for_an_hour_and_what_changes_is_not() {
        let (unsteady, start) = (Unsteady::default(), Instant::now());
        let key = |number: usize| CacheKey::primary("http", "a", &format!("/{number}"));
        let [a, b, c] = ["\"a\"", "\"b\"", "\"c\""].map(HeaderValue::from_static);
        // Another each time, or gone.
        for (before, now) in [(&a, Some(&b)), (&b, Some(&c)), (&c, None)] {
            assert!(!unsteady.turned(&key(0), before, now, start), "{before:?}");
        }
        assert!(!unsteady.has(&key(0), start));
        // The same name is another's.
        assert!(!unsteady.turned(&key(1), &b, Some(&a), start));
        assert!(unsteady.turned(&key(1), &a, Some(&b), start));
        // Servers that have their turns in step.
        assert!(!unsteady.turned(&key(2), &a, Some(&b), start));
        assert!(unsteady.turned(&key(2), &a, Some(&b), start));
        assert!(unsteady.has(&key(1), start) && !unsteady.has(&key(0), start));
        let later = start + UNSTEADY_FOR;
        assert!(!unsteady.has(&key(1), later));
        assert!(!unsteady.turned(&key(1), &a, Some(&b), later), "forgotten");
        // No number of them makes the lists longer than they are.
        for number in 0..2 * MOST {
            unsteady.turned(&key(number), &a, Some(&b), later);
            unsteady.turned(&key(number), &b, Some(&a), later);
        }
        let lists = unsteady.lists();
        assert_eq!((lists.given_up.len(), lists.unsteady.len()), (MOST, MOST));
    }
}
