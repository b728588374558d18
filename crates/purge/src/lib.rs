//! Signed orders to forget what is cached: who makes one and who obeys it read the same few types.
//!
//! `order` (what is to go) → `signed` (who says so, over which bytes) → `rules` (whether it is obeyed, at a given time) →
//! `seen` (never twice) → `report` (what came of it). No I/O and no clock: the caller passes `now`.
//!
//! ```json
//! {"order":"{\"kind\":\"airclass-purge/1\",\"id\":\"<32 hexadecimal digits>\",
//!    \"made_at\":\"2026-09-01T08:00:00Z\",\"expires_at\":\"2026-09-01T08:01:00Z\",
//!    \"what\":{\"prefix\":\"https://lessons.example/lessons/7/\"},\"mode\":\"soft\"}",
//!  "signatures":[{"key_id":"0a1b2c3d4e5f6071","signature":"<128 hexadecimal digits>"}]}
//! ```
//! The order travels as a text inside of the envelope, so that what was signed are bytes and not a way to write JSON; and it
//! names its kind, so that no other paper signed by the same key can be taken for one.

mod order;
mod place;
mod refusal;
mod report;
mod rules;
mod seen;
mod signed;
mod surrogate;

pub use order::{Group, Mode, Order, OrderId, What};
pub use place::{Place, bare_host};
pub use refusal::Refusal;
pub use report::{MAX_URLS_TOLD, Refused, Report, Tiers};
pub use rules::{Accepted, MAX_LIFE, Rules};
pub use seen::{MAX_SEEN, Seen};
pub use signed::{MAX_ENVELOPE_BYTES, Signed};
pub use surrogate::{FIELDS, MAX_KEY_BYTES, MAX_KEYS, SurrogateKey, carries};
