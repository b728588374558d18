//! The multivariant playlist.

use super::attributes::Attributes;
use super::lines::{Line, lines};
use super::{ParseError, Problem, number};
use crate::{IFrameVariant, MediaType, MultivariantPlaylist, Rendition, SessionData, SessionValue, Variant};

impl MultivariantPlaylist {
    /// Reads a multivariant playlist.
    ///
    /// # Errors
    /// At the first line that is not what RFC 8216bis §4.4.6 asks for, or that belongs into a media playlist.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut playlist =
            Self { independent_segments: false, version: 1, ..Self::new(Vec::new(), Vec::new()) };
        // A variant whose URI is still to come, with the line of its tag.
        let mut pending: Option<(usize, Variant)> = None;
        for (number, line) in lines(text)? {
            match line {
                Line::Tag("EXT-X-VERSION", value) => playlist.version = version(value, number)?,
                Line::Tag("EXT-X-INDEPENDENT-SEGMENTS", _) => playlist.independent_segments = true,
                Line::Tag("EXT-X-MEDIA", value) => playlist.renditions.extend(rendition(value, number)?),
                Line::Tag("EXT-X-SESSION-DATA", value) => {
                    playlist.session_data.push(session_data(value, number)?);
                }
                Line::Tag("EXT-X-I-FRAME-STREAM-INF", value) => {
                    playlist.iframe_variants.push(iframe_variant(value, number)?);
                }
                Line::Tag("EXT-X-STREAM-INF", value) => {
                    if let Some((line, _)) = pending.replace((number, variant(value, number)?)) {
                        return Err(Problem::Unpaired("#EXT-X-STREAM-INF").at(line));
                    }
                }
                Line::Tag("EXTINF", _) => return Err(Problem::WrongKind("#EXTINF").at(number)),
                Line::Tag("EXT-X-TARGETDURATION", _) => {
                    return Err(Problem::WrongKind("#EXT-X-TARGETDURATION").at(number));
                }
                Line::Tag(..) => {}
                Line::Uri(uri) => {
                    let (_, variant) = pending.take().ok_or_else(|| Problem::Unpaired("a URI").at(number))?;
                    playlist.variants.push(Variant { uri: uri.to_owned(), ..variant });
                }
            }
        }
        match pending {
            Some((line, _)) => Err(Problem::Unpaired("#EXT-X-STREAM-INF").at(line)),
            None => Ok(playlist),
        }
    }
}

/// EXT-X-VERSION, in either kind of playlist.
pub(super) fn version(value: &str, line: usize) -> Result<u32, ParseError> {
    number::integer(value)
        .and_then(|version| u32::try_from(version).ok())
        .ok_or_else(|| Problem::value("#EXT-X-VERSION", value).at(line))
}

fn variant(value: &str, line: usize) -> Result<Variant, ParseError> {
    let attributes = Attributes::parse("#EXT-X-STREAM-INF", line, value)?;
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Ok(Variant {
        uri: String::new(),
        bandwidth: attributes.required("BANDWIDTH", attributes.integer("BANDWIDTH")?)?,
        average_bandwidth: attributes.integer("AVERAGE-BANDWIDTH")?,
        score: attributes.score("SCORE")?,
        codecs: owned(attributes.quoted("CODECS")?),
        resolution: attributes.resolution("RESOLUTION")?,
        frame_rate: attributes.picture_rate("FRAME-RATE")?,
        audio_group: owned(attributes.quoted("AUDIO")?),
        subtitles_group: owned(attributes.quoted("SUBTITLES")?),
        no_closed_captions: attributes.is_enumerated("CLOSED-CAPTIONS", "NONE"),
    })
}

fn iframe_variant(value: &str, line: usize) -> Result<IFrameVariant, ParseError> {
    let attributes = Attributes::parse("#EXT-X-I-FRAME-STREAM-INF", line, value)?;
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Ok(IFrameVariant {
        uri: attributes.required("URI", owned(attributes.quoted("URI")?))?,
        bandwidth: attributes.required("BANDWIDTH", attributes.integer("BANDWIDTH")?)?,
        average_bandwidth: attributes.integer("AVERAGE-BANDWIDTH")?,
        score: attributes.score("SCORE")?,
        codecs: owned(attributes.quoted("CODECS")?),
        resolution: attributes.resolution("RESOLUTION")?,
    })
}

/// "MUST contain either a VALUE or URI attribute, but not both" (§4.4.6.4).
fn session_data(value: &str, line: usize) -> Result<SessionData, ParseError> {
    let attributes = Attributes::parse("#EXT-X-SESSION-DATA", line, value)?;
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let value = match (owned(attributes.quoted("VALUE")?), owned(attributes.quoted("URI")?)) {
        (Some(_), Some(_)) => return Err(Problem::Attributes("#EXT-X-SESSION-DATA").at(line)),
        (text, uri) => text.map(SessionValue::Text).or(uri.map(SessionValue::Json)),
    };
    Ok(SessionData {
        id: attributes.required("DATA-ID", owned(attributes.quoted("DATA-ID")?))?,
        value: attributes.required("VALUE", value)?,
        language: owned(attributes.quoted("LANGUAGE")?),
    })
}

/// `None` for a TYPE of a later edition, which is to be passed over.
fn rendition(value: &str, line: usize) -> Result<Option<Rendition>, ParseError> {
    let attributes = Attributes::parse("#EXT-X-MEDIA", line, value)?;
    let kind = attributes.bare("TYPE", |text| Some(media_type(text)))?;
    let Some(type_) = attributes.required("TYPE", kind)? else { return Ok(None) };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let default = attributes.yes("DEFAULT")?;
    // The first parameter of CHANNELS is the count; what follows a slash is of spatial sound (§4.4.6.1).
    let channels = attributes
        .quoted("CHANNELS")?
        .and_then(|channels| number::integer(channels.split('/').next()?))
        .and_then(|count| u32::try_from(count).ok());
    Ok(Some(Rendition {
        type_,
        group: attributes.required("GROUP-ID", owned(attributes.quoted("GROUP-ID")?))?,
        name: attributes.required("NAME", owned(attributes.quoted("NAME")?))?,
        language: owned(attributes.quoted("LANGUAGE")?),
        channels,
        default,
        autoselect: attributes.yes("AUTOSELECT")? || default,
        uri: owned(attributes.quoted("URI")?),
    }))
}

fn media_type(text: &str) -> Option<MediaType> {
    [MediaType::Audio, MediaType::Video, MediaType::Subtitles, MediaType::ClosedCaptions]
        .into_iter()
        .find(|kind| kind.as_str() == text)
}
