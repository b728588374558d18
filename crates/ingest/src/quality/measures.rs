//! Everything that was measured of a lesson, ready to cross a pipe and to be joined.

use super::{PictureMeasures, SoundMeasures};
use crate::sound::{Loudness, Sides};
use serde::{Deserialize, Serialize};

/// How long things are, in milliseconds from the lesson's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lengths {
    /// Where the first picture was recorded; it is shown from the start.
    #[serde(default)]
    pub pictures_from_ms: u64,
    /// Where the last picture ends.
    pub pictures_ms: u64,
    /// Where the first sound begins.
    #[serde(default)]
    pub sound_from_ms: u64,
    /// Where the last sound ends; `None` without a sound track.
    pub sound_ms: Option<u64>,
    /// What the container says, if it says something.
    pub declared_ms: Option<u64>,
}

/// Facts about a lesson. No judgement.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// How long it is.
    pub lengths: Lengths,
    /// What was seen.
    pub pictures: PictureMeasures,
    /// What was heard; `None` without a sound track.
    pub sound: Option<SoundMeasures>,
    /// How loud it is, before anything is done about it; `None`: silence, or too short to tell.
    pub loudness: Option<Loudness>,
}

impl Measures {
    /// What the sides of its sound are to become.
    pub fn sides(&self) -> Sides {
        self.sound.as_ref().map_or(Sides::Kept, Sides::of)
    }

    /// How loud it is once its sides are what they are to become.
    pub fn loudness_behind_sides(&self) -> Option<Loudness> {
        self.loudness.map(|loudness| self.sides().loudness(loudness))
    }
}
