//! Where the muxer's bytes are cut, and whether every piece lies on the grid. Pure.
//!
//! A muxer counts from the beginning of its chunk; here its pieces get their place in the lesson.

use crate::cmaf::{BoxError, Boxes, Coding, Fragment, FragmentError, Init, InitError, Media, place};
use grid::{AAC_FRAMES_PER_SEGMENT, AUDIO_RATE, FrameRate, SAMPLES_PER_SEGMENT, SEGMENT_MS, SegmentNumber};
use package::{Codec, Slot};

/// Ticks a second of every picture track: all rates of the grid divide it, and MPEG-TS counts the same.
const VIDEO_TIMESCALE: u32 = 90_000;

/// What a track must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Track {
    /// Ticks a second.
    pub timescale: u32,
    /// Ticks in a segment.
    pub segment_ticks: u64,
    /// Samples in a segment: pictures or AAC frames.
    pub segment_samples: u32,
    /// What it carries.
    pub media: Media,
    /// How that is coded.
    pub coding: Coding,
}

impl Track {
    /// Every `thinning`th picture of `rate` in the size of `slot`.
    pub fn video(rate: FrameRate, slot: Slot, thinning: u32) -> Self {
        let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
        Self {
            timescale: VIDEO_TIMESCALE,
            segment_ticks: u64::from(VIDEO_TIMESCALE) * SEGMENT_MS / 1_000,
            segment_samples: rate.per_segment() / thinning.max(1),
            media: Media::Video { width: side(slot.width()), height: side(slot.height()) },
            coding: match slot.codec() {
                Codec::H264 => Coding::H264,
                Codec::Av1 => Coding::Av1,
            },
        }
    }

    /// Sound.
    pub fn sound(channels: u32) -> Self {
        Self {
            timescale: AUDIO_RATE,
            segment_ticks: u64::from(SAMPLES_PER_SEGMENT),
            segment_samples: AAC_FRAMES_PER_SEGMENT,
            media: Media::Audio { channels: u8::try_from(channels).unwrap_or(0), rate: AUDIO_RATE },
            coding: Coding::Aac,
        }
    }
}

/// Why bytes are no segment of the track. Any of these stops the ingest: nothing of it is published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// Boxes that make no sense.
    #[error(transparent)]
    Box(#[from] BoxError),
    /// The init section breaks a rule.
    #[error(transparent)]
    Init(#[from] InitError),
    /// The segment breaks a rule.
    #[error(transparent)]
    Fragment(#[from] FragmentError),
    /// There was no init section in front of the first segment, or another one later.
    #[error("segment {0}: the init section comes at another place than before the first segment")]
    InitPlace(u32),
    /// The init section is of another track.
    #[error("the init section says {0:?}, not what was asked for")]
    OtherTrack(Box<Init>),
    /// Not on the grid (Apple 7.3, 8.1; RFC 8216bis 6.2.4).
    #[error(
        "segment {number}: starts at {at} and lasts {lasts} ticks with {samples} samples instead of {want_at}, {want_lasts}, {want_samples}"
    )]
    OffGrid {
        /// Which segment.
        number: u32,
        /// First decode time.
        at: u64,
        /// Sum of durations.
        lasts: u64,
        /// Samples.
        samples: u32,
        /// As the grid has it.
        want_at: u64,
        /// As the grid has it.
        want_lasts: u64,
        /// As the grid has it.
        want_samples: u32,
    },
    /// The first picture is shown at another time than the segment starts: sound would be early or late.
    #[error("segment {number}: its first picture is shown {ticks} ticks off its start")]
    FirstShown {
        /// Which segment.
        number: u32,
        /// How far.
        ticks: i64,
    },
    /// Apple 7.4: every video segment starts with an IDR picture, or what is the same in AV1.
    #[error("segment {0}: does not start with a picture that needs none before it")]
    NoIdr(u32),
}

/// An init section on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutInit {
    /// RFC 6381.
    pub codecs: String,
    /// `ftyp` and `moov`.
    pub bytes: Vec<u8>,
}

/// A segment on its way out, and before the first one the init section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// With the first segment only.
    pub init: Option<CutInit>,
    /// From 0.
    pub number: SegmentNumber,
    /// One `moof` and its `mdat`.
    pub segment: Vec<u8>,
}

/// Takes what the muxer wrote for one segment after another.
#[derive(Debug)]
pub struct Cutter {
    track: Track,
    first: u32,
    next: u32,
}

impl Cutter {
    /// For the track, whose muxer begins with segment `first` of the lesson.
    pub fn new(track: Track, SegmentNumber(first): SegmentNumber) -> Self {
        Self { track, first, next: first }
    }

    /// Checks the next segment; `bytes` is all that was written since the one before.
    ///
    /// # Errors
    /// When anything is not as it must be.
    pub fn cut(&mut self, mut bytes: Vec<u8>) -> Result<Cut, CutError> {
        let number = self.next;
        let head = init_length(&bytes)?;
        if (head > 0) != (number == self.first) {
            return Err(CutError::InitPlace(number));
        }
        let mut segment = bytes.split_off(head);
        let begin = u64::from(self.first) * self.track.segment_ticks;
        place(&mut segment, number.saturating_add(1), begin)?;
        let init = if head > 0 { Some(self.init(bytes)?) } else { None };
        self.check(number, &segment)?;
        self.next += 1;
        Ok(Cut { init, number: SegmentNumber(number), segment })
    }

    fn init(&self, bytes: Vec<u8>) -> Result<CutInit, CutError> {
        let init = Init::parse(&bytes)?;
        let track = &self.track;
        if (init.media, init.coding, init.timescale) != (track.media, track.coding, track.timescale) {
            return Err(CutError::OtherTrack(Box::new(init)));
        }
        Ok(CutInit { codecs: init.codecs, bytes })
    }

    fn check(&self, number: u32, segment: &[u8]) -> Result<(), CutError> {
        let track = &self.track;
        let fragment = Fragment::parse(segment, track.coding)?;
        let want_at = u64::from(number) * track.segment_ticks;
        let (at, lasts, samples) = (fragment.decode_time, fragment.duration, fragment.samples);
        if (at, lasts, samples) != (want_at, track.segment_ticks, track.segment_samples) {
            let (want_lasts, want_samples) = (track.segment_ticks, track.segment_samples);
            return Err(CutError::OffGrid { number, at, lasts, samples, want_at, want_lasts, want_samples });
        }
        if fragment.first_offset != 0 || fragment.earliest != 0 {
            let ticks = if fragment.first_offset == 0 { fragment.earliest } else { fragment.first_offset };
            return Err(CutError::FirstShown { number, ticks });
        }
        if !fragment.starts_afresh {
            return Err(CutError::NoIdr(number));
        }
        Ok(())
    }
}

/// Bytes of `ftyp` and `moov` at the start; 0 when there are none.
fn init_length(bytes: &[u8]) -> Result<usize, BoxError> {
    let mut length = 0;
    for item in Boxes::of(bytes) {
        let (kind, content) = item?;
        if !matches!(&kind, b"ftyp" | b"moov") {
            break;
        }
        // Our muxer writes neither with a 64-bit size: a header is 8 bytes.
        length += content.len() + 8;
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
