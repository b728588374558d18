//! Text to values: `lines → tags → attributes → model`, tolerant of what it does not know (RFC 8216bis §6.3.1).

mod attributes;
mod lines;
mod media;
mod multivariant;
mod number;

/// The longest playlist read: 4 MiB, a day of segments (18,000) at over 200 bytes each. Bounds memory and time.
pub const MAX_PLAYLIST_BYTES: usize = 4 << 20;

/// Why a text is no playlist, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// From 1; one past the end for something missing.
    pub line: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a playlist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The first line is not EXTM3U (§4.4.1.1).
    #[error("the first line must be #EXTM3U")]
    NotAPlaylist,
    /// Longer than [`MAX_PLAYLIST_BYTES`].
    #[error("longer than {MAX_PLAYLIST_BYTES} bytes")]
    TooLong,
    /// A multivariant tag in a media playlist or the reverse (§4.4.3, §4.4.6: the client must fail).
    #[error("{0} does not belong into this kind of playlist")]
    WrongKind(&'static str),
    /// A tag that may be there once.
    #[error("{0} is there twice")]
    Repeated(&'static str),
    /// A tag without which the playlist means nothing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A tag's value is not what its definition asks for.
    #[error("{tag} has no valid value: `{value}`")]
    Value {
        /// The tag or attribute.
        tag: &'static str,
        /// What is there, cut to 64 characters.
        value: String,
    },
    /// An attribute list that is none (§4.2).
    #[error("the attribute list of {0} is malformed")]
    Attributes(&'static str),
    /// An attribute that must be there.
    #[error("{tag} lacks {attribute}")]
    Attribute {
        /// The tag.
        tag: &'static str,
        /// What it lacks.
        attribute: &'static str,
    },
    /// A URI with no EXTINF or EXT-X-STREAM-INF before it, or the reverse.
    #[error("{0} without the other half of its pair")]
    Unpaired(&'static str),
}

impl Problem {
    fn at(self, line: usize) -> ParseError {
        ParseError { line, problem: self }
    }

    fn value(tag: &'static str, value: &str) -> Self {
        Self::Value { tag, value: value.chars().take(64).collect() }
    }
}
