//! The recipe: what is spent on each slot. Read from `config/ladder.toml`, checked once.

mod av1;
mod h264;
mod sounds;

pub use av1::Av1Recipe;
pub use h264::{H264Recipe, Keep, Preset, Profile, Tune};

use crate::plan::Spend;
use crate::title::Recipe;
use av1::Av1;
use h264::Rungs;
use package::{AudioSlot, Codec, Digest, Hasher, Slot};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use sounds::Sounds;
use std::path::Path;
use units::{BitRate, Span};

/// The ladder this release ships with.
pub const SHIPPED: &str = include_str!("../../../../config/ladder.toml");

/// Changes of this crate that change bytes for the same ladder. Part of the recipe's hash.
const REVISION: u32 = 4;

/// A GOP is a whole number of these, so that any two recipes cut at common instants.
const GOP_UNIT_MS: u128 = 1_600;

/// What is spent on each slot, as the file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// For people; in every manifest.
    pub name: String,
    /// From one IDR picture to the next: 1.6 s or 4.8 s.
    pub gop: Span,
    /// Bits for sound.
    pub audio: Sounds,
    /// Bits and effort for pictures in H.264.
    pub video: Rungs,
    /// The same for pictures in AV1.
    pub av1: Av1,
    /// How a lesson's own rates are found.
    pub title: Recipe,
}

impl Ladder {
    /// Reads and checks a ladder. `path` is for the error, which names file and line or the key.
    ///
    /// # Errors
    /// When it is no TOML, has an unknown or missing key, or a value that cannot be.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let ladder: Self = settings::parse(text, path)?;
        ladder.check()?;
        Ok(ladder)
    }

    /// The ladder this release ships with.
    ///
    /// # Errors
    /// Never in a release that passed its tests.
    pub fn shipped() -> Result<Self, SettingsError> {
        Self::parse(SHIPPED, Path::new("config/ladder.toml"))
    }

    fn check(&self) -> Result<(), SettingsError> {
        if self.name.is_empty() || self.name.len() > 64 || self.name.chars().any(char::is_control) {
            return Err(SettingsError::value("name", "must be 1 to 64 characters"));
        }
        let gop = self.gop.0.as_millis();
        if gop == 0 || !gop.is_multiple_of(GOP_UNIT_MS) || !u128::from(grid::SEGMENT_MS).is_multiple_of(gop) {
            return Err(SettingsError::value(
                "gop",
                "must be \"1.6s\" or \"4.8s\": a segment is a whole number of GOPs",
            ));
        }
        for (key, rate) in [("audio.hi", self.audio.hi), ("audio.lo", self.audio.lo)] {
            if !(16_000..=256_000).contains(&rate.0) {
                return Err(SettingsError::value(key, "must be from \"16kbit/s\" to \"256kbit/s\""));
            }
        }
        self.audio.check()?;
        for (slot, keys) in Slot::H264.into_iter().zip(h264::KEYS) {
            self.h264(slot).check(keys)?;
        }
        for (slot, keys) in Slot::AV1.into_iter().zip(av1::KEYS) {
            self.av1(slot).check(keys)?;
        }
        self.title.check()
    }

    /// How pictures of `slot`'s size are encoded in H.264.
    pub fn h264(&self, slot: Slot) -> &H264Recipe {
        match slot.in_h264() {
            Slot::S0 => &self.video.s0,
            Slot::S1 => &self.video.s1,
            Slot::S2 => &self.video.s2,
            Slot::S3 => &self.video.s3,
            Slot::S4 => &self.video.s4,
            _ => &self.video.s5,
        }
    }

    /// How pictures of `slot`'s size are encoded in AV1; the smallest like the smallest that is.
    pub fn av1(&self, slot: Slot) -> &Av1Recipe {
        match slot.in_h264() {
            Slot::S0 | Slot::S1 | Slot::S2 => &self.av1.a2,
            Slot::S3 => &self.av1.a3,
            Slot::S4 => &self.av1.a4,
            _ => &self.av1.a5,
        }
    }

    /// What is spent on `slot` where nothing is known of a lesson.
    pub fn usual(&self, slot: Slot) -> Spend {
        match slot.codec() {
            Codec::H264 => Spend { crf: self.h264(slot).crf, thinning: 1 },
            Codec::Av1 => Spend { crf: f64::from(self.av1(slot).crf), thinning: 1 },
        }
    }

    /// The best and the worst constant quality that `slot` may get, and by how much it is changed at least.
    pub fn range(&self, slot: Slot) -> ([f64; 2], f64) {
        match slot.codec() {
            Codec::H264 => (self.h264(slot).range, 0.5),
            Codec::Av1 => (self.av1(slot).range.map(f64::from), 1.0),
        }
    }

    /// Bits a second for `slot`.
    pub fn sound(&self, slot: AudioSlot) -> BitRate {
        match slot {
            AudioSlot::Hi => self.audio.hi,
            AudioSlot::Lo => self.audio.lo,
        }
    }

    /// Of everything that changes the output: this ladder, this code's revision, and `scaler`, the filter at hand.
    pub fn digest(&self, scaler: &str) -> Digest {
        let mut hasher = Hasher::new();
        hasher.update(&REVISION.to_be_bytes());
        hasher.update(scaler.as_bytes());
        hasher.update(&[0]);
        hasher.update(&serde_json::to_vec(self).expect("plain structs with string keys"));
        hasher.finish()
    }
}

/// The cap of a rung's bits, and its threads.
fn check_cap(
    (maxrate, buffer, threads): (BitRate, Span, u32),
    [rate_key, buffer_key, threads_key]: [&'static str; 3],
) -> Result<(), SettingsError> {
    if !(20_000..=100_000_000).contains(&maxrate.0) {
        return Err(SettingsError::value(rate_key, "must be from \"20kbit/s\" to \"100Mbit/s\""));
    }
    if !(100..=10_000).contains(&buffer.0.as_millis()) {
        return Err(SettingsError::value(buffer_key, "must be from \"100ms\" to \"10s\""));
    }
    if !(1..=16).contains(&threads) {
        return Err(SettingsError::value(threads_key, "must be from 1 to 16"));
    }
    Ok(())
}

/// Bits in a buffer that lasts for `buffer` at `maxrate`.
fn buffer_bits(maxrate: BitRate, buffer: Span) -> u64 {
    u64::try_from(u128::from(maxrate.0) * buffer.0.as_millis() / 1_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
