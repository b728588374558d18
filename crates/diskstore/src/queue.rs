//! A queue with a bound by weight, between those who must not wait and threads that do.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Many may push and many pop.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    come: Condvar,
    bounds: Bounds,
}

/// What may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Weight of all together, where none counts for more than `of_one`.
    pub(crate) most: usize,
    /// What one counts for at most.
    pub(crate) of_one: usize,
    /// Weight beyond that of all together. One may always wait, whatever its weight.
    pub(crate) beyond: usize,
}

struct State<T> {
    items: VecDeque<(T, usize)>,
    /// As it counts.
    weight: usize,
    /// What is beyond that.
    beyond: usize,
    nudged: bool,
    closed: bool,
}

/// What [`Queue::pop`] came back with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Popped<T> {
    Item(T),
    /// Nothing for as long as was waited.
    Nothing,
    /// Nothing, and nothing will come.
    Closed,
}

impl<T> std::fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("weight", &self.weight()).finish_non_exhaustive()
    }
}

impl<T> Queue<T> {
    /// Holds items of `most` weight together.
    pub(crate) fn new(most: usize) -> Self {
        Self::within(Bounds { most, of_one: usize::MAX, beyond: 0 })
    }

    /// Holds what is within these bounds.
    pub(crate) fn within(bounds: Bounds) -> Self {
        let state = State { items: VecDeque::new(), weight: 0, beyond: 0, nudged: false, closed: false };
        Self { state: Mutex::new(state), come: Condvar::new(), bounds }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `item`, or gives it back when there is no room or nobody to take it. Never waits.
    pub(crate) fn push(&self, item: T, weight: usize) -> Result<(), T> {
        let mut state = self.state();
        let (counted, beyond) = self.bounds.parts(weight);
        let has_room = state.weight.saturating_add(counted) <= self.bounds.most
            && (beyond == 0
                || state.beyond == 0
                || state.beyond.saturating_add(beyond) <= self.bounds.beyond);
        if state.closed || !has_room {
            return Err(item);
        }
        state.weight += counted;
        state.beyond += beyond;
        state.items.push_back((item, weight));
        drop(state);
        self.come.notify_one();
        Ok(())
    }

    /// The next item; waits for it for so long at most.
    pub(crate) fn pop(&self, wait: Duration) -> Popped<T> {
        let waiting = |state: &mut State<T>| state.items.is_empty() && !state.nudged && !state.closed;
        let waited = self.come.wait_timeout_while(self.state(), wait, waiting);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.nudged = false;
        match state.items.pop_front() {
            Some((item, weight)) => {
                let (counted, beyond) = self.bounds.parts(weight);
                state.weight -= counted;
                state.beyond -= beyond;
                Popped::Item(item)
            }
            None if state.closed => Popped::Closed,
            None => Popped::Nothing,
        }
    }

    /// The same without taking anything: what is in it stays for later.
    pub(crate) fn rest(&self, wait: Duration) -> Popped<T> {
        let resting = |state: &mut State<T>| !state.nudged && !state.closed;
        let rested = self.come.wait_timeout_while(self.state(), wait, resting);
        let (mut state, _) = rested.unwrap_or_else(PoisonError::into_inner);
        state.nudged = false;
        if state.closed { Popped::Closed } else { Popped::Nothing }
    }

    /// Lets one [`Queue::pop`] come back although nothing has come.
    pub(crate) fn nudge(&self) {
        self.state().nudged = true;
        self.come.notify_one();
    }

    /// Takes no more. What is in it can still be popped.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.come.notify_all();
    }

    /// Weight of what is waiting, as it counts.
    pub(crate) fn weight(&self) -> usize {
        self.state().weight
    }

    /// The same with all that is beyond what one counts for.
    pub(crate) fn whole_weight(&self) -> usize {
        let state = self.state();
        state.weight + state.beyond
    }
}

impl Bounds {
    /// What counts of a weight, and what is beyond it.
    fn parts(&self, weight: usize) -> (usize, usize) {
        let counted = weight.min(self.of_one);
        (counted, weight - counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_bound_comes_back_and_the_rest_comes_in_order() {
        let queue = Queue::new(10);
        assert_eq!(queue.push("a", 6), Ok(()));
        assert_eq!(queue.push("b", 5), Err("b"));
        assert_eq!(queue.push("c", 4), Ok(()));
        assert_eq!(queue.rest(Duration::ZERO), Popped::Nothing);
        assert_eq!(queue.pop(Duration::ZERO), Popped::Item("a"));
        assert_eq!(queue.pop(Duration::ZERO), Popped::Item("c"));
        assert_eq!(queue.pop(Duration::ZERO), Popped::Nothing);
        queue.nudge();
        assert_eq!(queue.pop(Duration::MAX), Popped::Nothing);
        assert_eq!(queue.push("b", 10), Ok(()));
        queue.close();
        assert_eq!(queue.push("d", 0), Err("d"));
        assert_eq!(queue.pop(Duration::MAX), Popped::Item("b"));
        assert_eq!(queue.pop(Duration::MAX), Popped::Closed);
    }

    #[test]
    fn a_heavy_one_counts_for_a_part_and_of_what_is_beyond_only_so_much_waits_or_one() {
        let queue = Queue::within(Bounds { most: 10, of_one: 4, beyond: 20 });
        assert_eq!(queue.push("heaviest", 100), Ok(()));
        assert_eq!((queue.weight(), queue.whole_weight()), (4, 100));
        assert_eq!(queue.push("heavy", 5), Err("heavy"));
        assert_eq!(queue.push("light", 4), Ok(()));
        assert_eq!(queue.push("light", 3), Err("light"));
        assert_eq!(queue.pop(Duration::ZERO), Popped::Item("heaviest"));
        assert_eq!(queue.push("heavy", 24), Ok(()));
        assert_eq!(queue.pop(Duration::ZERO), Popped::Item("light"));
        assert_eq!(queue.push("heavy", 5), Err("heavy"));
        assert_eq!(queue.pop(Duration::ZERO), Popped::Item("heavy"));
        assert_eq!((queue.weight(), queue.whole_weight()), (0, 0));
    }
}
