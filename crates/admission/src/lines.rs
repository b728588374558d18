//! Both classes and what the node can take: those before an examination first, within a class who came first.

use crate::line::Line;
use crate::places::Stand;
use crate::ticket::{Node, Ticket};
use jiff::{SignedDuration, Timestamp};
use timetable::Class;

/// Room that was not used is kept for so long: a second's worth may come in at once.
const BURST: SignedDuration = SignedDuration::from_secs(1);
/// More than this is no time that has passed: a node looks each second, and a clock that is set forward by an hour makes no room.
const LONGEST_LOOK: SignedDuration = SignedDuration::from_secs(10);
/// Who waits longer asks in between, so that a line that moves faster than it seemed is not empty.
const LONGEST: SignedDuration = SignedDuration::from_mins(5);
/// Nobody asks again sooner.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// Those who have the same wait come back within a second and a fiftieth of the wait: wide enough not to come as one, narrow
/// enough that hardly anybody overtakes (a spread J over a line of T seconds turns J/3T of all pairs around).
const SPREAD_PART: i32 = 50;
/// Sessions are counted in thousandths.
const ONE: u64 = 1_000;

/// The lines of one node.
#[derive(Debug)]
pub struct Lines {
    node: Node,
    exam: Line,
    usual: Line,
    /// Sessions that may begin now, in thousandths.
    room: u64,
    /// Sessions that may begin each second.
    rate: u32,
    /// Whether those who are not before an examination may begin.
    usual_too: bool,
    moved: Timestamp,
    /// For how long it has looked on, in milliseconds: how old a turn is does not go by a clock that is set.
    lived_ms: u64,
}

/// What a client that wants to begin is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Come in.
    Admit,
    /// Not yet.
    Wait(Wait),
}

/// Not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The place in line, to be brought back.
    pub ticket: Ticket,
    /// How many are before it.
    pub ahead: u64,
    /// When to ask again.
    pub after: SignedDuration,
    /// Whether the ticket that was brought lets in no more, so that this is another place, the last.
    pub was_spent: bool,
}

impl Lines {
    /// Nobody waits, and nobody may begin until [`Self::set`].
    pub fn new(node: Node, now: Timestamp) -> Self {
        Self {
            node,
            exam: Line::default(),
            usual: Line::default(),
            room: 0,
            rate: 0,
            usual_too: true,
            moved: now,
            lived_ms: 0,
        }
    }

    /// From now on `rate` sessions a second may begin; `usual_too`: not only of those before an examination.
    pub fn set(&mut self, rate: u32, usual_too: bool, now: Timestamp) {
        self.advance(now);
        (self.rate, self.usual_too) = (rate, usual_too);
    }

    /// How many wait in the line of `class`. Those who gave up are among them until their turn has passed.
    pub const fn waiting(&self, class: Class) -> u64 {
        match class {
            Class::Exam => self.exam.waiting(),
            Class::Usual => self.usual.waiting(),
        }
    }

    /// Lets in whom there is room for by now.
    pub fn advance(&mut self, now: Timestamp) {
        let passed = now.duration_since(self.moved).min(LONGEST_LOOK);
        if passed.is_negative() {
            // A clock that was set back: nobody is let in twice for the same second.
            self.moved = now;
            return;
        }
        let rate = u64::from(self.rate);
        let ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        if ms == 0 {
            return;
        }
        // A part of a millisecond counts the next time: with many asks a second such parts are half of the time.
        let part = SignedDuration::from_nanos(i64::from(passed.subsec_nanos() % 1_000_000));
        self.moved = now.saturating_sub(part).unwrap_or(now);
        self.lived_ms = self.lived_ms.saturating_add(ms);
        let second = self.lived_ms / 1_000;
        let most = rate.saturating_mul(u64::try_from(BURST.as_millis()).unwrap_or(ONE)).max(ONE);
        // A session a second is a thousandth of it each millisecond.
        let gained = rate.saturating_mul(ms);
        // Who waits is let in out of all that has come since; only what is left is bounded.
        self.room = self.room.saturating_add(gained);
        self.room -= self.exam.pass(self.room / ONE, second) * ONE;
        if self.usual_too {
            self.room -= self.usual.pass(self.room / ONE, second) * ONE;
        }
        self.room = self.room.min(most);
        self.exam.age(second);
        self.usual.age(second);
    }

