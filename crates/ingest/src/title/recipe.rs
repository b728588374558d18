//! How a lesson's own rates are found: a part of the ladder.

use serde::{Deserialize, Serialize};
use settings::SettingsError;

/// How a lesson's own rates are found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Without it every rung has the ladder's `crf`.
    pub search: bool,
    /// One segment in so many is tried; a lesson of fewer is not searched, for that would cost more than it saves.
    pub one_in: u32,
    /// But not more than this.
    pub most: u32,
    /// Every how many pictures of a trial are compared with what they should be.
    pub compare_every: u32,
    /// The second trial's CRF is so much higher than the first's; the ladder's lies between.
    pub step: f64,
    /// How many pictures the small rungs leave out where nothing moves but strokes.
    pub still: Thinned,
    /// And where only a camera in a corner does.
    pub camera: Thinned,
}

/// Every n-th picture of 25 or 30 a second is shown; 1: all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thinned {
    /// 256x144.
    pub s0: u32,
    /// 416x234.
    pub s1: u32,
}

impl Recipe {
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let whole = |key: &'static str, value: u32, most: u32| match value {
            1.. if value <= most => Ok(()),
            _ => Err(SettingsError::value(key, format!("must be from 1 to {most}"))),
        };
        whole("title.one_in", self.one_in, 10_000)?;
        whole("title.most", self.most, 100)?;
        whole("title.compare_every", self.compare_every, 120)?;
        for (key, thinned) in [("title.still", self.still), ("title.camera", self.camera)] {
            whole(key, thinned.s0, 8)?;
            whole(key, thinned.s1, 8)?;
        }
        if !(1.0..=12.0).contains(&self.step) {
            return Err(SettingsError::value("title.step", "must be from 1 to 12"));
        }
        Ok(())
    }
}
