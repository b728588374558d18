//! What a day will ask of the network: pupils × timetable × measured bit rates × nodes.
//!
//! ```text
//! plan ────────┐
//! assumptions ─┴─► waves ──────────► demand ───────────► capacity ──────► bill
//! pupils, mix      so many sessions  bits a second, by   what nodes can   the 95th
//! of rungs         of one lesson,    minute, province    and what is      percentile
//!                  province, carrier and carrier         missing
//!                              └─► stagger: the same with other slots, compared
//! ```
//!
//! Integers throughout, pure.

mod assumptions;
mod capacity;
mod demand;
mod report;
mod stagger;
mod wave;

pub use assumptions::{Assumptions, Invalid, Node, Pupils};
pub use capacity::{Shortage, shortages};
pub use demand::{Demand, MINUTES, Market};
pub use report::{Bell, Forecast, forecast};
pub use stagger::Stagger;
pub use wave::{Wave, waves};

#[cfg(test)]
mod tests;
