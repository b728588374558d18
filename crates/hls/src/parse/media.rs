//! The media playlist.

use super::attributes::Attributes;
use super::lines::{Line, lines};
use super::multivariant::version;
use super::{ParseError, Problem, number};
use crate::{ByteRange, DateRange, MediaPlaylist, PlaylistType, Segment};
use jiff::Timestamp;

impl MediaPlaylist {
    /// Reads a media playlist.
    ///
    /// # Errors
    /// At the first line that is not what RFC 8216bis §4.4.2 to §4.4.4 ask for, or that belongs into a multivariant
    /// playlist; behind the last line when EXT-X-TARGETDURATION is missing.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut reading = Reading::default();
        let mut last = 1;
        for (number, line) in lines(text)? {
            last = number;
            match line {
                Line::Tag(name, value) => reading.tag(name, value, number)?,
                Line::Uri(uri) => reading.uri(uri, number)?,
            }
        }
        reading.finish(last)
    }
}

/// A playlist of which some lines have been read.
#[derive(Default)]
struct Reading {
    version: Option<u32>,
    target_duration_s: Option<u64>,
    media_sequence: Option<u64>,
    discontinuity_sequence: Option<u64>,
    playlist_type: Option<PlaylistType>,
    iframes_only: bool,
    independent_segments: bool,
    can_skip_until_ms: Option<u64>,
    skipped: Option<u64>,
    map: Option<String>,
    date_ranges: Vec<DateRange>,
    segments: Vec<Segment>,
    end_list: bool,
    /// What EXT-X-DISCONTINUITY, an EXT-X-MAP that changes, EXT-X-PROGRAM-DATE-TIME and EXT-X-GAP say of the segment to come.
    next: Segment,
    /// Line, length and offset of an EXT-X-BYTERANGE whose URI is still to come.
    range: Option<(usize, u64, Option<u64>)>,
    /// Line and milliseconds of an EXTINF whose URI is still to come.
    pending: Option<(usize, u64)>,
}

impl Reading {
    fn tag(&mut self, name: &str, value: &str, line: usize) -> Result<(), ParseError> {
        match name {
            "EXT-X-VERSION" => once(&mut self.version, "#EXT-X-VERSION", version(value, line)?, line),
            "EXT-X-TARGETDURATION" => {
                let tag = "#EXT-X-TARGETDURATION";
                once(&mut self.target_duration_s, tag, integer(tag, value, line)?, line)
            }
            "EXT-X-MEDIA-SEQUENCE" => {
                let tag = "#EXT-X-MEDIA-SEQUENCE";
                once(&mut self.media_sequence, tag, integer(tag, value, line)?, line)
            }
            "EXT-X-DISCONTINUITY-SEQUENCE" => {
                let tag = "#EXT-X-DISCONTINUITY-SEQUENCE";
                once(&mut self.discontinuity_sequence, tag, integer(tag, value, line)?, line)
            }
            "EXT-X-PLAYLIST-TYPE" => {
                let tag = "#EXT-X-PLAYLIST-TYPE";
                let kind = playlist_type(value).ok_or_else(|| Problem::value(tag, value).at(line))?;
                once(&mut self.playlist_type, tag, kind, line)
            }
            "EXT-X-I-FRAMES-ONLY" => {
                self.iframes_only = true;
                Ok(())
            }
            "EXT-X-INDEPENDENT-SEGMENTS" => {
                self.independent_segments = true;
                Ok(())
            }
            "EXT-X-SERVER-CONTROL" => {
                let attributes = Attributes::parse("#EXT-X-SERVER-CONTROL", line, value)?;
                self.can_skip_until_ms = attributes.bare("CAN-SKIP-UNTIL", number::thousandths)?;
                Ok(())
            }
            "EXT-X-SKIP" => {
                let tag = "#EXT-X-SKIP";
                let attributes = Attributes::parse(tag, line, value)?;
                let count = attributes.bare("SKIPPED-SEGMENTS", number::integer)?;
                once(&mut self.skipped, tag, attributes.required("SKIPPED-SEGMENTS", count)?, line)
            }
            "EXT-X-MAP" => self.map(value, line),
            "EXT-X-DISCONTINUITY" => {
                self.next.discontinuity = true;
                Ok(())
            }
            "EXT-X-PROGRAM-DATE-TIME" => {
                self.next.date_time = Some(date("#EXT-X-PROGRAM-DATE-TIME", value, line)?);
                Ok(())
            }
            "EXT-X-GAP" => {
                self.next.gap = true;
                Ok(())
            }
            "EXT-X-DATERANGE" => self.date_range(value, line),
            "EXTINF" => self.inf(value, line),
            "EXT-X-BYTERANGE" => self.range(value, line),
            "EXT-X-ENDLIST" => {
                self.end_list = true;
                Ok(())
            }
            "EXT-X-STREAM-INF" => Err(Problem::WrongKind("#EXT-X-STREAM-INF").at(line)),
            "EXT-X-I-FRAME-STREAM-INF" => Err(Problem::WrongKind("#EXT-X-I-FRAME-STREAM-INF").at(line)),
            "EXT-X-SESSION-DATA" => Err(Problem::WrongKind("#EXT-X-SESSION-DATA").at(line)),
            "EXT-X-MEDIA" => Err(Problem::WrongKind("#EXT-X-MEDIA").at(line)),
            _ => Ok(()),
        }
    }

