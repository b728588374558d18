//! Why a file holds no subtitles or chapters, and where.

use crate::{MAX_CHAPTERS, MAX_CUE_TEXT, MAX_CUES, MAX_FILE_BYTES};

/// Why a file holds no subtitles or chapters, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with such a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Longer than [`MAX_FILE_BYTES`].
    #[error("the file is longer than {MAX_FILE_BYTES} bytes")]
    TooLong,
    /// Neither UTF-8, UTF-16 nor GB 18030.
    #[error("not text in UTF-8, UTF-16 or GB 18030 (GBK); save it as UTF-8")]
    Encoding,
    /// No times where there must be some.
    #[error("`{0}` is no time line; write one such as 00:01:02,500 --> 00:01:05,000")]
    Timing(String),
    /// No time where there must be one.
    #[error("`{0}` does not start with a time and a title; write a line such as 00:03:20 Title")]
    Chapter(String),
    /// A chapter before the one in front of it.
    #[error("a chapter cannot start before or with the one in front of it")]
    Order,
    /// WebVTT without its first line.
    #[error("the first line of a WebVTT file must be WEBVTT")]
    NotWebVtt,
    /// ASS without a line that names its fields.
    #[error(
        "an [Events] section with a Format line that names Start, End and Text must come before the first Dialogue"
    )]
    NoFormat,
    /// More than [`MAX_CUES`].
    #[error("more than {MAX_CUES} cues")]
    TooManyCues,
    /// More than [`MAX_CHAPTERS`].
    #[error("more than {MAX_CHAPTERS} chapters")]
    TooManyChapters,
    /// A text longer than [`MAX_CUE_TEXT`].
    #[error("a text of more than {MAX_CUE_TEXT} bytes")]
    TextTooLong,
    /// Nothing to show at all.
    #[error("there is no text with a time in it")]
    Empty,
}

impl Problem {
    pub(crate) fn at(self, line: usize) -> ParseError {
        ParseError { line, problem: self }
    }

    /// The line as an error tells it.
    pub(crate) fn quoted(line: &str) -> String {
        line.chars().filter(|c| !c.is_control()).take(60).collect()
    }
}
