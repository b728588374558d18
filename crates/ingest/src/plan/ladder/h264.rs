//! How pictures are encoded in H.264, by x264.

use super::{buffer_bits, check_cap};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use units::{BitRate, Span};

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

/// Under which names a slot's values are refused.
pub(super) const KEYS: [[&str; 6]; 6] = [
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

impl H264Recipe {
    pub(super) fn check(
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