    /// In front of all segments it is the playlist's; behind one it counts from the next on.
    fn map(&mut self, value: &str, line: usize) -> Result<(), ParseError> {
        let attributes = Attributes::parse("#EXT-X-MAP", line, value)?;
        let uri = attributes.required("URI", attributes.quoted("URI")?)?;
        let slot = if self.segments.is_empty() { &mut self.map } else { &mut self.next.map };
        *slot = Some(uri.to_owned());
        Ok(())
    }

    fn inf(&mut self, value: &str, line: usize) -> Result<(), ParseError> {
        let duration = value.split(',').next().unwrap_or_default().trim();
        let ms = number::thousandths(duration).ok_or_else(|| Problem::value("#EXTINF", value).at(line))?;
        match self.pending.replace((line, ms)) {
            Some((line, _)) => Err(Problem::Unpaired("#EXTINF").at(line)),
            None => Ok(()),
        }
    }

    fn uri(&mut self, uri: &str, line: usize) -> Result<(), ParseError> {
        let (_, duration_ms) = self.pending.take().ok_or_else(|| Problem::Unpaired("a URI").at(line))?;
        let byte_range = self.place(uri)?;
        let next = std::mem::take(&mut self.next);
        self.segments.push(Segment { uri: uri.to_owned(), duration_ms, byte_range, ..next });
        Ok(())
    }

    fn date_range(&mut self, value: &str, line: usize) -> Result<(), ParseError> {
        let tag = "#EXT-X-DATERANGE";
        let attributes = Attributes::parse(tag, line, value)?;
        let id = attributes.required("ID", attributes.quoted("ID")?)?.to_owned();
        let start = attributes.required("START-DATE", attributes.quoted("START-DATE")?)?;
        let client = attributes.client().map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.date_ranges.push(DateRange {
            id,
            class: attributes.quoted("CLASS")?.map(str::to_owned),
            start: date(tag, start, line)?,
            duration_ms: attributes.bare("DURATION", number::thousandths)?,
            client: client.collect(),
        });
        Ok(())
    }

    /// `<length>` or `<length>@<offset>` (§4.4.4.2).
    fn range(&mut self, value: &str, line: usize) -> Result<(), ParseError> {
        let tag = "#EXT-X-BYTERANGE";
        let read = || {
            let (length, offset) = match value.split_once('@') {
                Some((length, offset)) => (length, Some(number::integer(offset)?)),
                None => (value, None),
            };
            Some((number::integer(length)?, offset))
        };
        let (length, offset) = read().ok_or_else(|| Problem::value(tag, value).at(line))?;
        once(&mut self.range, tag, (line, length, offset), line)
    }

    /// Where the range of the segment at `uri` lies: without an offset behind that of the segment before, which must be
    /// of the same resource.
    fn place(&mut self, uri: &str) -> Result<Option<ByteRange>, ParseError> {
        let Some((line, length, offset)) = self.range.take() else { return Ok(None) };
        let behind = || {
            let before = self.segments.last().filter(|before| before.uri == uri)?;
            before.byte_range.map(ByteRange::end)
        };
        let offset = offset.or_else(behind).ok_or_else(|| Problem::Unpaired("#EXT-X-BYTERANGE").at(line))?;
        Ok(Some(ByteRange { length, offset }))
    }

    fn finish(self, last: usize) -> Result<MediaPlaylist, ParseError> {
        if let Some((line, _)) = self.pending {
            return Err(Problem::Unpaired("#EXTINF").at(line));
        }
        if let Some((line, ..)) = self.range {
            return Err(Problem::Unpaired("#EXT-X-BYTERANGE").at(line));
        }
        let target = self.target_duration_s;
        Ok(MediaPlaylist {
            version: self.version.unwrap_or(1),
            target_duration_s: target
                .ok_or_else(|| Problem::Missing("#EXT-X-TARGETDURATION").at(last + 1))?,
            media_sequence: self.media_sequence.unwrap_or(0),
            discontinuity_sequence: self.discontinuity_sequence,
            playlist_type: self.playlist_type,
            iframes_only: self.iframes_only,
            independent_segments: self.independent_segments,
            can_skip_until_ms: self.can_skip_until_ms,
            skipped: self.skipped.unwrap_or(0),
            map: self.map,
            date_ranges: self.date_ranges,
            segments: self.segments,
            end_list: self.end_list,
        })
    }
}

fn once<T>(slot: &mut Option<T>, tag: &'static str, value: T, line: usize) -> Result<(), ParseError> {
    match slot.replace(value) {
        Some(_) => Err(Problem::Repeated(tag).at(line)),
        None => Ok(()),
    }
}

fn integer(tag: &'static str, value: &str, line: usize) -> Result<u64, ParseError> {
    number::integer(value).ok_or_else(|| Problem::value(tag, value).at(line))
}

/// An instant in ISO 8601 with its offset from UTC.
fn date(tag: &'static str, value: &str, line: usize) -> Result<Timestamp, ParseError> {
    value.parse().map_err(|_| Problem::value(tag, value).at(line))
}

fn playlist_type(value: &str) -> Option<PlaylistType> {
    [PlaylistType::Vod, PlaylistType::Event].into_iter().find(|kind| kind.as_str() == value)
}
