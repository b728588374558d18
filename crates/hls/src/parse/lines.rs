//! A playlist's lines: tags, URIs; comments and blank lines are gone.

use super::{MAX_PLAYLIST_BYTES, ParseError, Problem};

/// A line that says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `#EXT…`, its name without `#`, and what follows the colon (empty without one).
    Tag(&'a str, &'a str),
    /// Anything not starting with `#`.
    Uri(&'a str),
}

/// Numbered lines behind EXTM3U, from 2.
///
/// A byte order mark in front is refused as the RFC asks (§4.1: "MUST NOT contain any byte order mark"): it makes the
/// first line something else than EXTM3U.
pub(super) fn lines(text: &str) -> Result<impl Iterator<Item = (usize, Line<'_>)>, ParseError> {
    if text.len() > MAX_PLAYLIST_BYTES {
        return Err(Problem::TooLong.at(1));
    }
    let mut numbered = text.lines().zip(1..).map(|(line, number)| (number, line.trim_end()));
    if numbered.next().is_none_or(|(_, first)| first != "#EXTM3U") {
        return Err(Problem::NotAPlaylist.at(1));
    }
    Ok(numbered.filter_map(|(number, line)| classify(line).map(|line| (number, line))))
}

fn classify(line: &str) -> Option<Line<'_>> {
    match line.strip_prefix('#') {
        None if line.is_empty() => None,
        None => Some(Line::Uri(line)),
        Some(tag) if tag.starts_with("EXT") => {
            let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
            Some(Line::Tag(name, value))
        }
        Some(_) => None,
    }
}
