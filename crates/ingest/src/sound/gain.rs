//! From what was measured to what is done: one gain for the whole lesson. Pure.

use super::{Dbtp, Decibels, Loudness, Lufs};
use serde::{Deserialize, Serialize};

/// What every lesson's sound is brought to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Integrated loudness.
    pub loudness: Lufs,
    /// What no peak may pass in what students hear.
    pub ceiling: Dbtp,
    /// The most that a quiet recording is lifted: what it holds of hiss and hum is lifted with it.
    pub max_boost: Decibels,
}

/// What is done to the sound before it is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// Added to every sample, in decibels.
    pub db: f64,
    /// Peaks are held below this, in dBTP; `None` when the gain lifts none so far.
    pub limit: Option<f64>,
}

/// AAC at 32 to 64 kbit/s does not give a peak back as it was: that much is left below the ceiling for it.
///
/// EBU Tech 3343 asks for 1 dB at high rates and more at low ones; on the loudest sounds of the tests 1.5 dB were
/// enough for both renditions.
pub const CODING_HEADROOM: f64 = 1.5;
/// Quieter than this is no voice but the noise of a room: lifting it makes nothing audible but hiss.
const NOTHING_SAID: f64 = -55.0;

impl Gain {
    /// The sound as it is.
    pub const NONE: Self = Self { db: 0.0, limit: None };

    /// Whether samples change.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// The gain that brings `loudness` to `target`; none for silence and for what is too short to be measured.
pub fn gain(loudness: Option<&Loudness>, target: &Target) -> Gain {
    let Some(loudness) = loudness.filter(|loudness| loudness.integrated_lufs >= NOTHING_SAID) else {
        return Gain::NONE;
    };
    let wanted = target.loudness.0 - loudness.integrated_lufs;
    // Hundredths: what is measured a little differently is encoded alike.
    let db = (wanted.min(target.max_boost.0) * 100.0).round() / 100.0;
    let limit = target.ceiling.0 - CODING_HEADROOM;
    Gain { db, limit: (loudness.true_peak_dbtp + db > limit).then_some(limit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target = Target { loudness: Lufs(-18.0), ceiling: Dbtp(-1.0), max_boost: Decibels(15.0) };

    fn heard(integrated_lufs: f64, true_peak_dbtp: f64) -> Loudness {
        Loudness { integrated_lufs, true_peak_dbtp, range_lu: 6.0 }
    }

    #[test]
    fn one_number_brings_a_lesson_to_the_target() {
        let limit = Some(-2.5);
        for (lufs, peak, db, limit, case) in [
            (-18.0, -4.0, 0.0, None, "right already"),
            (-23.0, -9.0, 5.0, None, "as television delivers it"),
            (-23.0, -1.0, 5.0, limit, "as television delivers it, to the brim"),
            (-9.0, 0.5, -9.0, None, "far too loud: turned down, nothing to limit"),
            (-30.0, -14.0, 12.0, limit, "a microphone at the far end of the room"),
            (-40.0, -25.0, 15.0, None, "quiet beyond help: lifted as far as its noise allows"),
            (-18.0, -0.2, 0.0, limit, "right, but its peaks would clip behind the encoder"),
            (-56.0, -40.0, 0.0, None, "an empty room"),
        ] {
            assert_eq!(gain(Some(&heard(lufs, peak)), &TARGET), Gain { db, limit }, "{case}");
        }
        assert!(gain(None, &TARGET).is_none(), "silence");
    }

    #[test]
    fn nearly_the_same_measure_is_the_same_gain() {
        let [one, other] = [-23.000_01, -22.999_99].map(|lufs| gain(Some(&heard(lufs, -9.0)), &TARGET));
        assert_eq!(one, other);
    }
}
