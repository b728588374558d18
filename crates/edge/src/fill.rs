//! Fetching for the cache: one leader asks, everybody who wants the same follows.
//!
//! ```text
//! request ─► join ─┬─ lead ──► task: disk │ upstream ─► head ─► body ─► store
//!                  └─ follow ─────────────────────┴── readers of the growing body
//! ```
//! The leader is a task of its own, not the client that began it: a client that leaves or reads slowly changes nothing.
//! A follower is woken by the head's arrival and reads the body as it grows.

mod again;
mod arrived;
mod blocks;
mod flight;
mod head;
mod keep;
mod leader;
mod load;
mod lots;
mod part;
mod passing;
mod place;
mod proof;
mod proved;
mod renew;
mod storable;
mod unsteady;

pub(crate) use again::Again;
pub(crate) use arrived::Arrived;
pub(crate) use blocks::BlockStream;
pub(crate) use flight::{Flights, Guard, Landed, Role, Unshared, Watch};
pub(crate) use head::learn_from_head;
pub(crate) use keep::keep;
pub(crate) use leader::{Errand, Own, is_server_error, lead, may_stand_in};
pub(crate) use load::{load, read_whole};
pub(crate) use lots::{Lots, RUN};
pub(crate) use passing::{PassingStream, head_on_disk, pass_on};
pub(crate) use place::store_as;
pub(crate) use proved::{Unproved, prove};
pub(crate) use storable::{still_storable, storable};
pub(crate) use unsteady::Unsteady;
