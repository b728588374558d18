//! Values to text.
//!
//! Tags come in the order RFC 8216bis lists them, one fact a line, no trailing spaces, every line ended by LF. The
//! same value always gives the same bytes: a package's name depends on it.

use crate::{
    DateRange, IFrameVariant, MediaPlaylist, MultivariantPlaylist, Rendition, Resolution, Score, SessionData,
    SessionValue, Variant,
};
use jiff::Timestamp;
use std::fmt::{self, Write};

impl MultivariantPlaylist {
    /// The playlist as text.
    pub fn render(&self) -> String {
        self.to_string()
    }
}

impl MediaPlaylist {
    /// The playlist as text. About 30 bytes a segment.
    pub fn render(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for MultivariantPlaylist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(f, self.version)?;
        if self.independent_segments {
            writeln!(f, "#EXT-X-INDEPENDENT-SEGMENTS")?;
        }
        self.session_data.iter().try_for_each(|data| session_data(f, data))?;
        self.renditions.iter().try_for_each(|rendition| media(f, rendition))?;
        self.variants.iter().try_for_each(|variant| stream_inf(f, variant))?;
        self.iframe_variants.iter().try_for_each(|variant| iframe_stream_inf(f, variant))
    }
}

impl fmt::Display for MediaPlaylist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(f, self.version)?;
        writeln!(f, "#EXT-X-TARGETDURATION:{}", self.target_duration_s)?;
        writeln!(f, "#EXT-X-MEDIA-SEQUENCE:{}", self.media_sequence)?;
        if let Some(before) = self.discontinuity_sequence {
            writeln!(f, "#EXT-X-DISCONTINUITY-SEQUENCE:{before}")?;
        }
        if let Some(kind) = self.playlist_type {
            writeln!(f, "#EXT-X-PLAYLIST-TYPE:{}", kind.as_str())?;
        }
        if let Some(ms) = self.can_skip_until_ms {
            writeln!(f, "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL={}.{:03}", ms / 1_000, ms % 1_000)?;
        }
        if self.iframes_only {
            writeln!(f, "#EXT-X-I-FRAMES-ONLY")?;
        }
        if self.independent_segments {
            writeln!(f, "#EXT-X-INDEPENDENT-SEGMENTS")?;
        }
        if self.skipped > 0 {
            writeln!(f, "#EXT-X-SKIP:SKIPPED-SEGMENTS={}", self.skipped)?;
        }
        if let Some(map) = &self.map {
            writeln!(f, "#EXT-X-MAP:URI=\"{}\"", Uri(map))?;
        }
        self.date_ranges.iter().try_for_each(|range| date_range(f, range))?;
        for segment in &self.segments {
            if segment.discontinuity {
                writeln!(f, "#EXT-X-DISCONTINUITY")?;
            }
            if let Some(map) = &segment.map {
                writeln!(f, "#EXT-X-MAP:URI=\"{}\"", Uri(map))?;
            }
            if let Some(date) = segment.date_time {
                writeln!(f, "#EXT-X-PROGRAM-DATE-TIME:{}", Date(date))?;
            }
            if segment.gap {
                writeln!(f, "#EXT-X-GAP")?;
            }
            let ms = segment.duration_ms;
            writeln!(f, "#EXTINF:{}.{:03},", ms / 1_000, ms % 1_000)?;
            if let Some(range) = segment.byte_range {
                writeln!(f, "#EXT-X-BYTERANGE:{}@{}", range.length, range.offset)?;
            }
            writeln!(f, "{}", Uri(&segment.uri))?;
        }
        if self.end_list {
            writeln!(f, "#EXT-X-ENDLIST")?;
        }
        Ok(())
    }
}

fn head(f: &mut fmt::Formatter<'_>, version: u32) -> fmt::Result {
    writeln!(f, "#EXTM3U\n#EXT-X-VERSION:{version}")
}

fn media(f: &mut fmt::Formatter<'_>, rendition: &Rendition) -> fmt::Result {
    write!(f, "#EXT-X-MEDIA:TYPE={},GROUP-ID={}", rendition.type_.as_str(), Quoted(&rendition.group))?;
    write!(f, ",NAME={}", Quoted(&rendition.name))?;
    if let Some(language) = &rendition.language {
        write!(f, ",LANGUAGE={}", Quoted(language))?;
    }
    // "If the value is YES for DEFAULT, AUTOSELECT MUST be YES" when present (§4.4.6.1).
    let autoselect = rendition.autoselect || rendition.default;
    write!(f, ",DEFAULT={},AUTOSELECT={}", yes_no(rendition.default), yes_no(autoselect))?;
    if let Some(channels) = rendition.channels {
        write!(f, ",CHANNELS=\"{channels}\"")?;
    }
    if let Some(uri) = &rendition.uri {
        write!(f, ",URI=\"{}\"", Uri(uri))?;
    }
    f.write_char('\n')
}

