//! The control service of the fleet: who may be a node, what nodes are told, and who has obeyed.
//!
//! ```text
//! server ─► caller ─► door ─► desk ─► registry (crate fleet: decides) ─► record ─► store ─┬─ files: one machine
//! (TLS)     (whose    (what is  │                                                        └─ nats: JetStream, any number
//!           certificate) asked) └─► authority (certificates), bodies, reports
//! ```
//! No student's request ever comes here, and no node waits for it: when all of this is gone, nodes serve what they hold.

mod authority;
mod caller;
mod clock;
mod desk;
mod door;
mod error;
mod feed;
mod metrics;
mod options;
mod server;
mod store;

pub use authority::{Authority, Issued};
pub use error::ControlError;
pub use options::{Config, Options};
pub use server::run;
