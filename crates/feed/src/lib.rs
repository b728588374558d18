//! A channel as a transport stream of constant rate, for a satellite's head-end or an IPTV network.
//!
//! ```text
//! plans ─▶ line ─────▶ library ─────▶ maker ────────▶ pace ───▶ send
//! signed,  what is on  its segments,  periods of 4.8 s  each at   UDP, SRT,
//! by date  in segment  or the slate   (multiplex)     its time  file
//! ```
//!
//! What is sent at an instant follows from plan and clock alone (see [`multiplex`]): two feeds of one plan send the same
//! packets, so one may stand by for the other. A program of its own, because it links libsrt and a node that carries
//! students does not.

mod check;
mod clock;
mod destination;
mod library;
mod line;
mod maker;
mod metrics;
mod options;
mod pace;
mod run;
mod send;
mod sender;
mod srt;

pub use check::{CheckOptions, check};
pub use destination::{Destination, InvalidDestination, SrtMode, SrtOptions, UdpOptions};
pub use options::{Config, FeedError, Options};
pub use run::run;
pub use srt::leave;

#[cfg(test)]
mod tests;