fn date_range(f: &mut fmt::Formatter<'_>, range: &DateRange) -> fmt::Result {
    write!(f, "#EXT-X-DATERANGE:ID={}", Quoted(&range.id))?;
    if let Some(class) = &range.class {
        write!(f, ",CLASS={}", Quoted(class))?;
    }
    write!(f, ",START-DATE=\"{}\"", Date(range.start))?;
    if let Some(ms) = range.duration_ms {
        write!(f, ",DURATION={}.{:03}", ms / 1_000, ms % 1_000)?;
    }
    for (name, value) in &range.client {
        write!(f, ",{name}={}", Quoted(value))?;
    }
    f.write_char('\n')
}

fn session_data(f: &mut fmt::Formatter<'_>, data: &SessionData) -> fmt::Result {
    write!(f, "#EXT-X-SESSION-DATA:DATA-ID={}", Quoted(&data.id))?;
    match &data.value {
        SessionValue::Text(text) => write!(f, ",VALUE={}", Quoted(text))?,
        SessionValue::Json(uri) => write!(f, ",URI=\"{}\"", Uri(uri))?,
    }
    if let Some(language) = &data.language {
        write!(f, ",LANGUAGE={}", Quoted(language))?;
    }
    f.write_char('\n')
}

fn stream_inf(f: &mut fmt::Formatter<'_>, variant: &Variant) -> fmt::Result {
    f.write_str("#EXT-X-STREAM-INF:")?;
    common(
        f,
        variant.bandwidth,
        variant.average_bandwidth,
        variant.score,
        variant.codecs.as_deref(),
        variant.resolution,
    )?;
    if let Some(rate) = variant.frame_rate {
        write!(f, ",FRAME-RATE={rate}")?;
    }
    if let Some(group) = &variant.audio_group {
        write!(f, ",AUDIO={}", Quoted(group))?;
    }
    if let Some(group) = &variant.subtitles_group {
        write!(f, ",SUBTITLES={}", Quoted(group))?;
    }
    if variant.no_closed_captions {
        f.write_str(",CLOSED-CAPTIONS=NONE")?;
    }
    writeln!(f, "\n{}", Uri(&variant.uri))
}

fn iframe_stream_inf(f: &mut fmt::Formatter<'_>, variant: &IFrameVariant) -> fmt::Result {
    f.write_str("#EXT-X-I-FRAME-STREAM-INF:")?;
    common(
        f,
        variant.bandwidth,
        variant.average_bandwidth,
        variant.score,
        variant.codecs.as_deref(),
        variant.resolution,
    )?;
    writeln!(f, ",URI=\"{}\"", Uri(&variant.uri))
}

/// The attributes that both kinds of variant have.
fn common(
    f: &mut fmt::Formatter<'_>,
    bandwidth: u64,
    average: Option<u64>,
    score: Option<Score>,
    codecs: Option<&str>,
    resolution: Option<Resolution>,
) -> fmt::Result {
    write!(f, "BANDWIDTH={bandwidth}")?;
    if let Some(average) = average {
        write!(f, ",AVERAGE-BANDWIDTH={average}")?;
    }
    if let Some(score) = score {
        write!(f, ",SCORE={score}")?;
    }
    if let Some(codecs) = codecs {
        write!(f, ",CODECS={}", Quoted(codecs))?;
    }
    match resolution {
        Some(resolution) => write!(f, ",RESOLUTION={resolution}"),
        None => Ok(()),
    }
}

const fn yes_no(value: bool) -> &'static str {
    if value { "YES" } else { "NO" }
}

/// A date-time of ISO 8601 with three digits behind the second, in UTC (§4.4.4.6).
struct Date(Timestamp);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

/// A quoted-string (§4.2). It has no escape: what it cannot hold is replaced, so that no value, whatever a
/// teacher typed, can end the attribute or the line early.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            f.write_char(match c {
                '"' => '\'',
                '\r' | '\n' => ' ',
                c => c,
            })?;
        }
        f.write_char('"')
    }
}

/// A URI. The characters that would break the line or the attribute are none a URI may hold (RFC 3986 §2): encoded.
/// A `#` in front would make the line a comment.
struct Uri<'a>(&'a str);

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = match self.0.strip_prefix('#') {
            Some(rest) => {
                f.write_str("%23")?;
                rest
            }
            None => self.0,
        };
        for c in rest.chars() {
            match c {
                '"' => f.write_str("%22")?,
                ' ' => f.write_str("%20")?,
                c if c.is_ascii_control() => write!(f, "%{:02X}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
