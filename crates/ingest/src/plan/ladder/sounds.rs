//! What is spent on sound.

use crate::sound::{Dbtp, Decibels, Lufs, Target};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use units::BitRate;

/// Bits a second for sound, and how loud it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sounds {
    /// Stereo.
    pub hi: BitRate,
    /// Mono.
    pub lo: BitRate,
    /// Integrated loudness that every lesson is brought to.
    pub loudness: Lufs,
    /// What no peak may pass.
    pub true_peak: Dbtp,
    /// The most that a quiet recording is lifted.
    pub max_boost: Decibels,
}

impl Sounds {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if !(-31.0..=-14.0).contains(&self.loudness.0) {
            return Err(SettingsError::value("audio.loudness", "must be from \"-31LUFS\" to \"-14LUFS\""));
        }
        if !(-9.0..=0.0).contains(&self.true_peak.0) {
            return Err(SettingsError::value("audio.true_peak", "must be from \"-9dBTP\" to \"0dBTP\""));
        }
        if !(0.0..=40.0).contains(&self.max_boost.0) {
            return Err(SettingsError::value("audio.max_boost", "must be from \"0dB\" to \"40dB\""));
        }
        Ok(())
    }

    /// What the sound is brought to.
    pub fn target(&self) -> Target {
        Target { loudness: self.loudness, ceiling: self.true_peak, max_boost: self.max_boost }
    }
}
