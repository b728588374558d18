//! Television: linear HLS computed from the clock and the day plan.
//!
//! ```text
//! path ─► asked ─► days ─────────────► live | programme | main ─► text ─► answer
//! /channels/3/s2   yesterday, today,   a window | from its start |  bytes   headers,
//!        .m3u8     tomorrow as one     what there is to choose             conditions
//! ```
//!
//! Nothing is remembered between two requests: the media sequence number is the clock in segments, the discontinuity
//! number is in the plan. So a node that has just started says the same as one that has run for weeks, byte for byte, and
//! drift is nought by construction. Segments are those of the lessons' packages, which are on the node already.

mod answer;
mod asked;
mod days;
mod live;
mod main_playlist;
mod programme;
mod segments;
mod text;

pub use answer::{Answer, Kept};
pub use asked::{Asked, CHANNELS, Which};
pub use days::Days;
pub use text::{Playlist, Shown, show};

#[cfg(test)]
mod tests;
