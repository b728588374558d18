//! The list of segments of one rendition (RFC 8216bis §4.4.3).

use jiff::Timestamp;

/// The list of segments of one rendition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlaylist {
    /// EXT-X-VERSION; see [`MediaPlaylist::needed_version`].
    pub version: u32,
    /// EXT-X-TARGETDURATION in whole seconds: no segment's rounded duration exceeds it (§4.4.3.1).
    pub target_duration_s: u64,
    /// Number of the first segment.
    pub media_sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE: how many discontinuities lay before the first segment. Always there where one may
    /// ever come (Apple 8.17).
    pub discontinuity_sequence: Option<u64>,
    /// `None` for a live window (§6.2.2).
    pub playlist_type: Option<PlaylistType>,
    /// EXT-X-I-FRAMES-ONLY: each segment is one picture, decodable by itself, to be shown until the next (§4.4.3.6).
    pub iframes_only: bool,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent_segments: bool,
    /// CAN-SKIP-UNTIL of EXT-X-SERVER-CONTROL in milliseconds: who has an older version may be given [`MediaPlaylist::delta`]
    /// (§4.4.3.8). The same in all playlists of a presentation, and six target durations at least.
    pub can_skip_until_ms: Option<u64>,
    /// SKIPPED-SEGMENTS of EXT-X-SKIP: so many segments in front are left out (§4.4.5.2).
    pub skipped: u64,
    /// EXT-X-MAP in front of all segments: their init segment (Apple 8.20); `None` for MPEG-TS and text.
    pub map: Option<String>,
    /// What lies in which stretch of time, such as programmes.
    pub date_ranges: Vec<DateRange>,
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

/// One segment: EXTINF, EXT-X-BYTERANGE and its URI, and what changes with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Segment {
    /// Relative to the playlist.
    pub uri: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// The part of the resource that is meant; `None`: all of it.
    pub byte_range: Option<ByteRange>,
    /// EXT-X-DISCONTINUITY: formats, tracks or timestamps are not those of the segment before (§4.4.4.3).
    pub discontinuity: bool,
    /// EXT-X-MAP: from here on this is the init segment; `None` leaves it as it is (§4.4.4.5).
    pub map: Option<String>,
    /// EXT-X-PROGRAM-DATE-TIME: when its first picture was on air, to the millisecond (§4.4.4.6).
    pub date_time: Option<Timestamp>,
    /// EXT-X-GAP: there is nothing at its URI, which nobody should ask for (§4.4.4.7).
    pub gap: bool,
}

/// EXT-X-DATERANGE: a stretch of time and what it is (§4.4.5.1). Needs EXT-X-PROGRAM-DATE-TIME on a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateRange {
    /// ID, which never means another stretch of this playlist.
    pub id: String,
    /// CLASS: ranges of one class never overlap where END-ON-NEXT says so; a name in reverse DNS.
    pub class: Option<String>,
    /// START-DATE, to the millisecond.
    pub start: Timestamp,
    /// DURATION in milliseconds; `None` while nobody knows.
    pub duration_ms: Option<u64>,
    /// Client attributes by their names, which begin with `X-`; quoted strings.
    pub client: Vec<(String, String)>,
}

/// EXT-X-BYTERANGE (§4.4.4.2). Where a playlist leaves the offset out, reading fills it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// Bytes.
    pub length: u64,
    /// Of the first byte.
    pub offset: u64,
}

impl MediaPlaylist {
    /// A whole lesson on the grid: segments of 4.8 s from number 0 behind an init segment, nothing to come.
    pub fn lesson(map: impl Into<String>, uris: impl IntoIterator<Item = String>) -> Self {
        Self { map: Some(map.into()), ..Self::whole(uris.into_iter().map(Segment::on_grid).collect()) }
            .with_needed_version()
    }

    /// The same without an init segment: MPEG-TS, WebVTT. What is text has no pictures to be independent.
    pub fn lesson_without_map(uris: impl IntoIterator<Item = String>, independent_segments: bool) -> Self {
        let segments = uris.into_iter().map(Segment::on_grid).collect();
        Self { independent_segments, ..Self::whole(segments) }.with_needed_version()
    }

