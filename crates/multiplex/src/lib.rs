//! Television: what is on the grid as one transport stream of constant rate, for satellite head-ends and IPTV.
//!
//! ```text
//! media of segments N−1, N ─┐
//! guide, service ───────────┼─▶ period N: clock ─▶ tables ─▶ sound ─▶ pictures ─▶ stuffing ─▶ n packets of 188 bytes
//! rate (n packets a period) ──┘
//! ```
//!
//! **Everything follows from the clock.** The stream has begun on 1 January 1970 and is cut into *periods* of 4.8 s, one a
//! segment of the grid, of `n` packets each. A packet's number since then says when it is sent, so what a period holds
//! depends on the segments, the guide and the rate, and on nothing that happened before: two senders started at
//! different times send the same bytes, and one can take over from the other in mid-period. Clock references are exact to
//! their packet's place. Continuity counters carry on because in every period each PID has a number of packets that is
//! known or a multiple of 16.
//!
//! **Time.** Segment N is delivered in period N and presented [`PRESENTED`] ticks after its period begins; the distance is
//! the decoder's buffer, in which a large picture has time to arrive. Pictures and sound of all programmes therefore
//! follow each other without a seam, and 33 bits run over as the standard says.
//!
//! Pure; clauses are those of ISO/IEC 13818-1:2019 unless EN 300 468 is named.

mod guide;
mod media;
mod period;
mod rate;
mod si;
mod slate;

pub use guide::{Event, Guide, Service, ServiceError};
pub use media::{Media, MediaError};
pub use period::{Multiplexer, Overflow};
pub use rate::{Rate, RateError, Sizes};
pub use slate::slate;

/// Ticks of 1/90,000 s in a period, and in a segment.
pub const PERIOD_90KHZ: u64 = grid::SEGMENT_MS * 90;
/// Ticks of 1/27,000,000 s in a period: clock references count these (2.4.2.2).
pub const PERIOD_27MHZ: u64 = PERIOD_90KHZ * 300;
/// From the start of a period until the first picture of its segment is shown: 1.5 s. An IDR picture may take nearly all of
/// it to arrive; a viewer who changes channels waits for it, and no decoder has to hold more than that of anything but
/// the peaks (2.14.3.1 allows 10 s).
pub const PRESENTED: u64 = 135_000;

/// When the first packet of period `number` is sent, in milliseconds since 1970.
pub const fn period_start_ms(number: u64) -> u64 {
    number * grid::SEGMENT_MS
}

#[cfg(test)]
mod tests;
