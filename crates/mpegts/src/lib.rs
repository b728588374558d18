//! A CMAF picture segment and a CMAF sound segment as one MPEG-TS segment, for devices that know no fMP4.
//!
//! ```text
//! init sections ─▶ track (avcC, esds)
//!                    │
//! moof, mdat ─▶ samples ─▶ access units (Annex B, ADTS) ─▶ PES ─▶ packets of 188 bytes, by delivery time
//! ```
//!
//! Nothing is coded again: what a device decodes is to the bit what fMP4 carries. Pure; the numbers of clauses are those
//! of ISO/IEC 13818-1:2019 (ITU-T H.222.0) unless another text is named.
//!
//! **Time.** The first picture of a lesson is shown at [`START_90KHZ`]. fMP4 lets pictures be shown before they are
//! decoded (negative composition offsets); MPEG-TS does not (2.7.5), so decode times are moved forward by as many
//! pictures as the sequence parameter set says are reordered. Presentation times stay exact.
//!
//! **Size.** One picture a PES packet, because players take the time of a picture from its packet's header: half a
//! packet and some 25 bytes a picture are the price. Sound is grouped where it fills packets best.

mod access_unit;
mod boxes;
mod error;
mod packets;
mod pes;
mod remux;
mod samples;
mod sps;
mod tables;
mod track;
mod units;

pub use boxes::BoxError;
pub use error::RemuxError;
pub use pes::{StreamId, WRAP, packet as pes_packet};
pub use remux::Remuxer;
pub use tables::checksum;
pub use units::{Frame, Picture, Tracks};

/// When the first picture of a lesson is shown, in ticks of 1/90,000 s: 10 s.
///
/// Not zero, because the first decode time lies before it, and a time below zero would be one of 26 hours. Ten seconds
/// are what Apple's own segmenter takes. Subtitles that go with these segments say
/// `X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000` (RFC 8216bis 3.1.4); those beside fMP4, whose media time starts
/// at zero, say `MPEGTS:0`.
pub const START_90KHZ: u64 = 900_000;
/// Bytes in every packet (2.4.3.2).
pub const PACKET_BYTES: usize = 188;
/// Ticks a second of time stamps (2.4.3.7).
pub const TICKS_PER_SECOND: u64 = 90_000;

#[cfg(test)]
mod tests;
