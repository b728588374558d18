//! Packets into pictures and sound with their times in the lesson.
//!
//! The source is read three ways: once whole ([`crate::survey`], and before it without decoding where it says that it is
//! too long, or as far as something is heard where it has several sound tracks), for the pictures of one chunk ([`pictures`]), and for its sound ([`sounds`]). All of them read every packet
//! from the first one, whatever they decode: only so is a mended clock the same for each. Reading costs a hundredth of
//! decoding.

mod extent;
mod heard;
mod packets;
mod pictures;
mod sounds;
mod steady;

pub(crate) use extent::extent;
pub(crate) use heard::is_heard;
pub(crate) use packets::{Packets, Track};
pub(crate) use pictures::PictureDecoder;
pub use pictures::{Found, pictures};
pub(crate) use sounds::SoundDecoder;
pub use sounds::sounds;

use crate::ffmpeg::{Picture, Sound};
use crate::timeline::Flicks;
use grid::SegmentCount;
use serde::{Deserialize, Serialize};
use std::sync::mpsc::SyncSender;

/// What flows to the filters.
pub enum Decoded<Frame, At> {
    /// A frame and where it belongs.
    Frame(Frame, At),
    /// Nothing follows.
    End,
}

/// Pictures with their slot.
pub type Pictures = SyncSender<Decoded<Picture, u64>>;
/// Sound with its time from the lesson's start.
pub type Sounds = SyncSender<Decoded<Sound, Flicks>>;

/// What was found on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// Stretches of the file that make no sense.
    pub unreadable: u64,
    /// Packets no decoder took.
    pub undecodable: u64,
    /// Pictures with guessed parts.
    pub guessed: u64,
    /// Cuts in the clock that were mended.
    pub jumps: u64,
    /// Time stamps that were wrong, one or some in a row.
    #[serde(default)]
    pub strays: u64,
}

impl Damage {
    /// Whether the viewer may notice.
    pub fn is_visible(self) -> bool {
        self.unreadable + self.undecodable + self.guessed > 0
    }
}

/// In a row, from one decoder: more means that it is stuck.
const MAX_DAMAGED_IN_A_ROW: u32 = 1_000;

/// The length of a lesson in segments, for pictures and sound that end there.
pub(crate) fn length(slots: u64, sound_end: Flicks, rate: grid::FrameRate) -> SegmentCount {
    let pictures_end = Flicks::from_ticks(slots.cast_signed(), (1, rate.per_second().cast_signed()));
    let pictures = slots.div_ceil(u64::from(rate.per_segment()));
    let pictures = SegmentCount(u32::try_from(pictures).unwrap_or(u32::MAX));
    if sound_end.minus(pictures_end) <= SOUND_OVERHANG {
        return pictures;
    }
    pictures.max(SegmentCount::covering(sound_end.minus(SOUND_OVERHANG).to_duration()))
}

/// Sound that runs on behind the pictures by up to this does not make another segment: encoders fill their last frame.
const SOUND_OVERHANG: Flicks = Flicks::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use grid::FrameRate;

    #[test]
    fn a_lesson_is_as_long_as_pictures_and_sound_need() {
        let millis = Flicks::from_millis;
        for (slots, sound_ms, segments, case) in [
            (30_000, 1_200_000, 250, "twenty minutes exactly"),
            (30_000, 1_200_064, 250, "the sound encoder filled its last frame"),
            (30_001, 1_200_000, 251, "one picture more"),
            (30_000, 1_201_000, 251, "a second of sound more"),
            (30_000, 4_000, 250, "sound that ends early"),
            (1, 0, 1, "one picture"),
            (1, 60_000, 13, "a still with a minute of sound"),
        ] {
            assert_eq!(length(slots, millis(sound_ms), FrameRate::Fps25), SegmentCount(segments), "{case}");
        }
    }
}
