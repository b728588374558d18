//! Two sides that are not a left and a right: a microphone in one of two sockets, a plug that turns one side over. Pure.
//!
//! Who listens with one earphone, or on a telephone's one loudspeaker, would hear half of it or nothing.

use super::Loudness;
use crate::quality::SoundMeasures;
use serde::{Deserialize, Serialize};

/// What the sides of a recording become before they are encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sides {
    /// As they were recorded.
    #[default]
    Kept,
    /// Each gets both: a voice that comes from one side only, or the teacher's from one and the pupils' from the other.
    Joined,
    /// The right one is turned over.
    Turned,
}

/// So much of what is said has to be so, in percent: a film shown within the lesson is in stereo.
const MOSTLY: u64 = 90;

impl Sides {
    /// What sound like this needs.
    pub fn of(heard: &SoundMeasures) -> Self {
        let mostly = |ms: u64| ms > 0 && ms * 100 >= heard.sounding_ms * MOSTLY;
        if mostly(heard.left_only_ms + heard.right_only_ms) {
            Self::Joined
        } else if mostly(heard.turned_over_ms) {
            Self::Turned
        } else {
            Self::Kept
        }
    }

    /// How loud a recording of `loudness` is behind it.
    #[must_use]
    pub fn loudness(self, loudness: Loudness) -> Loudness {
        match self {
            Self::Kept | Self::Turned => loudness,
            // Two loudspeakers instead of one play it: twice the power. Where both sides had something, peaks may meet.
            Self::Joined => Loudness {
                integrated_lufs: loudness.integrated_lufs + 10.0 * 2f64.log10(),
                true_peak_dbtp: loudness.true_peak_dbtp + 20.0 * 2f64.log10(),
                ..loudness
            },
        }
    }

    /// FFmpeg's filter for it, for stereo; `None` where there is nothing to do.
    pub fn filter(self) -> Option<&'static str> {
        match self {
            Self::Kept => None,
            Self::Joined => Some("pan=stereo|c0=c0+c1|c1=c0+c1"),
            Self::Turned => Some("pan=stereo|c0=c0|c1=-1*c1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_nearly_always_so_is_changed() {
        for (left, right, over, sides, case) in [
            (0, 0, 0, Sides::Kept, "stereo, or mono in both"),
            (1_000, 0, 0, Sides::Joined, "a microphone on the left"),
            (0, 900, 0, Sides::Joined, "one on the right, and a film"),
            (800, 150, 0, Sides::Joined, "the teacher left, pupils right"),
            (899, 0, 0, Sides::Kept, "much of it in stereo"),
            (0, 0, 900, Sides::Turned, "the wrong plug"),
            (0, 0, 500, Sides::Kept, "half of it from the wrong plug"),
        ] {
            let heard = SoundMeasures {
                sounding_ms: 1_000,
                left_only_ms: left,
                right_only_ms: right,
                turned_over_ms: over,
                ..SoundMeasures::default()
            };
            assert_eq!(Sides::of(&heard), sides, "{case}");
        }
        assert_eq!(Sides::of(&SoundMeasures::default()), Sides::Kept, "silence");
    }
}
