//! The line of one class: those who got a ticket here, guests, and when which number was given out.

use crate::places::{Places, Stand};
use jiff::Timestamp;

/// How far back a ticket of another node can be placed: an hour. Older ones are before everybody.
const REMEMBERED_S: usize = 3_600;

/// Who waits, as numbers.
#[derive(Debug)]
pub(crate) struct Line {
    /// Of those who got their tickets here.
    own: Places,
    /// Of those who got theirs from another node, once their time had come and there was no room.
    guests: Places,
    /// Whether a single place goes to a guest.
    guest_is_next: bool,
    /// How many tickets were given out here when a second began, at its place within the hour.
    history: Box<[(i64, u64); REMEMBERED_S]>,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            own: Places::default(),
            guests: Places::default(),
            guest_is_next: true,
            history: Box::new([(i64::MIN, 0); REMEMBERED_S]),
        }
    }
}

impl Line {
    /// The next number.
    pub(crate) fn issue(&mut self, now: Timestamp) -> u64 {
        let second = now.as_second();
        let entry = &mut self.history[place(second)];
        if entry.0 != second {
            *entry = (second, self.own.issued());
        }
        self.own.issue()
    }

    /// The next number of a guest.
    pub(crate) fn issue_to_guest(&mut self) -> u64 {
        self.guests.issue()
    }

    /// In this `second` of its life, lets up to `count` more in, guests and others by turns, and says how many those were. Guests
    /// came before all others that wait here; but a ticket of another node can be shown many times, and must not be the end of those
    /// who got theirs here.
    pub(crate) fn pass(&mut self, count: u64, second: u64) -> u64 {
        let theirs = if self.guest_is_next { count.div_ceil(2) } else { count / 2 };
        self.guest_is_next ^= count % 2 == 1;
        let guests = self.guests.pass(theirs, second);
        let own = self.own.pass(count - guests, second);
        guests + own + self.guests.pass(count - guests - own, second)
    }

    /// Whose turn came too long before this `second` of its life has none any more.
    pub(crate) fn age(&mut self, second: u64) {
        self.own.age(second);
        self.guests.age(second);
    }

    /// Somebody shows the number `serial`.
    pub(crate) fn show(&mut self, serial: u64) -> Stand {
        match self.own.show(serial) {
            Stand::Ahead(_) => Stand::Ahead(self.ahead_of(serial)),
            stand => stand,
        }
    }

    /// The same of a guest's.
    pub(crate) fn show_of_guest(&mut self, serial: u64) -> Stand {
        match self.guests.show(serial) {
            Stand::Ahead(_) => Stand::Ahead(self.ahead_of_guest(serial)),
            stand => stand,
        }
    }

    /// Tickets that have not been let in yet.
    pub(crate) const fn waiting(&self) -> u64 {
        self.own.waiting() + self.guests.waiting()
    }

    /// How many are before `serial`, itself counted in; 0 when it may come in.
    pub(crate) fn ahead_of(&self, serial: u64) -> u64 {
        let ahead = self.own.ahead_of(serial);
        ahead + ahead.min(self.guests.waiting())
    }

    /// The same of a guest's.
    pub(crate) fn ahead_of_guest(&self, serial: u64) -> u64 {
        let ahead = self.guests.ahead_of(serial);
        ahead + ahead.saturating_sub(1).min(self.own.waiting())
    }

    /// How many are before a ticket that another node gave out at `issued_at`: those who got theirs here before.
    pub(crate) fn ahead_of_time(&self, issued_at: Timestamp) -> u64 {
        let second = issued_at.as_second();
        let entry = self.history[place(second)];
        let serial = if entry.0 == second { Some(entry.1) } else { self.nearest_before(second) };
        serial.map_or(0, |serial| serial.saturating_sub(self.own.passed()))
    }

    /// The number at the last second before `second` in which any was given out here.
    fn nearest_before(&self, second: i64) -> Option<u64> {
        let before = self.history.iter().filter(|(at, _)| *at < second);
        let (at, _) = before.max_by_key(|(at, _)| *at).filter(|(at, _)| *at > i64::MIN)?;
        // Those of that whole second are before it: what the next second that gave any out began with.
        let after = self.history.iter().filter(|(other, _)| other > at).min_by_key(|(at, _)| *at);
        Some(after.map_or(self.own.issued(), |(_, serial)| *serial))
    }
}

fn place(second: i64) -> usize {
    usize::try_from(second.rem_euclid(REMEMBERED_S as i64)).unwrap_or(0)
}
