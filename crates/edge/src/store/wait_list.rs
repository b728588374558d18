//! Readers waiting for the next bytes of one body.
//!
//! A waker list of our own, because a body is polled, not awaited: a reader registers in its poll, once a wait, and a
//! thousand of them are woken by one pass over a vector. Nothing is left behind by readers that leave.

use std::task::Waker;

/// The waiting readers of one body. Lives inside the body's lock.
#[derive(Debug, Default)]
pub(crate) struct WaitList {
    /// Counts wake-ups: a ticket of an earlier epoch is worth nothing.
    epoch: u64,
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

/// A reader's place in the list.
#[derive(Debug, Default)]
pub(crate) struct Ticket(Option<(u64, usize)>);

impl WaitList {
    /// Registers the reader, or brings its waker up to date.
    pub(crate) fn register(&mut self, ticket: &mut Ticket, waker: &Waker) {
        if let Some((epoch, place)) = ticket.0
            && epoch == self.epoch
            && let Some(Some(known)) = self.wakers.get_mut(place)
        {
            known.clone_from(waker);
            return;
        }
        let place = match self.free.pop() {
            Some(place) => {
                self.wakers[place] = Some(waker.clone());
                place
            }
            None => {
                self.wakers.push(Some(waker.clone()));
                self.wakers.len() - 1
            }
        };
        ticket.0 = Some((self.epoch, place));
    }

    /// The reader waits no longer.
    pub(crate) fn leave(&mut self, ticket: &mut Ticket) {
        if let Some((epoch, place)) = ticket.0.take()
            && epoch == self.epoch
            && let Some(waker) = self.wakers.get_mut(place)
            && waker.take().is_some()
        {
            self.free.push(place);
        }
    }

    /// Takes everybody out. Wake them outside of the lock.
    pub(crate) fn take_all(&mut self) -> Vec<Option<Waker>> {
        self.epoch += 1;
        self.free.clear();
        std::mem::take(&mut self.wakers)
    }
}

/// Wakes what [`WaitList::take_all`] gave.
pub(crate) fn wake(wakers: Vec<Option<Waker>>) {
    for waker in wakers.into_iter().flatten() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn each_waiting_reader_is_woken_once_and_those_who_left_not_at_all() {
        let counting = Arc::new(Counting::default());
        let waker = Waker::from(Arc::clone(&counting));
        let mut list = WaitList::default();
        let (mut one, mut two) = (Ticket::default(), Ticket::default());
        list.register(&mut one, &waker);
        list.register(&mut one, &waker);
        list.register(&mut two, &waker);
        list.leave(&mut two);
        wake(list.take_all());
        assert_eq!(counting.0.load(Ordering::Relaxed), 1);
        // A ticket of the last epoch takes nobody else's place.
        let mut three = Ticket::default();
        list.register(&mut three, &waker);
        list.leave(&mut one);
        wake(list.take_all());
        assert_eq!(counting.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn readers_that_come_and_go_leave_no_room_behind() {
        let waker = Waker::from(Arc::new(Counting::default()));
        let mut list = WaitList::default();
        for _ in 0..1_000 {
            let mut ticket = Ticket::default();
            list.register(&mut ticket, &waker);
            list.leave(&mut ticket);
        }
        assert_eq!(list.wakers.len(), 1);
    }
}
