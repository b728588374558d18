//! Media time on one grid: segments of 4.8 s, sound at 48 kHz, pictures at 25, 30, 50 or 60 a second.
//!
//! 4.8 s is the shortest length near Apple's six seconds (HLS Authoring 7.5) that is a whole number of AAC
//! frames (225 × 1,024 samples) *and* of pictures at every rate we keep (120, 144, 240, 288). So every rung and
//! the sound cut at the same instants without rounding, a day is exactly 18,000 segments, and the sequence
//! numbers of a television channel are clock arithmetic. Media time is an integer throughout: a float here would
//! be a runt segment three months later.

mod rate;
mod span;

pub use rate::{FrameRate, UnsupportedRate};
pub use span::{SegmentCount, SegmentNumber, tail_padding};

use std::time::Duration;

/// One segment, as wall-clock time.
pub const SEGMENT: Duration = Duration::from_millis(4_800);
/// One segment in milliseconds.
pub const SEGMENT_MS: u64 = 4_800;
/// Samples a second of all sound we publish.
pub const AUDIO_RATE: u32 = 48_000;
/// Samples in one AAC-LC frame (ISO/IEC 14496-3).
pub const AAC_FRAME: u32 = 1_024;
/// AAC frames in one segment: 225.
pub const AAC_FRAMES_PER_SEGMENT: u32 = 225;
/// Samples in one segment: 230,400.
pub const SAMPLES_PER_SEGMENT: u32 = AAC_FRAME * AAC_FRAMES_PER_SEGMENT;
/// What EXT-X-TARGETDURATION says for this grid: 4.8 s rounded to a whole second (RFC 8216bis 4.4.3.1).
pub const TARGET_DURATION_S: u64 = 5;
/// Segments in a day of 24 hours.
pub const SEGMENTS_PER_DAY: u64 = 18_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_a_whole_number_of_aac_frames() {
        assert_eq!(u64::from(SAMPLES_PER_SEGMENT) * 1_000, SEGMENT_MS * u64::from(AUDIO_RATE));
    }

    #[test]
    fn a_day_is_a_whole_number_of_segments() {
        assert_eq!(SEGMENTS_PER_DAY * SEGMENT_MS, 24 * 3_600 * 1_000);
    }
}
