//! What a device says: that somebody of a class has seen some minutes of a lesson. Not who, not when, not where.

use crate::code::ClassCode;
use package::LessonId;
use serde::{Deserialize, Serialize};

/// The longest word, in bytes.
pub const MAX_WORD_BYTES: usize = 4 << 10;
/// The longest lesson that is counted, in minutes.
pub const MAX_MINUTES: u16 = 240;

/// One word of one device.
///
/// A device says each thing once: `began` with its first word about a lesson, a minute when it was first seen whole, and again
/// when it was first gone back to. What it has said it keeps to itself; so numbers are numbers of devices, and no two words
/// have anything in common by which they could be put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// Whose class.
    pub class: ClassCode,
    /// Which lesson.
    pub lesson: LessonId,
    /// The device's first word about this lesson.
    #[serde(default)]
    pub began: bool,
    /// Minutes seen for the first time, from 0, ascending.
    #[serde(default)]
    pub seen: Vec<u16>,
    /// Minutes gone back to for the first time, from 0, ascending.
    #[serde(default)]
    pub again: Vec<u16>,
}

/// Why bytes are no word.
#[derive(Debug, thiserror::Error)]
pub enum InvalidWord {
    /// Longer than [`MAX_WORD_BYTES`].
    #[error("longer than {MAX_WORD_BYTES} bytes")]
    Long,
    /// Not JSON, or not of this shape.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A minute beyond [`MAX_MINUTES`], told twice or out of order.
    #[error("minutes must ascend and be below {MAX_MINUTES}")]
    Minutes,
}

impl Word {
    /// Reads one.
    ///
    /// # Errors
    /// See [`InvalidWord`].
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidWord> {
        if bytes.len() > MAX_WORD_BYTES {
            return Err(InvalidWord::Long);
        }
        let word: Self = serde_json::from_slice(bytes)?;
        let fits = |minutes: &[u16]| {
            minutes.is_sorted_by(|a, b| a < b) && minutes.last().is_none_or(|&last| last < MAX_MINUTES)
        };
        if fits(&word.seen) && fits(&word.again) { Ok(word) } else { Err(InvalidWord::Minutes) }
    }
}
