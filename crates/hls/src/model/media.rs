//! The list of segments of one rendition (RFC 8216bis §4.4.3).

/// The list of segments of one rendition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlaylist {
    /// EXT-X-VERSION; see [`MediaPlaylist::needed_version`].
    pub version: u32,
    /// EXT-X-TARGETDURATION in whole seconds: no segment's rounded duration exceeds it (§4.4.3.1).
    pub target_duration_s: u64,
    /// Number of the first segment.
    pub media_sequence: u64,
    /// `None` for a live window (§6.2.2).
    pub playlist_type: Option<PlaylistType>,
    /// EXT-X-I-FRAMES-ONLY: each segment is one picture, decodable by itself, to be shown until the next (§4.4.3.6).
    pub iframes_only: bool,
    /// EXT-X-INDEPENDENT-SEGMENTS.
    pub independent_segments: bool,
    /// EXT-X-MAP in front of all segments: their init segment (Apple 8.20); `None` for MPEG-TS and text.
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

    fn whole(segments: Vec<Segment>) -> Self {
        Self {
            version: 1,
            target_duration_s: grid::TARGET_DURATION_S,
            media_sequence: 0,
            playlist_type: Some(PlaylistType::Vod),
            iframes_only: false,
            independent_segments: true,
            map: None,
            segments,
            end_list: true,
        }
    }

    fn with_needed_version(self) -> Self {
        Self { version: self.needed_version(), ..self }
    }

    /// The lowest EXT-X-VERSION that what is in the playlist allows (RFC 8216bis §8); §6.2.1: no higher than needed.
    pub fn needed_version(&self) -> u32 {
        let map = self.map.as_ref().or_else(|| self.segments.iter().find_map(|segment| segment.map.as_ref()));
        match map {
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
    fn on_grid(uri: String) -> Self {
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
