//! The recipe: what is spent on each slot. Read from `config/ladder.toml`, checked once.

use crate::plan::Spend;
use crate::sound::{Dbtp, Decibels, Lufs, Target};
use crate::title::Recipe;
use package::{AudioSlot, Codec, Digest, Hasher, Slot};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use std::path::Path;
use units::{BitRate, Span};

/// The ladder this release ships with.
pub const SHIPPED: &str = include_str!("../../../../config/ladder.toml");

/// Changes of this crate that change bytes for the same ladder. Part of the recipe's hash.
const REVISION: u32 = 3;

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

/// One rung a slot; all six must be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rungs {
    /// 256x144.
    pub s0: H264Recipe,
    /// 416x234.
    pub s1: H264Recipe,
    /// 640x360.
    pub s2: H264Recipe,
    /// 960x540.
    pub s3: H264Recipe,
    /// 1280x720.
    pub s4: H264Recipe,
    /// 1920x1080.
    pub s5: H264Recipe,
}

/// How one slot is encoded in H.264.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct H264Recipe {
    /// H.264 profile.
    pub profile: Profile,
    /// x264's effort.
    pub preset: Preset,
    /// What x264 aims at.
    pub tune: Tune,
    /// Constant quality where no title's own was found: 0 best, 51 worst; about 6 halve the bits.
    pub crf: f64,
    /// The best and the worst that a title may get.
    pub range: [f64; 2],
    /// How like the original a title's pictures of this size have to stay, in AV1 as well.
    pub keep: Keep,
    /// Bits a second that the quality may cost over `buffer`.
    pub maxrate: BitRate,
    /// How long `maxrate` may be exceeded from a full buffer: the VBV buffer is `maxrate` × `buffer`.
    pub buffer: Span,
    /// Threads inside the encoder. Another number is another recipe: x264's bytes change with it.
    pub threads: u32,
}

/// What a title's own quality has to keep, as structural similarity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Of all planes, over all pictures.
    pub ssim: f64,
    /// Of the worst twentieth of windows with writing.
    pub text: f64,
}

/// AV1; all four slots must be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Av1 {
    /// Whether AV1 is made at all. It takes as much CPU again as all of H.264.
    pub enabled: bool,
    /// 640x360.
    pub a2: Av1Recipe,
    /// 960x540.
    pub a3: Av1Recipe,
    /// 1280x720.
    pub a4: Av1Recipe,
    /// 1920x1080.
    pub a5: Av1Recipe,
}

/// How one slot is encoded in AV1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Av1Recipe {
    /// SVT-AV1's effort: 0 most, 12 least.
    pub preset: u32,
    /// SVT-AV1's own parameters, `name=value:name=value`; one it does not know is refused when the encoder opens.
    pub parameters: String,
    /// Constant quality where no title's own was found, in whole steps: 1 best, 63 worst; about 8 halve the bits.
    pub crf: u32,
    /// The best and the worst that a title may get.
    pub range: [u32; 2],
    /// Bits a second that the quality may cost over `buffer`.
    pub maxrate: BitRate,
    /// How long `maxrate` may be exceeded.
    pub buffer: Span,
    /// `lp`: how many processors SVT-AV1 makes threads for.
    pub threads: u32,
}

/// What x264 aims at, besides what its presets say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tune {
    /// What looks good to people, by x264's psychovisual model.
    None,
    /// What structural similarity measures: no psychovisual model, which spends bits on grain.
    Ssim,
    /// Slides that stand still.
    Stillimage,
    /// Flat areas and sharp lines.
    Animation,
}

/// What a decoder must be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Constrained Baseline: no B pictures, no CABAC. Every phone since 2007.
    Baseline,
    /// B pictures and CABAC.
    Main,
    /// 8×8 transforms as well.
    High,
}

