//! Whole segments: their numbers, how many a lesson takes, and the padding of its tail.

use crate::{AAC_FRAMES_PER_SEGMENT, FrameRate, SAMPLES_PER_SEGMENT, SEGMENT_MS};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A segment's place in its rendition, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentNumber(pub u32);

/// How many segments something lasts. Never a fraction: tails are padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentCount(pub u32);

impl SegmentCount {
    /// The fewest segments that hold `length`. Zero only for zero.
    pub fn covering(length: Duration) -> Self {
        let segment = u128::from(SEGMENT_MS) * 1_000_000;
        Self(u32::try_from(length.as_nanos().div_ceil(segment)).unwrap_or(u32::MAX))
    }

    /// Pictures in this many segments at `rate`.
    pub fn pictures(self, rate: FrameRate) -> u64 {
        u64::from(self.0) * u64::from(rate.per_segment())
    }

    /// AAC frames in this many segments.
    pub fn aac_frames(self) -> u64 {
        u64::from(self.0) * u64::from(AAC_FRAMES_PER_SEGMENT)
    }

    /// Samples at 48 kHz in this many segments.
    pub fn samples(self) -> u64 {
        u64::from(self.0) * u64::from(SAMPLES_PER_SEGMENT)
    }

    /// Milliseconds, exactly.
    pub fn millis(self) -> u64 {
        u64::from(self.0) * SEGMENT_MS
    }

    /// The same as a duration.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.millis())
    }

    /// All segment numbers, in order.
    pub fn numbers(self) -> impl Iterator<Item = SegmentNumber> {
        (0..self.0).map(SegmentNumber)
    }
}

/// What is missing behind `length` up to the next segment boundary: held picture and silence fill it.
pub fn tail_padding(length: Duration) -> Duration {
    SegmentCount::covering(length).duration().saturating_sub(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_minutes_are_250_segments() {
        let lesson = SegmentCount::covering(Duration::from_secs(20 * 60));
        assert_eq!(lesson, SegmentCount(250));
        assert_eq!(lesson.pictures(FrameRate::Fps25), 30_000);
        assert_eq!(lesson.samples(), 20 * 60 * 48_000);
        assert_eq!(tail_padding(Duration::from_secs(20 * 60)), Duration::ZERO);
    }

    #[test]
    fn a_nanosecond_more_takes_one_segment_more() {
        assert_eq!(SegmentCount::covering(Duration::from_nanos(4_800_000_001)), SegmentCount(2));
        assert_eq!(SegmentCount::covering(Duration::ZERO), SegmentCount(0));
    }
}
