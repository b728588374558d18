//! The node's side of the fleet, a process of its own beside the edge: it enrols, renews, obeys and reports.
//!
//! ```text
//! enrol (once) ─► home ◄─ renew
//! control ─► follow ─► obey ─┬─► the edge's admin listener: orders to forget, out of service and back
//!         ◄─ report ◄────────┴─► the folder of plans that the edge follows
//! ```
//! The edge knows nothing of a control: when control, network or this process are gone, it serves on, with the last good plan.
//! What the control passes on was signed by somebody else, whose signature the edge judges; so whoever takes over the control
//! can withhold orders, and take nodes out of service, and nothing else.

mod batch;
mod clock;
mod enrol;
mod error;
mod follow;
mod home;
mod late;
mod line;
mod local;
mod metrics;
mod obey;
mod options;
mod pin;
mod plans;
mod relay;
mod renew;
mod report;
mod state;

pub use enrol::{Enrolment, enrol};
pub use error::AgentError;
pub use follow::run;
pub use home::Home;
pub use late::LatePlans;
pub use line::{Control, Line, Trouble};
pub use local::{Local, Unheard};
pub use options::{Config, Options};
pub use state::State;
