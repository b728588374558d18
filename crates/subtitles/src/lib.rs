//! Text beside pictures: subtitles and chapters, read from what teachers have, written as WebVTT.
//!
//! ```text
//! bytes ─▶ encoding ─▶ parse (SRT, ASS, WebVTT) ─▶ markup ─▶ cues ─▶ webvtt: segments on the grid, one file
//! ```
//!
//! Pure. Positions, colours and fonts are dropped; bold, italic and underlined are kept. Whatever a file holds, a cue
//! that comes of it cannot end early, begin another one, or say anything but text.

mod chapters;
mod cue;
mod encoding;
mod error;
mod markup;
mod packet;
mod parse;
mod time;
pub mod webvtt;

pub use chapters::{Chapter, MAX_CHAPTERS, chapters_json, chapters_vtt, parse_chapters};
pub use cue::{Cue, MAX_CUE_MS, MAX_CUE_TEXT, MAX_CUES, Track};
pub use encoding::decode;
pub use error::{ParseError, Problem};
pub use packet::PacketFormat;
pub use parse::{Format, MAX_FILE_BYTES, parse};
