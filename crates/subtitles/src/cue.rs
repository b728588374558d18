//! A text and when it is shown.

use package::Language;
use serde::{Deserialize, Serialize};

/// The most cues in a track: one a second for a school day, and a half.
pub const MAX_CUES: usize = 50_000;
/// The longest text of a cue, in bytes; more than a screen holds.
pub const MAX_CUE_TEXT: usize = 4_096;
/// The longest a cue is shown, 10 minutes: it is repeated in every segment meanwhile. A longer one is ended there.
pub const MAX_CUE_MS: u64 = 600_000;

/// A text and when it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cue {
    /// From here on.
    pub start_ms: u64,
    /// Until here, later than the start.
    pub end_ms: u64,
    /// WebVTT cue text: escaped, without empty lines.
    pub text: String,
}

/// All cues in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Its language.
    pub language: Language,
    /// What a menu shows.
    pub name: String,
    /// In order of time.
    pub cues: Vec<Cue>,
}

impl Cue {
    /// `None` when there is no time or no text to show.
    pub fn new(start_ms: u64, end_ms: u64, text: String) -> Option<Self> {
        let end_ms = end_ms.min(start_ms.saturating_add(MAX_CUE_MS));
        (end_ms > start_ms && !text.is_empty()).then_some(Self { start_ms, end_ms, text })
    }
}

impl Track {
    /// A track that is called what its speakers call the language.
    pub fn new(language: Language, mut cues: Vec<Cue>) -> Self {
        cues.sort();
        cues.dedup();
        Self { name: language.native_name().to_owned(), language, cues }
    }
}
