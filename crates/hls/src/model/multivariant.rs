//! The list of variants a player chooses from (RFC 8216bis §4.4.6).

use super::MULTIVARIANT_VERSION;
use std::fmt;

/// The list of variants a player chooses from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultivariantPlaylist {
    /// EXT-X-INDEPENDENT-SEGMENTS: every segment can be decoded by itself (Apple 9.12).
    pub independent_segments: bool,
    /// EXT-X-VERSION; [`MULTIVARIANT_VERSION`] unless a feature asks for more.
    pub version: u32,
    /// EXT-X-SESSION-DATA: what concerns the whole presentation, such as its chapters.
    pub session_data: Vec<SessionData>,
    /// Alternative renditions, EXT-X-MEDIA (Apple 8.9).
    pub renditions: Vec<Rendition>,
    /// In the order the player sees. Its first is where many players start.
    pub variants: Vec<Variant>,
    /// Pictures alone, for quick seeking (Apple 6.1).
    pub iframe_variants: Vec<IFrameVariant>,
}

/// One EXT-X-STREAM-INF and its URI (RFC 8216bis §4.4.6.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variant {
    /// Of the media playlist, relative to this playlist.
    pub uri: String,
    /// Peak bits a second of the costliest playable combination, sound included (Apple 9.13). See [`crate::bitrate`].
    pub bandwidth: u64,
    /// Average bits a second (Apple 9.14).
    pub average_bandwidth: Option<u64>,
    /// How good it is to watch, against the others; only its order counts. On all variants or none (Apple 9.19).
    pub score: Option<Score>,
    /// RFC 6381 names of every format in the variant and its sound, comma-separated (Apple 9.1).
    pub codecs: Option<String>,
    /// Width and height of the picture (Apple 9.2); `None` for sound alone.
    pub resolution: Option<Resolution>,
    /// Pictures a second (Apple 9.15); `None` for sound alone.
    pub frame_rate: Option<PictureRate>,
    /// The GROUP-ID of the sound that plays with it; `None` when the sound is within.
    pub audio_group: Option<String>,
    /// The GROUP-ID of its subtitles.
    pub subtitles_group: Option<String>,
    /// CLOSED-CAPTIONS=NONE: nobody need look for text within the video. On all variants or none (§4.4.6.2).
    pub no_closed_captions: bool,
}

/// One EXT-X-I-FRAME-STREAM-INF (RFC 8216bis §4.4.6.3): as [`Variant`], of an I-frame playlist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IFrameVariant {
    /// Of the I-frame playlist.
    pub uri: String,
    /// Peak bits a second when pictures are fetched at the lesson's speed.
    pub bandwidth: u64,
    /// Average bits a second.
    pub average_bandwidth: Option<u64>,
    /// As [`Variant::score`].
    pub score: Option<Score>,
    /// RFC 6381 name of the pictures' format.
    pub codecs: Option<String>,
    /// Width and height of the picture.
    pub resolution: Option<Resolution>,
}

/// One EXT-X-SESSION-DATA (RFC 8216bis §4.4.6.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionData {
    /// DATA-ID, in the manner of a reversed domain name.
    pub id: String,
    /// What it says.
    pub value: SessionValue,
    /// LANGUAGE of the value.
    pub language: Option<String>,
}

/// VALUE or URI of EXT-X-SESSION-DATA; exactly one of them is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionValue {
    /// The text itself.
    Text(String),
    /// Where JSON lies that says it.
    Json(String),
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

/// A variant's place among the others, larger for better (SCORE).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Score {
    /// Thousandths.
    pub thousandths: u64,
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

impl MultivariantPlaylist {
    /// A playlist of ours: independent segments, [`MULTIVARIANT_VERSION`].
    pub fn new(variants: Vec<Variant>, renditions: Vec<Rendition>) -> Self {
        Self {
            independent_segments: true,
            version: MULTIVARIANT_VERSION,
            session_data: Vec::new(),
            renditions,
            variants,
            iframe_variants: Vec::new(),
        }
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
        self.iframe_variants.iter_mut().map(|variant| &mut variant.uri).for_each(rebase);
        self.renditions.iter_mut().filter_map(|rendition| rendition.uri.as_mut()).for_each(rebase);
        for data in &mut self.session_data {
            if let SessionValue::Json(uri) = &mut data.value {
                rebase(uri);
            }
        }
        self
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

impl Score {
    /// A whole number.
    pub const fn whole(score: u32) -> Self {
        Self { thousandths: score as u64 * 1_000 }
    }
}

impl PictureRate {
    /// The rate when only every `thinning`th picture of `rate` is shown.
    pub fn thinned(rate: grid::FrameRate, thinning: u32) -> Self {
        Self { thousandths: rate.per_second() * 1_000 / thinning.max(1) }
    }
}

impl From<grid::FrameRate> for PictureRate {
    fn from(rate: grid::FrameRate) -> Self {
        Self::thinned(rate, 1)
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

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.thousandths / 1_000, self.thousandths % 1_000)
    }
}
