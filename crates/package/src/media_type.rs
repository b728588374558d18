//! What an object is, from its name (Apple 10.4).

use crate::path::{ObjectPath, StorePath};
use serde::{Deserialize, Serialize};

/// The kinds of object a store holds, written as their media types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MediaType {
    /// A playlist, `.m3u8` (RFC 8216bis §4).
    #[serde(rename = "application/vnd.apple.mpegurl")]
    Playlist,
    /// An init segment, `.mp4`.
    #[serde(rename = "video/mp4")]
    Mp4,
    /// A media segment, `.m4s` (ISO/IEC 23000-19).
    #[serde(rename = "video/iso.segment")]
    Segment,
    /// Papers, `.json`.
    #[serde(rename = "application/json")]
    Json,
}

impl MediaType {
    /// From a file name's extension; `None` for what no package holds.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            "m3u8" => Self::Playlist,
            "mp4" => Self::Mp4,
            "m4s" => Self::Segment,
            "json" => Self::Json,
            _ => return None,
        })
    }

    /// For the header `Content-Type`. JSON is UTF-8 by definition (RFC 8259 §8.1), playlists by RFC 8216bis §4.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Playlist => "application/vnd.apple.mpegurl",
            Self::Mp4 => "video/mp4",
            Self::Segment => "video/iso.segment",
            Self::Json => "application/json",
        }
    }

    /// Text that gzip makes smaller. Media is compressed already.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Playlist | Self::Json)
    }
}

impl StorePath {
    /// What lies there, by its name.
    pub fn media_type(&self) -> Option<MediaType> {
        MediaType::of_extension(self.extension())
    }
}

impl ObjectPath {
    /// What it is, by its name.
    pub fn media_type(&self) -> Option<MediaType> {
        MediaType::of_extension(self.extension())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apple_10_4() {
        for (path, media_type) in [
            ("main.m3u8", Some("application/vnd.apple.mpegurl")),
            ("s0/init.mp4", Some("video/mp4")),
            ("s0/00000.m4s", Some("video/iso.segment")),
            ("manifest.json", Some("application/json")),
            ("readme.txt", None),
            ("m3u8", None),
        ] {
            assert_eq!(ObjectPath::parse(path).unwrap().media_type().map(MediaType::as_str), media_type);
        }
    }
}
