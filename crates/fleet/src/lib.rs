//! The fleet as rules: `place` (who a node is) → `token` (how it comes in) → `order` (what it is told) → `report` (what it did),
//! all of which are `record`s in one chain that `registry` is the sum of.
//!
//! ```text
//! command ─► registry.decide ─► event ─► record (numbered, chained, signed) ─► store ─► registry.apply
//! ```
//! The registry has no state of its own: it is what the records say, so that the audit log cannot differ from what was
//! done, and any number of control services that read the same records know the same fleet. No I/O and no clock: the
//! caller passes `now`.

mod order;
mod person;
mod place;
mod province;
mod record;
mod refusal;
mod registry;
mod report;
mod token;
pub mod wire;
pub mod zero_rating;

pub use order::{Kind, MAX_BODY_BYTES, Order, Target, is_over};
pub use person::{Act, Role};
pub use place::{Identity, NodeName, Person, Place, Word};
pub use province::{Province, neighbours};
pub use record::{ChainError, Event, Record, Sender};
pub use refusal::Refusal;
pub use registry::{Member, Registry, Standing, Welcome};
pub use report::{Acknowledged, Effect, KEPT_EFFECTS, Report, SILENT};
pub use token::{MAX_VALID, Secret, TokenId};
