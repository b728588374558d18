//! 错峰: whether a new session may begin now. Asked right behind the release gate, of the pointers of planned lessons alone, and
//! never of a connection that plays.
//!
//! ```text
//! request ─► brought (ticket, "continue", both taken out) ─► slot (the plan's) ─► line (the node's room) ─► in
//!                                                              └────────────┬───────┘
//!                                                                           └─► answer: 503, when, which place, where else
//! ```
//! Nobody is remembered: crate `admission` has the rules.

mod answer;
mod brought;
mod door;
mod metrics;
mod options;

pub(crate) use answer::Waiting;
pub(crate) use door::Door;
pub use options::{AdmissionConfig, AdmissionOptions};