/// x264's presets, fastest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "x264's own names; its manual says what each does")]
pub enum Preset {
    Ultrafast,
    Superfast,
    Veryfast,
    Faster,
    Fast,
    Medium,
    Slow,
    Slower,
    Veryslow,
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
        for (slot, keys) in Slot::H264.into_iter().zip(H264_KEYS) {
            self.h264(slot).check(keys)?;
        }
        for (slot, keys) in Slot::AV1.into_iter().zip(AV1_KEYS) {
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

const H264_KEYS: [[&str; 6]; 6] = [
    [
        "video.s0.crf",
        "video.s0.range",
        "video.s0.keep",
        "video.s0.maxrate",
        "video.s0.buffer",
        "video.s0.threads",
    ],
    [
        "video.s1.crf",
        "video.s1.range",
        "video.s1.keep",
        "video.s1.maxrate",
        "video.s1.buffer",
        "video.s1.threads",
    ],
    [
        "video.s2.crf",
        "video.s2.range",
        "video.s2.keep",
        "video.s2.maxrate",
        "video.s2.buffer",
        "video.s2.threads",
    ],
    [
        "video.s3.crf",
        "video.s3.range",
        "video.s3.keep",
        "video.s3.maxrate",
        "video.s3.buffer",
        "video.s3.threads",
    ],
    [
        "video.s4.crf",
        "video.s4.range",
        "video.s4.keep",
        "video.s4.maxrate",
        "video.s4.buffer",
        "video.s4.threads",
    ],
    [
        "video.s5.crf",
        "video.s5.range",
        "video.s5.keep",
        "video.s5.maxrate",
        "video.s5.buffer",
        "video.s5.threads",
    ],
];

const AV1_KEYS: [[&str; 6]; 4] = [
    ["av1.a2.preset", "av1.a2.crf", "av1.a2.range", "av1.a2.maxrate", "av1.a2.buffer", "av1.a2.threads"],
    ["av1.a3.preset", "av1.a3.crf", "av1.a3.range", "av1.a3.maxrate", "av1.a3.buffer", "av1.a3.threads"],
    ["av1.a4.preset", "av1.a4.crf", "av1.a4.range", "av1.a4.maxrate", "av1.a4.buffer", "av1.a4.threads"],
    ["av1.a5.preset", "av1.a5.crf", "av1.a5.range", "av1.a5.maxrate", "av1.a5.buffer", "av1.a5.threads"],
];

impl Sounds {
    fn check(&self) -> Result<(), SettingsError> {
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

impl H264Recipe {
    fn check(
        &self,
        [crf, range, keep, maxrate, buffer, threads]: [&'static str; 6],
    ) -> Result<(), SettingsError> {
        let scale = 0.0..=51.0;
        if !scale.contains(&self.crf) {
            return Err(SettingsError::value(crf, "must be from 0 (lossless) to 51"));
        }
        let [best, worst] = self.range;
        if !scale.contains(&best) || !scale.contains(&worst) || best > worst {
            return Err(SettingsError::value(range, "must be the best and the worst CRF, from 0 to 51"));
        }
        let part = 0.5..1.0;
        if !part.contains(&self.keep.ssim) || !part.contains(&self.keep.text) {
            return Err(SettingsError::value(keep, "must be from 0.5 to below 1"));
        }
        check_cap((self.maxrate, self.buffer, self.threads), [maxrate, buffer, threads])
    }

    /// Bits in the VBV buffer.
    pub fn buffer_bits(&self) -> u64 {
        buffer_bits(self.maxrate, self.buffer)
    }
}

impl Av1Recipe {
    fn check(
        &self,
        [preset, crf, range, maxrate, buffer, threads]: [&'static str; 6],
    ) -> Result<(), SettingsError> {
        if self.preset > 12 {
            return Err(SettingsError::value(preset, "must be from 0 (slowest) to 12"));
        }
        let scale = 1..=63;
        if !scale.contains(&self.crf) {
            return Err(SettingsError::value(crf, "must be from 1 to 63"));
        }
        let [best, worst] = self.range;
        if !scale.contains(&best) || !scale.contains(&worst) || best > worst {
            return Err(SettingsError::value(range, "must be the best and the worst CRF, from 1 to 63"));
        }
        check_cap((self.maxrate, self.buffer, self.threads), [maxrate, buffer, threads])
    }

    /// Bits in the buffer.
    pub fn buffer_bits(&self) -> u64 {
        buffer_bits(self.maxrate, self.buffer)
    }
}

impl Tune {
    /// libx264's name; `None`: nothing is asked for.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Ssim => Some("ssim"),
            Self::Stillimage => Some("stillimage"),
            Self::Animation => Some("animation"),
        }
    }
}

impl Profile {
    /// libx264's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Main => "main",
            Self::High => "high",
        }
    }
}

impl Preset {
    /// libx264's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Superfast => "superfast",
            Self::Veryfast => "veryfast",
            Self::Faster => "faster",
            Self::Fast => "fast",
            Self::Medium => "medium",
            Self::Slow => "slow",
            Self::Slower => "slower",
            Self::Veryslow => "veryslow",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faults::Fault;

    #[test]
    fn the_shipped_ladder_is_valid_and_s0_stays_within_apples_limit() {
        let ladder = Ladder::shipped().unwrap();
        // Apple 9.21: at most 192 kbit/s with sound. A segment's worst case is its own rate and one full buffer;
        // boxes take about 16 bytes a picture and 8 a sound frame.
        let s0 = ladder.h264(Slot::S0);
        let worst = s0.maxrate.0 + s0.buffer_bits() * 1_000 / grid::SEGMENT_MS;
        let boxes = (288 * 16 + 225 * 8 + 400) * 8 * 1_000 / grid::SEGMENT_MS;
        let sound = ladder.sound(AudioSlot::Lo).0 * 11 / 10;
        assert!(worst + boxes + sound <= 192_000, "{worst} + {boxes} + {sound}");
        // No old phone decodes more.
        assert_eq!(s0.profile, Profile::Baseline);
    }

    #[test]
    fn unknown_keys_and_impossible_values_are_refused_by_name() {
        for (from, to, said) in [
            ("[audio]", "colour = 1\n[audio]", "colour"),
            ("gop = \"4.8s\"", "gop = \"2s\"", "gop"),
            ("gop = \"4.8s\"", "gop = \"9.6s\"", "gop"),
            ("loudness = \"-18LUFS\"", "loudness = \"-6LUFS\"", "audio.loudness"),
            ("loudness = \"-18LUFS\"", "loudness = \"-18dB\"", "-18dB"),
            ("true_peak = \"-1dBTP\"", "true_peak = \"1dBTP\"", "audio.true_peak"),
            ("max_boost = \"15dB\"", "max_boost = \"-1dB\"", "audio.max_boost"),
            ("threads = 1", "threads = 0", "threads"),
            ("[video.s3]", "[video.s9]", "s9"),
            ("profile = \"baseline\"", "profile = \"basic\"", "basic"),
        ] {
            let text = SHIPPED.replacen(from, to, 1);
            assert_ne!(text, SHIPPED, "{from} is in the shipped ladder");
            let error = Ladder::parse(&text, Path::new("mine.toml")).unwrap_err();
            assert!(error.to_string().contains(said), "{to}: {error}");
            assert!(error.code().starts_with("CONFIG_"));
        }
    }

    #[test]
    fn whatever_changes_bytes_changes_the_digest() {
        let ladder = Ladder::shipped().unwrap();
        let mut other = ladder.clone();
        other.video.s3.threads += 1;
        assert_ne!(ladder.digest("zscale"), other.digest("zscale"));
        assert_ne!(ladder.digest("zscale"), ladder.digest("scale"));
        assert_eq!(ladder.digest("zscale"), Ladder::shipped().unwrap().digest("zscale"));
    }
}
