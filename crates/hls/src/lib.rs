//! HLS playlists: model, render, parse (RFC 8216bis-22).
//!
//! Pure: text in, values out, and back. A playlist we render is read back as the same value; a playlist of others
//! is read tolerantly (unknown tags and attributes are passed over), with the line of the first real error.
//! Time is milliseconds in integers and is written as exact decimals: no float takes part anywhere.

mod model;

pub mod bitrate;
mod parse;
mod render;
#[cfg(test)]
mod tests;

pub use model::{
    ByteRange, DateRange, IFrameVariant, MULTIVARIANT_VERSION, MediaPlaylist, MediaType,
    MultivariantPlaylist, PictureRate, PlaylistType, Rendition, Resolution, Score, Segment, SessionData,
    SessionValue, Variant,
};
pub use parse::{MAX_PLAYLIST_BYTES, ParseError, Problem};
