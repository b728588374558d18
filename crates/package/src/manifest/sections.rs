//! What a package may hold beside its rungs and sounds.
//!
//! All numbers are integers: equal measures must be equal bytes. The unit stands last in the name, and where it is not a
//! whole one, its fraction.

use crate::language::Language;
use crate::layout::Slot;
use serde::{Deserialize, Serialize};

/// Single pictures for quick seeking, each a fragment of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trick {
    /// RFC 6381.
    pub codecs: String,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pictures in a segment, evenly spaced.
    pub per_segment: u32,
    /// Bits a second at most, when pictures are fetched at the lesson's speed.
    pub peak_bps: u64,
    /// Bits a second over the whole.
    pub average_bps: u64,
}

/// One track of subtitles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subtitles {
    /// Its language; names its folder.
    pub language: Language,
    /// What a menu shows.
    pub name: String,
    /// Bits a second at most.
    pub peak_bps: u64,
}

/// The storyboard: sheets of small pictures, one picture a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thumbs {
    /// Pixels in a row of one picture.
    pub width: u32,
    /// Rows of one picture.
    pub height: u32,
    /// Pictures side by side on a sheet.
    pub columns: u32,
    /// Rows of pictures on a sheet.
    pub rows: u32,
}

/// Slides as pictures, with the times from which they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slides {
    /// How many.
    pub count: u32,
}

/// A rung and its sound as MPEG-TS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TsRung {
    /// Which rung.
    pub slot: Slot,
    /// Bits a second at most, sound included.
    pub peak_bps: u64,
    /// Bits a second over the whole, sound included.
    pub average_bps: u64,
}

/// What a rung was given after trials on the title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spending {
    /// Constant rate factor: 2,350 is CRF 23.5.
    pub crf_hundredths: u32,
    /// SSIM of the trials: 99,670 is 0.9967.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssim_hundred_thousandths: Option<u32>,
    /// Bits a second that a fixed ladder spends here, whatever the title; Apple's where it has the size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_bps: Option<u64>,
}

/// How loud the source was (EBU R128), and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loudness {
    /// Integrated loudness of the source: -2,300 is -23 LUFS.
    pub integrated_lufs_hundredths: i32,
    /// True peak of the source: -100 is -1 dBTP.
    pub true_peak_dbtp_hundredths: i32,
    /// Loudness range of the source, LU.
    pub range_lu_hundredths: i32,
    /// What was added, dB.
    pub gain_db_hundredths: i32,
}

impl Thumbs {
    /// As lessons have it: a sheet a chunk of 25 segments.
    pub const LESSON: Self = Self { width: 160, height: 90, columns: 5, rows: 5 };

    /// Pictures on a sheet.
    pub const fn per_sheet(&self) -> u32 {
        self.columns.saturating_mul(self.rows)
    }
}

impl Spending {
    /// What the rung takes of what the fixed ladder would, in thousandths: 75 is 0.075.
    pub fn share_per_mille(&self, average_bps: u64) -> Option<u64> {
        average_bps.saturating_mul(1_000).checked_div(self.fixed_bps?)
    }
}
