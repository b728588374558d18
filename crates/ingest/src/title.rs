//! What a lesson needs, and no more: its own rates, found by looking at it and by trying.
//!
//! ```text
//! survey ─▶ activity: what moves, segment by segment ─▶ content: slides, slides with a camera, film
//!                                                              │
//! trial: a few segments encoded at two qualities ─▶ likeness ─▶ choose: the worst quality that is good enough
//! ```
//!
//! A fixed ladder spends 6 Mbit/s on a slide that stands still. Here every rung of every lesson gets the constant quality
//! that keeps it as like its picture as the recipe asks for, over all ([`likeness`]) and where something is written,
//! and never more bits than the recipe's cap. Where nothing but strokes moves, the small rungs show fewer pictures.

pub mod account;
pub mod activity;
pub mod choose;
pub mod glance;
pub mod likeness;
mod recipe;
pub mod trial;

pub use account::{FIXED_LADDER, against_fixed, fixed_bps, spending};
pub use activity::{Activity, Content, Watch};
pub use choose::{Chosen, Reason, choose, thinning};
pub use likeness::Likeness;
pub use recipe::{Recipe, Thinned};
pub use trial::{Excerpt, Part, Pass, Tried, excerpts, trial, tried};
