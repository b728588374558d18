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
//! about who holds it. Once its turn has come it counts for half an hour and lets in sixteen times, so that one that is passed on lets in no
//! school; how often it has is a byte for each number of these minutes. What plays is never asked.
//!
//! Pure: takes `now`, reads no clock.

mod line;
mod lines;
mod places;
mod slot;
mod ticket;

pub use lines::{Lines, Verdict, Wait};
pub use slot::{Slot, slot};
pub use ticket::{InvalidTicket, Key, MAX_TICKET, Node, Ticket};

#[cfg(test)]
mod tests;