    /// A client of `class` wants to begin, with the ticket it was given, if any. `seed` is any number; it spreads those
    /// who are told to come back.
    pub fn ask(&mut self, class: Class, ticket: Option<&Ticket>, seed: u64, now: Timestamp) -> Verdict {
        self.advance(now);
        let shown = ticket.filter(|ticket| ticket.class == class).map(|ticket| self.show(ticket));
        let was_spent = match shown {
            Some((Stand::In, _)) => return Verdict::Admit,
            Some((Stand::Ahead(ahead), ticket)) => return self.wait(ticket, ahead, false, seed),
            Some((Stand::Spent, _)) => true,
            None => false,
        };
        if self.take_where_none_waits(class) {
            return Verdict::Admit;
        }
        let node = self.node;
        let line = self.line_mut(class);
        let serial = line.issue(now);
        let ahead = line.ahead_of(serial);
        self.wait(Ticket { class, serial, issued_at: now, node }, ahead, was_spent, seed)
    }

    fn wait(&self, ticket: Ticket, ahead: u64, was_spent: bool, seed: u64) -> Verdict {
        Verdict::Wait(Wait { ticket, ahead, after: self.after(ticket.class, ahead, seed), was_spent })
    }

    /// What a ticket is worth now, and which one to bring the next time.
    fn show(&mut self, ticket: &Ticket) -> (Stand, Ticket) {
        let (here, of_guests) = (self.node, self.node.of_guests());
        let line = self.line_mut(ticket.class);
        match ticket.node {
            node if node == here => (line.show(ticket.serial), *ticket),
            node if node == of_guests => (line.show_of_guest(ticket.serial), *ticket),
            _ => self.show_of_another(ticket),
        }
    }

    /// A ticket of another node was never counted here: it waits for its time.
    fn show_of_another(&mut self, ticket: &Ticket) -> (Stand, Ticket) {
        let class = ticket.class;
        match self.line(class).ahead_of_time(ticket.issued_at) {
            0 if self.take_where_none_waits(class) => (Stand::In, *ticket),
            // Those who wait here take all room that comes: without a place of its own it would wait for the last of them.
            0 => {
                let node = self.node.of_guests();
                let line = self.line_mut(class);
                let serial = line.issue_to_guest();
                (Stand::Ahead(line.ahead_of_guest(serial)), Ticket { serial, node, ..*ticket })
            }
            ahead => (Stand::Ahead(ahead + 1), *ticket),
        }
    }

    /// One who need not wait in line, while there is room for everybody: who goes on before a soft slot.
    pub fn beside(&mut self, class: Class, now: Timestamp) -> bool {
        self.advance(now);
        self.take_where_none_waits(class)
    }

    fn take_where_none_waits(&mut self, class: Class) -> bool {
        self.line(class).waiting() == 0 && self.take(class)
    }

    fn take(&mut self, class: Class) -> bool {
        let turn = match class {
            Class::Exam => true,
            Class::Usual => self.usual_too && self.exam.waiting() == 0,
        };
        let there = turn && self.room >= ONE;
        if there {
            self.room -= ONE;
        }
        there
    }

    fn after(&self, class: Class, ahead: u64, seed: u64) -> SignedDuration {
        let before = match class {
            Class::Exam => ahead,
            Class::Usual => ahead.saturating_add(self.exam.waiting()),
        };
        let moves = self.rate > 0 && (class == Class::Exam || self.usual_too);
        let seconds = if moves { before / u64::from(self.rate) } else { u64::MAX };
        let wait = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let wait = wait.clamp(SHORTEST, LONGEST);
        let spread = SHORTEST + wait / SPREAD_PART;
        let part = i64::try_from(seed % ONE).unwrap_or(0);
        wait + SignedDuration::from_millis(i64::try_from(spread.as_millis()).unwrap_or(0) * part / 1_000)
    }

    const fn line(&self, class: Class) -> &Line {
        match class {
            Class::Exam => &self.exam,
            Class::Usual => &self.usual,
        }
    }

    const fn line_mut(&mut self, class: Class) -> &mut Line {
        match class {
            Class::Exam => &mut self.exam,
            Class::Usual => &mut self.usual,
        }
    }
}
