//! A queue with a bound by weight, between those who must not wait and threads that do.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Many may push and many pop.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    come: Condvar,
    most: usize,
}

struct State<T> {
    items: VecDeque<(T, usize)>,
    weight: usize,
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
        let state = State { items: VecDeque::new(), weight: 0, nudged: false, closed: false };
        Self { state: Mutex::new(state), come: Condvar::new(), most }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `item`, or gives it back when there is no room or nobody to take it. Never waits.
    pub(crate) fn push(&self, item: T, weight: usize) -> Result<(), T> {
        let mut state = self.state();
        if state.closed || state.weight.saturating_add(weight) > self.most {
            return Err(item);
        }
        state.weight += weight;
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
                state.weight -= weight;
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

    /// Weight of what is waiting.
    pub(crate) fn weight(&self) -> usize {
        self.state().weight
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
}
