//! The timetable: one object that drives release, filling, admission, television, guide and forecast.
//!
//! ```text
//! file ─► policy ─► check ─► compile ─► plan ─► signed ─► accept ─┬─ release     when a pointer opens
//! what a  nearest   findings  + what     one day, flat            ├─ admission   who is let in when
//! person  wins      file:line  the store lists, canonical         ├─ on_air      what a channel sends
//! writes                       has                                ├─ guide       what the public may know
//!                                                                 └─ diff        what an edition changes
//! ```
//!
//! Pure: no clock and no I/O. Callers pass `now`, and what the store has.

mod accept;
mod admission;
mod check;
mod compile;
mod diff;
mod file;
mod finding;
pub mod guide;
pub mod on_air;
mod place;
pub mod plan;
mod policy;
mod refusal;
mod release;
#[cfg(test)]
mod sample;
mod school;
mod signed;
mod stock;
mod time;

pub use accept::{Accepted, accept, refuse};
pub use admission::Opening;
pub use check::{SLACK_S, begun_otherwise, check, days_over};
pub use compile::{Making, compile};
pub use diff::{Change, Fields, Section, diff};
pub use file::{ChannelEntry, Given, Item, MAX_FILE_BYTES, MAX_ITEMS, Shipped, Timetable};
pub use finding::{Finding, MAX_FINDINGS, Rule, Spot, Weight};
pub use on_air::{OnAir, Sent};
pub use place::{InvalidPlace, InvalidRegion, Place, Region};
pub use plan::{HEARD, MAX_PLAN_BYTES, Plan, PlanError, day_path, days_path, limits_path, plan_path};
pub use policy::{DEFAULT_WINDOW_S, Effective, Policies, Ruling};
pub use refusal::Refusal;
pub use release::Release;
pub use school::{Band, Class, Kind, grade_name, grades};
pub use signed::{MAX_ENVELOPE_BYTES, SignedPlan};
pub use stock::{Stock, Stocked};
pub use time::{AirSegment, DAY_S, InvalidZone, Zone, day_segment};
