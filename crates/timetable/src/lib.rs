//! The timetable: one object that drives release, filling, admission, television, guide and forecast.
//!
//! ```text
//! file ─► items and rules ─► check ─► compile ─► plan ─► signed ─► accept ─┬─ release     when a pointer opens
//!         what a person       findings            one day, flat           ├─ admission   who is let in when
//!         writes                                  lists, canonical        ├─ on_air      what a channel sends
//!                                                                         └─ fill        what is fetched beforehand
//! ```
//!
//! Pure: no clock and no I/O. Callers pass `now`, and what the store knows.

mod accept;
mod admission;
pub mod on_air;
mod place;
pub mod plan;
mod refusal;
mod release;
#[cfg(test)]
mod sample;
mod school;
mod signed;
mod time;

pub use accept::{Accepted, accept, refuse};
pub use admission::Opening;
pub use on_air::{OnAir, Sent};
pub use place::{InvalidPlace, Place, Region};
pub use plan::{MAX_PLAN_BYTES, Plan, PlanError, day_path, plan_path};
pub use refusal::Refusal;
pub use release::Release;
pub use school::{Band, Class, Kind, grade_name, grades};
pub use signed::{MAX_ENVELOPE_BYTES, SignedPlan};
pub use time::{AirSegment, DAY_S, InvalidZone, Zone, day_segment};
