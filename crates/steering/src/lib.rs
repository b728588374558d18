//! Which node a student is sent to: one decision behind an HLS steering manifest, a JSON answer for apps, and DNS.
//!
//! ```text
//! reports ─► roster (who may be named, with room for how much) ─┐
//! address ─► networks ─► near (province and carrier) ───────────┴─► choose ─► nodes, the best first
//!                                                       loads ◄──── grant
//! ```
//! Nearness comes first: same province and carrier, the carrier in a neighbouring province, the carrier anywhere, anybody.
//! Within one ring every student prefers one node by weighted rendezvous over the owners' limits: load is in proportion to
//! limits, and a node that leaves moves its own students and no others. Who plays somewhere stays there while that node
//! may be named at all. A node is named as long as what it sends and what has been promised of it leave room below its
//! owner's limit. Media is never redirected: a student is told of a node before or between segments, by name.
//!
//! No I/O and no clock: the caller passes `now`.

mod choose;
mod loads;
mod networks;
mod roster;

pub use choose::{Choice, Ring, Student, choose};
pub use loads::{Loads, SETTLED};
pub use networks::{MAX_NETWORKS, Near, Networks, NetworksError};
pub use roster::{Candidate, DEAD_AFTER, Hearing, Roster, hash, without_address};
