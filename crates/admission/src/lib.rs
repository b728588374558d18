//! 错峰: who begins now and who waits, decided without remembering anybody.
//!
//! ```text
//! a new session ─► slot ──────────────► line ──────────────────► in
//!                  the plan's: not      as many a second as the
//!                  before its time      node has room for
//!                       │                    │
//!                       ▼                    ▼
//!                  come at 08:42        your place is 12,345: come in 40 s, with this ticket
//! ```
//!
//! A place in line is a number on a signed [`Ticket`] that the client brings back; the node keeps two counters a class: how
//! many tickets it gave out and how many of them may come in; and two more for guests, who waited at another node and have no number
//! here. A million who wait cost it nothing. A ticket says when it was given out, by which node and for which class, and nothing
//! about who holds it; lent to another, it is one place all the same. What plays is never asked.
//!
//! Pure: takes `now`, reads no clock.

mod line;
mod lines;
mod slot;
mod ticket;

pub use lines::{Lines, Verdict, Wait};
pub use slot::{Slot, slot};
pub use ticket::{InvalidTicket, Key, MAX_TICKET, Node, Ticket};

#[cfg(test)]
mod tests;