    /// Single pictures of a whole lesson. Its target duration is the lesson's: Apple 8.2 asks for one everywhere.
    pub fn iframes(map: Option<String>, pictures: Vec<Segment>) -> Self {
        // Each picture is independent: that is what the tag says.
        Self { iframes_only: true, independent_segments: false, map, ..Self::whole(pictures) }
            .with_needed_version()
    }

    /// What is on air: the last segments of something that goes on (§6.2.2). Neither of a type nor at its end.
    pub fn window(media_sequence: u64, discontinuity_sequence: u64, segments: Vec<Segment>) -> Self {
        Self {
            media_sequence,
            discontinuity_sequence: Some(discontinuity_sequence),
            playlist_type: None,
            end_list: false,
            ..Self::whole(segments)
        }
        .with_needed_version()
    }

    fn whole(segments: Vec<Segment>) -> Self {
        Self {
            version: 1,
            target_duration_s: grid::TARGET_DURATION_S,
            media_sequence: 0,
            discontinuity_sequence: None,
            playlist_type: Some(PlaylistType::Vod),
            iframes_only: false,
            independent_segments: true,
            can_skip_until_ms: None,
            skipped: 0,
            map: None,
            date_ranges: Vec::new(),
            segments,
            end_list: true,
        }
    }

    fn with_needed_version(self) -> Self {
        Self { version: self.needed_version(), ..self }
    }

    /// The playlist as an update for who has a version of it: segments that end further from the end than may be skipped are
    /// only counted (§6.2.5.1). `None` where there is nothing to leave out.
    pub fn delta(&self) -> Option<Self> {
        let until = self.can_skip_until_ms.filter(|_| !self.end_list && self.skipped == 0)?;
        let mut kept_ms = 0_u64;
        let kept = self.segments.iter().rev().take_while(|segment| {
            let within = kept_ms < until;
            kept_ms = kept_ms.saturating_add(segment.duration_ms);
            within
        });
        let skipped = self.segments.len() - kept.count();
        if skipped == 0 {
            return None;
        }
        let (left_out, kept) = self.segments.split_at(skipped);
        let mut segments = kept.to_vec();
        // What was said of the init segment in front of those that are left out still counts.
        let map = left_out.iter().rev().find_map(|segment| segment.map.clone()).or_else(|| self.map.clone());
        let map = segments.first_mut().and_then(|first| first.map.take()).or(map);
        let skipped = u64::try_from(skipped).unwrap_or(u64::MAX);
        let update = Self { skipped, map, segments, date_ranges: self.date_ranges.clone(), ..*self };
        Some(update.with_needed_version())
    }

    /// The lowest EXT-X-VERSION that what is in the playlist allows (RFC 8216bis §8); §6.2.1: no higher than needed.
    pub fn needed_version(&self) -> u32 {
        let map = self.map.as_ref().or_else(|| self.segments.iter().find_map(|segment| segment.map.as_ref()));
        match map {
            _ if self.skipped > 0 => 9,
            Some(_) if !self.iframes_only => 6,
            Some(_) => 5,
            None if self.iframes_only || self.segments.iter().any(|s| s.byte_range.is_some()) => 4,
            None if self.segments.iter().any(|segment| segment.duration_ms % 1_000 != 0) => 3,
            None => 1,
        }
    }

    /// Sum of the segments' durations in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.segments.iter().fold(0, |sum, segment| sum.saturating_add(segment.duration_ms))
    }
}

impl Segment {
    /// A whole resource of 4.8 s.
    pub fn on_grid(uri: String) -> Self {
        Self { uri, duration_ms: grid::SEGMENT_MS, ..Self::default() }
    }
}

impl ByteRange {
    /// The byte behind the last.
    pub const fn end(self) -> u64 {
        self.offset.saturating_add(self.length)
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
