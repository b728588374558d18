//! A lesson in pieces that are worked on by themselves. Pure.
//!
//! A chunk is 25 segments, two minutes: what a crash may cost, and what spreads over workers and machines. Every chunk
//! is encoded from a fresh encoder and decoded from the key picture that the survey chose, so its bytes depend on the
//! source and the plan and on nothing else: not on how many workers there are, nor on which of them died.

use crate::cadence::Cadence;
use crate::timeline::Flicks;
use grid::{FrameRate, SegmentCount, SegmentNumber};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Segments in a chunk; the last one of a lesson may have fewer.
pub const CHUNK_SEGMENTS: u32 = 25;

/// A run of segments that is encoded as one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Chunk {
    /// From 0.
    pub index: u32,
    /// Its first segment.
    pub first: SegmentNumber,
    /// How many, at least 1.
    pub segments: SegmentCount,
}

/// Where a chunk's pictures come from: found by decoding the whole source once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The packet to begin decoding with, counted over the packets of the pictures' stream. A key picture.
    pub packet: u64,
    /// The first picture to be placed, by its time in the lesson; `None`: whichever comes first.
    ///
    /// A few pictures before the chunk's own, so that filters which look back have something to look at, and so that
    /// the picture shown when the chunk begins is among them.
    pub picture: Option<Flicks>,
    /// What was placed before it.
    pub cadence: Cadence,
}

impl Chunk {
    /// The chunks of a lesson, in order.
    pub fn of(lesson: SegmentCount) -> impl Iterator<Item = Self> {
        (0..lesson.0.div_ceil(CHUNK_SEGMENTS)).map(move |index| {
            let first = index * CHUNK_SEGMENTS;
            let segments = SegmentCount(CHUNK_SEGMENTS.min(lesson.0 - first));
            Self { index, first: SegmentNumber(first), segments }
        })
    }

    /// The places of its pictures in the lesson.
    pub fn slots(&self, rate: FrameRate) -> Range<u64> {
        let first = SegmentCount(self.first.0).pictures(rate);
        first..first + self.segments.pictures(rate)
    }

    /// Its time in the lesson, in milliseconds.
    pub fn millis(&self) -> Range<u64> {
        let first = SegmentCount(self.first.0).millis();
        first..first + self.segments.millis()
    }
}

impl Entry {
    /// Of a lesson's first chunk.
    pub fn first(rate: FrameRate) -> Self {
        Self { packet: 0, picture: None, cadence: Cadence::new(rate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_a_lesson_without_gap_or_overlap() {
        for segments in [1, 24, 25, 26, 250, 251] {
            let chunks: Vec<Chunk> = Chunk::of(SegmentCount(segments)).collect();
            let mut next = 0;
            for (index, chunk) in chunks.iter().enumerate() {
                assert_eq!((chunk.index as usize, chunk.first.0), (index, next));
                assert!((1..=CHUNK_SEGMENTS).contains(&chunk.segments.0));
                next += chunk.segments.0;
            }
            assert_eq!(next, segments);
        }
        assert_eq!(Chunk::of(SegmentCount(0)).count(), 0);
        let second = Chunk::of(SegmentCount(26)).nth(1).unwrap();
        assert_eq!(second.slots(FrameRate::Fps25), 3_000..3_120);
    }
}
