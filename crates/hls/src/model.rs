//! What a playlist says, in the words of RFC 8216bis.

use std::fmt;

/// EXT-X-VERSION of a media playlist of ours: 6, which EXT-X-MAP outside I-frame playlists requires (RFC 8216bis §8).
/// Not higher: "no higher than needed" (§6.2.1).
pub const MEDIA_VERSION: u32 = 6;

/// EXT-X-VERSION of a multivariant playlist of ours: 4, which RFC 8216bis §8 suggests where EXT-X-MEDIA is used.
pub const MULTIVARIANT_VERSION: u32 = 4;

/// The list of variants a player chooses from (RFC 8216bis §4.4.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultivariantPlaylist {
    /// EXT-X-INDEPENDENT-SEGMENTS: every segment can be decoded by itself (Apple 9.12).
    pub independent_segments: bool,
    /// EXT-X-VERSION; [`MULTIVARIANT_VERSION`] unless a feature asks for more.
    pub version: u32,
    /// In the order the player sees. Its first is where many players start.
    pub variants: Vec<Variant>,
    /// Alternative renditions, EXT-X-MEDIA (Apple 8.9).
    pub renditions: Vec<Rendition>,
}

/// One EXT-X-STREAM-INF and its URI (RFC 8216bis §4.4.6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Of the media playlist, relative to this playlist.
    pub uri: String,
    /// Peak bits a second of the costliest playable combination, sound included (Apple 9.13). See [`crate::bitrate`].
    pub bandwidth: u64,
    /// Average bits a second (Apple 9.14).
    pub average_bandwidth: Option<u64>,
    /// RFC 6381 names of every format in the variant and its sound, comma-separated (Apple 9.1).
    pub codecs: Option<String>,
    /// Width and height of the picture (Apple 9.2); `None` for sound alone.
    pub resolution: Option<Resolution>,
    /// Pictures a second (Apple 9.15); `None` for sound alone.
    pub frame_rate: Option<PictureRate>,
    /// The GROUP-ID of the sound that plays with it; `None` when the sound is within.
    pub audio_group: Option<String>,
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resolution {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Pictures a second in thousandths, as FRAME-RATE rounds them: 29.97 is 29,970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PictureRate {
    /// Thousandths of a picture a second.
    pub thousandths: u32,
}

/// One EXT-X-MEDIA (RFC 8216bis §4.4.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// TYPE.
    pub type_: MediaType,
    /// GROUP-ID, which variants refer to.
    pub group: String,
    /// NAME, read by people; unique in its group.
    pub name: String,
    /// LANGUAGE (RFC 5646), which Apple 8.10 requires except for video.
    pub language: Option<String>,
    /// CHANNELS of sound.
    pub channels: Option<u32>,
    /// DEFAULT: played when the viewer has not chosen.
    pub default: bool,
    /// AUTOSELECT: may be played without being chosen. DEFAULT implies it.
    pub autoselect: bool,
    /// Of the media playlist; `None` when the media is in the variant itself.
    pub uri: Option<String>,
}

/// TYPE of EXT-X-MEDIA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// Sound.
    Audio,
    /// An alternative picture.
    Video,
    /// Text in files of its own.
    Subtitles,
    /// Text within the video.
    ClosedCaptions,
}

/// The list of segments of one rendition (RFC 8216bis §4.4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlaylist {
    /// EXT-X-VERSION; [`MEDIA_VERSION`] unless a feature asks for more.
    pub version: u32,
    /// EXT-X-TARGETDURATION in whole seconds: no segment's rounded duration exceeds it (§4.4.3.1).
    pub target_duration_s: u64,
    /// Number of the first segment.
    pub media_sequence: u64,
    /// `None` for a live window (§6.2.2).
    pub playlist_type: Option<PlaylistType>,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent_segments: bool,
    /// EXT-X-MAP: the init segment (Apple 8.20); `None` for MPEG-TS.
    pub map: Option<String>,
    /// In order of time.
    pub segments: Vec<Segment>,
    /// EXT-X-ENDLIST: nothing will be added.
    pub end_list: bool,
}

/// EXT-X-PLAYLIST-TYPE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaylistType {
    /// Never changes.
    Vod,
    /// Is only appended to.
    Event,
}

/// One segment: EXTINF and its URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Relative to the playlist.
    pub uri: String,
    /// Milliseconds.
    pub duration_ms: u64,
}

impl MultivariantPlaylist {
    /// A playlist of ours: independent segments, [`MULTIVARIANT_VERSION`].
    pub fn new(variants: Vec<Variant>, renditions: Vec<Rendition>) -> Self {
        Self { independent_segments: true, version: MULTIVARIANT_VERSION, variants, renditions }
    }

    /// The same playlist seen from another folder: `prefix` goes in front of every relative URI.
    ///
    /// Absolute URIs (with a scheme, or starting with `/`) mean the same everywhere and stay.
    pub fn rebased(mut self, prefix: &str) -> Self {
        let rebase = |uri: &mut String| {
            if is_relative(uri) {
                uri.insert_str(0, prefix);
            }
        };
        self.variants.iter_mut().map(|variant| &mut variant.uri).for_each(rebase);
        self.renditions.iter_mut().filter_map(|rendition| rendition.uri.as_mut()).for_each(rebase);
        self
    }
}

impl MediaPlaylist {
    /// A whole lesson on the grid: segments of 4.8 s from number 0, nothing to come.
    pub fn lesson(map: impl Into<String>, uris: impl IntoIterator<Item = String>) -> Self {
        Self {
            version: MEDIA_VERSION,
            target_duration_s: grid::TARGET_DURATION_S,
            media_sequence: 0,
            playlist_type: Some(PlaylistType::Vod),
            independent_segments: true,
            map: Some(map.into()),
            segments: uris.into_iter().map(|uri| Segment { uri, duration_ms: grid::SEGMENT_MS }).collect(),
            end_list: true,
        }
    }

    /// Sum of the segments' durations in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.segments.iter().fold(0, |sum, segment| sum.saturating_add(segment.duration_ms))
    }
}

/// RFC 3986 §4.2: neither a scheme in front nor an absolute path.
fn is_relative(uri: &str) -> bool {
    let scheme = uri.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    !scheme && !uri.starts_with('/')
}

impl From<grid::FrameRate> for PictureRate {
    fn from(rate: grid::FrameRate) -> Self {
        Self { thousandths: rate.per_second() * 1_000 }
    }
}

impl MediaType {
    /// As EXT-X-MEDIA spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "AUDIO",
            Self::Video => "VIDEO",
            Self::Subtitles => "SUBTITLES",
            Self::ClosedCaptions => "CLOSED-CAPTIONS",
        }
    }
}

impl PlaylistType {
    /// As EXT-X-PLAYLIST-TYPE spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vod => "VOD",
            Self::Event => "EVENT",
        }
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl fmt::Display for PictureRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.thousandths / 1_000, self.thousandths % 1_000)
    }
}
