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
    /// A segment for old devices, `.ts` (ISO/IEC 13818-1; RFC 3555).
    #[serde(rename = "video/mp2t")]
    TransportStream,
    /// A DASH presentation, `.mpd` (ISO/IEC 23009-1 annex C).
    #[serde(rename = "application/dash+xml")]
    Dash,
    /// Subtitles, chapters, storyboards, `.vtt` (W3C WebVTT).
    #[serde(rename = "text/vtt")]
    WebVtt,
    /// A picture, `.jpg`.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// Papers, `.json`, and signatures, `.sig`.
    #[serde(rename = "application/json")]
    Json,
    /// A guide for receivers, `.xml` (XMLTV).
    #[serde(rename = "application/xml")]
    Xml,
    /// A guide for calendars, `.ics` (RFC 5545).
    #[serde(rename = "text/calendar")]
    Calendar,
    /// The bundle, `.tar` (POSIX.1-1988 ustar).
    #[serde(rename = "application/x-tar")]
    Tar,
    /// A textbook, `.pdf` (RFC 8118).
    #[serde(rename = "application/pdf")]
    Pdf,
    /// Sound to be taken home, `.mp3` (RFC 3003).
    #[serde(rename = "audio/mpeg")]
    Mp3,
    /// Several files, `.zip`.
    #[serde(rename = "application/zip")]
    Zip,
}

impl MediaType {
    /// From a file name's extension; `None` for what no package holds.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            "m3u8" => Self::Playlist,
            "mp4" => Self::Mp4,
            "m4s" => Self::Segment,
            "ts" => Self::TransportStream,
            "mpd" => Self::Dash,
            "vtt" => Self::WebVtt,
            "jpg" => Self::Jpeg,
            "json" | "sig" => Self::Json,
            "xml" => Self::Xml,
            "ics" => Self::Calendar,
            "tar" => Self::Tar,
            "pdf" => Self::Pdf,
            "mp3" => Self::Mp3,
            "zip" => Self::Zip,
            _ => return None,
        })
    }

    /// For the header `Content-Type`. JSON is UTF-8 by definition (RFC 8259 §8.1), playlists by RFC 8216bis §4, WebVTT by
    /// its §4.1, XML says it itself.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Playlist => "application/vnd.apple.mpegurl",
            Self::Mp4 => "video/mp4",
            Self::Segment => "video/iso.segment",
            Self::TransportStream => "video/mp2t",
            Self::Dash => "application/dash+xml",
            Self::WebVtt => "text/vtt",
            Self::Jpeg => "image/jpeg",
            Self::Json => "application/json",
            Self::Xml => "application/xml",
            Self::Calendar => "text/calendar; charset=utf-8",
            Self::Tar => "application/x-tar",
            Self::Pdf => "application/pdf",
            Self::Mp3 => "audio/mpeg",
            Self::Zip => "application/zip",
        }
    }

    /// Text that gzip makes smaller. Media is compressed already.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Playlist | Self::Json | Self::Dash | Self::WebVtt | Self::Xml | Self::Calendar)
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
            ("manifest.sig", Some("application/json")),
            ("subs/zh-CN/00000.vtt", Some("text/vtt")),
            ("thumbs/00000.jpg", Some("image/jpeg")),
            ("ts/s0/00000.ts", Some("video/mp2t")),
            ("main.mpd", Some("application/dash+xml")),
            ("bundle/lesson.tar", Some("application/x-tar")),
            ("readme.txt", None),
            ("m3u8", None),
        ] {
            assert_eq!(ObjectPath::parse(path).unwrap().media_type().map(MediaType::as_str), media_type);
        }
    }
}
