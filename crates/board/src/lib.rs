//! What operators see of a node without Grafana: one document that says how it is, samples of the last half hour, and a page
//! that shows both.
//!
//! ```text
//! registry ─► figures ─┬─► sample ─► ring ─┐
//!            (as /metrics has them)        ├─► alarms ─► status ─► page
//! plan, fill, readiness, lessons ──────────┘   (rules)   (JSON)
//! ```
//! Every number comes from the registry that `/metrics` is written from, so the two cannot differ. No rule reads a clock. Nothing here tells
//! one student from another: counts by rung, tier and lesson are all there is.

mod alarm;
mod figures;
mod files;
mod ring;
mod sample;
mod status;
mod top;

pub use alarm::{Alarm, Detail, Look, Raised, Severity, alarms};
pub use figures::{Figures, Series};
pub use files::{File, files};
pub use ring::{EVERY, KEPT, Ring};
pub use sample::{Count, Sample};
pub use status::{Bell, Checked, Facts, Lesson, Lessons, Status};
pub use top::{Counted, HALF, PLACES, Top};
