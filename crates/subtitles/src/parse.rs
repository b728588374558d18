//! Files to cues.

mod ass;
mod srt;
mod webvtt;

use crate::cue::{Cue, MAX_CUE_TEXT, MAX_CUES};
use crate::encoding::decode;
use crate::error::{ParseError, Problem};
use crate::markup::{Markup, to_cue_text};

/// The largest file read: 8 MiB, ten times the subtitles of a school day.
pub const MAX_FILE_BYTES: usize = 8 << 20;

/// What kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// SubRip, `.srt`.
    Srt,
    /// Advanced SubStation Alpha and its ancestor, `.ass`, `.ssa`.
    Ass,
    /// W3C WebVTT, `.vtt`.
    WebVtt,
}

impl Format {
    /// From a file name's extension, in any case.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "srt" => Some(Self::Srt),
            "ass" | "ssa" => Some(Self::Ass),
            "vtt" => Some(Self::WebVtt),
            _ => None,
        }
    }
}

/// The cues of a file, in order of time. Those that nobody would see are left out.
///
/// # Errors
/// At the first line that makes no sense.
pub fn parse(bytes: &[u8], format: Format) -> Result<Vec<Cue>, ParseError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(Problem::TooLong.at(1));
    }
    let text = decode(bytes)?;
    let mut cues = match format {
        Format::Srt => srt::parse(&text),
        Format::Ass => ass::parse(&text),
        Format::WebVtt => webvtt::parse(&text),
    }?;
    if cues.is_empty() {
        return Err(Problem::Empty.at(1));
    }
    cues.sort();
    Ok(cues)
}

/// Adds a cue that was found at `line`, unless there is nothing to show.
fn push(
    cues: &mut Vec<Cue>,
    line: usize,
    (start_ms, end_ms): (u64, u64),
    raw: &str,
    markup: Markup,
) -> Result<(), ParseError> {
    if raw.len() > MAX_CUE_TEXT {
        return Err(Problem::TextTooLong.at(line));
    }
    if cues.len() == MAX_CUES {
        return Err(Problem::TooManyCues.at(line));
    }
    cues.extend(Cue::new(start_ms, end_ms, to_cue_text(raw, markup)));
    Ok(())
}

#[cfg(test)]
mod tests;
