//! The world's side of the day plan: where plans come from, which are followed, and what time it is.
//!
//! ```text
//! source ─► keeper ─► timetable::accept ─┬─► shelf    the last good ones, for a start without a source
//! a file, a folder, a store, an upstream └─► Plans    one atomic swap ─► gate (release), fill, admission, channels
//! kernel, upstream's clock ─► clock ─► now
//! ```
//!
//! `origin` and `edge` both follow plans by it. What a service answers because of a plan is made here too, so that both
//! say the same: `subject` (what a path is about), `gate` (what is shut), `closed` (the answer then), `television` (channels), `door` (the plan itself, for nodes alone).

mod clock;
mod closed;
mod door;
mod gate;
mod keeper;
mod metrics;
mod options;
mod plans;
mod shelf;
mod source;
mod subject;
mod television;
mod tokens;
pub mod words;

pub use clock::{Clock, Sample};
pub use closed::{Closed, Wants};
pub use door::{AtDoor, CLOCK_FIELD, PLANS, date_of, served, target};
pub use gate::{Airing, Gate, Gated, Shut, Told};
pub use keeper::Keeper;
pub use options::{ClockOffset, Place, PlanConfig, PlanOptions};
pub use plans::{Current, Followed, Plans};
pub use source::{Fetched, Files, Published, Source, Unheard, read_answer};
pub use subject::{Subject, begun_with};
pub use television::Television;
pub use tokens::Tokens;
