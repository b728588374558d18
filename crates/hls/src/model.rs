//! What a playlist says, in the words of RFC 8216bis.

mod media;
mod multivariant;

pub use media::{ByteRange, DateRange, MediaPlaylist, PlaylistType, Segment};
pub use multivariant::{
    IFrameVariant, MediaType, MultivariantPlaylist, PictureRate, Rendition, Resolution, Score, SessionData,
    SessionValue, Variant,
};

/// EXT-X-VERSION of a multivariant playlist of ours: 4, which RFC 8216bis §8 suggests where EXT-X-MEDIA is used.
pub const MULTIVARIANT_VERSION: u32 = 4;
