//! How pictures are encoded in AV1, by SVT-AV1.

use super::{buffer_bits, check_cap};
use serde::{Deserialize, Serialize};
use settings::SettingsError;
use units::{BitRate, Span};

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

/// Under which names a slot's values are refused.
pub(super) const KEYS: [[&str; 6]; 4] = [
    ["av1.a2.preset", "av1.a2.crf", "av1.a2.range", "av1.a2.maxrate", "av1.a2.buffer", "av1.a2.threads"],
    ["av1.a3.preset", "av1.a3.crf", "av1.a3.range", "av1.a3.maxrate", "av1.a3.buffer", "av1.a3.threads"],
    ["av1.a4.preset", "av1.a4.crf", "av1.a4.range", "av1.a4.maxrate", "av1.a4.buffer", "av1.a4.threads"],
    ["av1.a5.preset", "av1.a5.crf", "av1.a5.range", "av1.a5.maxrate", "av1.a5.buffer", "av1.a5.threads"],
];

impl Av1Recipe {
    pub(super) fn check(
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
