//! Which orders have been obeyed, for as long as they could come again.

use crate::order::{Order, OrderId};
use crate::refusal::Refusal;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashSet};

/// Orders remembered: a hundred a second over the longest life, in some 5 MiB.
pub const MAX_SEEN: usize = 65_536;

/// The orders that have been obeyed and have not expired.
#[derive(Debug)]
pub struct Seen {
    ids: HashSet<OrderId>,
    by_end: BTreeSet<(Timestamp, OrderId)>,
    /// The latest end of what has been forgotten. A clock that is set back brings nothing of it to life again (attack 73).
    forgotten_to: Timestamp,
    room: usize,
}

impl Seen {
    /// For at most `room` orders at a time.
    pub fn new(room: usize) -> Self {
        Self { ids: HashSet::new(), by_end: BTreeSet::new(), forgotten_to: Timestamp::MIN, room }
    }

    /// Notes an order that is about to be obeyed. What could still come again is never forgotten for room: then nothing
    /// new is taken.
    ///
    /// # Errors
    /// [`Refusal::Replayed`], [`Refusal::Expired`] for what may have been forgotten, [`Refusal::Full`].
    pub fn note(&mut self, order: &Order, now: Timestamp) -> Result<(), Refusal> {
        while let Some(&(end, id)) = self.by_end.first()
            && end <= now
        {
            self.by_end.pop_first();
            self.ids.remove(&id);
            self.forgotten_to = self.forgotten_to.max(end);
        }
        if self.ids.contains(&order.id) {
            return Err(Refusal::Replayed);
        }
        if order.expires_at <= self.forgotten_to {
            return Err(Refusal::Expired);
        }
        if self.ids.len() >= self.room {
            return Err(Refusal::Full);
        }
        self.ids.insert(order.id);
        self.by_end.insert((order.expires_at, order.id));
        Ok(())
    }

    /// Forgets an order that was not obeyed after all.
    pub fn take_back(&mut self, order: &Order) {
        self.ids.remove(&order.id);
        self.by_end.remove(&(order.expires_at, order.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Mode, What};
    use std::time::Duration;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn order(made_at: i64, life: u64) -> Order {
        let what = What::Url("http://a/".parse().unwrap());
        Order::new(what, Mode::Hard, None, at(made_at), Duration::from_secs(life)).unwrap()
    }

    #[test]
    fn attack_76_an_order_is_obeyed_once() {
        let mut seen = Seen::new(MAX_SEEN);
        let one = order(100, 60);
        assert_eq!(seen.note(&one, at(100)), Ok(()));
        assert_eq!(seen.note(&one, at(100)), Err(Refusal::Replayed));
        assert_eq!(seen.note(&one, at(159)), Err(Refusal::Replayed));
        // The same name with a longer life would be the same order to whoever remembers names.
        let mut longer = one.clone();
        longer.expires_at = at(500);
        assert_eq!(seen.note(&longer, at(159)), Err(Refusal::Replayed));
        assert_eq!(seen.note(&one, at(160)), Err(Refusal::Expired));
    }

    #[test]
    fn attack_73_a_clock_set_back_does_not_bring_an_order_to_life_again() {
        let mut seen = Seen::new(MAX_SEEN);
        let (one, two, later) = (order(100, 60), order(100, 300), order(120, 120));
        seen.note(&one, at(100)).unwrap();
        seen.note(&two, at(100)).unwrap();
        // An hour ahead all is forgotten, and back again.
        seen.note(&order(3_700, 60), at(3_700)).unwrap();
        assert_eq!(seen.note(&one, at(130)), Err(Refusal::Expired));
        assert_eq!(seen.note(&two, at(130)), Err(Refusal::Expired));
        // What nobody can tell from a forgotten one is refused too, for the longest life at most.
        assert_eq!(seen.note(&later, at(130)), Err(Refusal::Expired));
        assert_eq!(seen.note(&order(401, 60), at(401)), Ok(()));
    }

    #[test]
    fn a_full_memory_takes_nothing_new_and_forgets_nothing_that_lives() {
        let mut seen = Seen::new(2);
        let (one, two) = (order(100, 60), order(101, 20));
        seen.note(&one, at(101)).unwrap();
        seen.note(&two, at(101)).unwrap();
        assert_eq!(seen.note(&order(101, 60), at(102)), Err(Refusal::Full));
        assert_eq!(seen.note(&one, at(102)), Err(Refusal::Replayed));
        assert_eq!(seen.note(&order(121, 60), at(121)), Ok(()), "the shorter life has ended");
        seen.take_back(&one);
        assert_eq!(seen.note(&one, at(122)), Ok(()));
    }
}
