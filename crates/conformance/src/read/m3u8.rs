//! Playlists: every line is kept, what cannot be read is noted and passed over.

use std::collections::BTreeMap;

/// A list in the order of its lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Playlist {
    pub(crate) has_header: bool,
    pub(crate) version: Option<u64>,
    /// EXT-X-VERSION tags.
    pub(crate) versions: usize,
    pub(crate) independent: bool,
    pub(crate) variants: Vec<Stream>,
    pub(crate) iframes: Vec<Stream>,
    pub(crate) renditions: Vec<Stream>,
    pub(crate) target: Option<u64>,
    pub(crate) sequence: Option<u64>,
    pub(crate) discontinuity_sequence: Option<u64>,
    pub(crate) kind: Option<String>,
    pub(crate) iframes_only: bool,
    pub(crate) ended: bool,
    pub(crate) segments: Vec<Segment>,
    pub(crate) date_ranges: Vec<Attributes>,
    pub(crate) part_info: Option<Attributes>,
    pub(crate) control: Option<Attributes>,
    /// Line, section, what is wrong.
    pub(crate) notes: Vec<(usize, Fault, String)>,
}

/// What kind of mistake a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Text,
    Attributes,
    Number,
    Order,
    Duration,
    Range,
    Date,
}

/// EXT-X-STREAM-INF, EXT-X-I-FRAME-STREAM-INF or EXT-X-MEDIA.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stream {
    pub(crate) line: usize,
    pub(crate) attributes: Attributes,
    pub(crate) uri: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Segment {
    pub(crate) line: usize,
    pub(crate) uri: String,
    /// Microseconds.
    pub(crate) duration: Option<u64>,
    /// First byte and length.
    pub(crate) range: Option<(u64, u64)>,
    pub(crate) discontinuity: bool,
    pub(crate) map: Option<Map>,
    pub(crate) key: Option<Attributes>,
    /// Nanoseconds since 1970.
    pub(crate) date: Option<i128>,
    pub(crate) gap: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Map {
    pub(crate) uri: String,
    pub(crate) range: Option<(u64, u64)>,
}

/// An attribute list; of what stands twice the first counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes(BTreeMap<String, String>);

impl Attributes {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    pub(crate) fn size(&self) -> Option<(u32, u32)> {
        let (width, height) = self.get("RESOLUTION")?.split_once('x')?;
        Some((width.parse().ok()?, height.parse().ok()?))
    }

    pub(crate) fn codecs(&self) -> Vec<&str> {
        self.get("CODECS").map(|codecs| codecs.split(',').map(str::trim).collect()).unwrap_or_default()
    }

    /// Reads `NAME=value,NAME="value"`.
    fn read(text: &str) -> (Self, Option<String>) {
        let (mut list, mut wrong) = (BTreeMap::new(), None);
        let mut rest = text;
        while !rest.is_empty() {
            let Some((name, after)) = rest.split_once('=') else {
                wrong.get_or_insert(format!("`{rest}` is no attribute"));
                break;
            };
            let (value, tail) = match after.strip_prefix('"') {
                Some(quoted) => match quoted.split_once('"') {
                    Some((value, tail)) => (value, tail),
                    None => {
                        wrong.get_or_insert(format!("{name}: a quotation without end"));
                        (quoted, "")
                    }
                },
                None => after.find(',').map_or((after, ""), |comma| after.split_at(comma)),
            };
            let name = name.trim();
            if name.is_empty()
                || !name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
            {
                wrong.get_or_insert(format!("`{name}` is no attribute name"));
            }
            if list.contains_key(name) {
                wrong.get_or_insert(format!("{name} stands twice"));
            } else {
                list.insert(name.to_owned(), value.to_owned());
            }
            rest = match tail.strip_prefix(',') {
                Some(rest) => rest,
                None if tail.is_empty() => tail,
                None => {
                    wrong.get_or_insert(format!("`{tail}` after the value of {name}"));
                    tail.split_once(',').map_or("", |(_, rest)| rest)
                }
            };
        }
        (Self(list), wrong)
    }
}

impl Playlist {
    pub(crate) fn is_multivariant(&self) -> bool {
        !self.variants.is_empty() || !self.renditions.is_empty() || !self.iframes.is_empty()
    }

    pub(crate) fn is_media(&self) -> bool {
        self.target.is_some() || !self.segments.is_empty()
    }

    /// A window that moves, or grows.
    pub(crate) fn is_live(&self) -> bool {
        !self.ended && self.kind.as_deref() != Some("VOD")
    }

    pub(crate) fn is_live_window(&self) -> bool {
        self.is_media() && self.is_live()
    }

    /// Microseconds.
    pub(crate) fn duration(&self) -> u64 {
        self.segments.iter().filter_map(|segment| segment.duration).fold(0, u64::saturating_add)
    }

    /// When each segment begins that says so, in nanoseconds since 1970, and its discontinuity number. A tag that is still there has not
    /// been counted yet (RFC 8216bis §6.2.2), the first segment's too.
    pub(crate) fn numbered(&self) -> Vec<(i128, u64)> {
        let mut number = self.discontinuity_sequence.unwrap_or(0);
        let numbered = self.segments.iter().filter_map(|segment| {
            number = number.saturating_add(u64::from(segment.discontinuity));
            Some((segment.date?, number))
        });
        numbered.collect()
    }

    pub(crate) fn first(&self) -> u64 {
        self.sequence.unwrap_or(0)
    }
}

/// What applies to the next URI.
#[derive(Default)]
struct Pending {
    segment: Segment,
    stream: Option<Stream>,
    map: Option<Map>,
    key: Option<Attributes>,
    /// Where a byte range without a start begins.
    next: Option<(String, u64)>,
    open_range: Option<u64>,
}

pub(crate) fn read(text: &str) -> Playlist {
    let mut list = Playlist::default();
    if text.starts_with('\u{feff}') {
        list.notes.push((1, Fault::Text, "a byte order mark".to_owned()));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r')) {
        list.notes.push((1, Fault::Text, "control characters".to_owned()));
    }
    let text = text.trim_start_matches('\u{feff}');
    list.has_header = text.lines().next().is_some_and(|line| line.trim_end() == "#EXTM3U");
    let mut pending = Pending::default();
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_end())) {
        if let Some(tag) = line.strip_prefix("#EXT") {
            let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
            list.tag(number, name, value, &mut pending);
        } else if !line.is_empty() && !line.starts_with('#') {
            list.uri(number, line, &mut pending);
        }
    }
    list
}

impl Playlist {
    fn note(&mut self, line: usize, fault: Fault, text: impl Into<String>) {
        self.notes.push((line, fault, text.into()));
    }

    fn attributes(&mut self, line: usize, value: &str) -> Attributes {
        let (attributes, wrong) = Attributes::read(value);
        if let Some(wrong) = wrong {
            self.note(line, Fault::Attributes, wrong);
        }
        attributes
    }

    fn number(&mut self, line: usize, value: &str) -> Option<u64> {
        let number = value.trim().parse().ok();
        if number.is_none() {
            self.note(line, Fault::Number, format!("`{value}` is no whole number"));
        }
        number
    }

    fn tag(&mut self, line: usize, name: &str, value: &str, pending: &mut Pending) {
        match name {
            "-X-VERSION" => {
                self.versions += 1;
                self.version = self.version.or(value.trim().parse().ok());
            }
            "-X-INDEPENDENT-SEGMENTS" => self.independent = true,
            "-X-STREAM-INF" => pending.stream = Some(self.stream(line, value)),
            "-X-I-FRAME-STREAM-INF" => {
                let stream = self.stream(line, value);
                self.iframes.push(stream);
            }
            "-X-MEDIA" => {
                let stream = self.stream(line, value);
                self.renditions.push(stream);
            }
            "-X-TARGETDURATION" => self.target = self.number(line, value).or(self.target),
            "-X-MEDIA-SEQUENCE" => {
                if self.sequence.is_some() || !self.segments.is_empty() {
                    self.note(line, Fault::Order, "EXT-X-MEDIA-SEQUENCE after a segment or twice");
                }
                self.sequence = self.number(line, value);
            }
            "-X-DISCONTINUITY-SEQUENCE" => {
                if !self.segments.is_empty() || pending.segment.discontinuity {
                    self.note(line, Fault::Order, "EXT-X-DISCONTINUITY-SEQUENCE after a segment");
                }
                self.discontinuity_sequence = self.number(line, value);
            }
            "-X-PLAYLIST-TYPE" => self.kind = Some(value.trim().to_owned()),
            "-X-I-FRAMES-ONLY" => self.iframes_only = true,
            "-X-ENDLIST" => self.ended = true,
            "INF" => {
                let seconds = value.split(',').next().unwrap_or_default();
                pending.segment.duration = microseconds(seconds);
                if pending.segment.duration.is_none() {
                    self.note(line, Fault::Duration, format!("`{seconds}` is no duration"));
                }
            }
            "-X-BYTERANGE" => match byte_range(value) {
                Some((length, Some(start))) => pending.segment.range = Some((start, length)),
                Some((length, None)) => pending.open_range = Some(length),
                None => self.note(line, Fault::Range, format!("`{value}` is no byte range")),
            },
            "-X-DISCONTINUITY" => pending.segment.discontinuity = true,
            "-X-GAP" => pending.segment.gap = true,
            "-X-KEY" => {
                let attributes = self.attributes(line, value);
                pending.key = (attributes.get("METHOD") != Some("NONE")).then_some(attributes);
            }
            "-X-MAP" => {
                let attributes = self.attributes(line, value);
                let range = attributes.get("BYTERANGE").and_then(byte_range);
                let range = range.map(|(length, start)| (start.unwrap_or(0), length));
                let map = |uri: &str| Map { uri: uri.to_owned(), range };
                pending.map = attributes.get("URI").map(map);
            }
            "-X-PROGRAM-DATE-TIME" => match value.trim().parse::<jiff::Timestamp>() {
                Ok(date) => pending.segment.date = Some(date.as_nanosecond()),
                Err(_) => self.note(line, Fault::Date, format!("`{value}` is no date with time and zone")),
            },
            "-X-DATERANGE" => {
                let attributes = self.attributes(line, value);
                self.date_ranges.push(attributes);
            }
            "-X-PART-INF" => self.part_info = Some(self.attributes(line, value)),
            "-X-SERVER-CONTROL" => self.control = Some(self.attributes(line, value)),
            _ => {}
        }
    }

    fn stream(&mut self, line: usize, value: &str) -> Stream {
        let attributes = self.attributes(line, value);
        let uri = attributes.get("URI").map(str::to_owned);
        Stream { line, attributes, uri }
    }

    fn uri(&mut self, line: usize, uri: &str, pending: &mut Pending) {
        if let Some(stream) = pending.stream.take() {
            self.variants.push(Stream { uri: Some(uri.to_owned()), ..stream });
            return;
        }
        let mut segment = std::mem::take(&mut pending.segment);
        if let Some(length) = pending.open_range.take() {
            let next = pending.next.take().filter(|(before, _)| before == uri);
            if next.is_none() {
                self.note(line, Fault::Range, "a byte range without a start, and none before of this file");
            }
            segment.range = Some((next.map_or(0, |(_, end)| end), length));
        }
        pending.next = segment.range.map(|(start, length)| (uri.to_owned(), start.saturating_add(length)));
        segment.line = line;
        segment.uri = uri.to_owned();
        segment.map.clone_from(&pending.map);
        segment.key.clone_from(&pending.key);
        if segment.duration.is_none() {
            self.note(line, Fault::Duration, "a segment without EXTINF");
        }
        self.segments.push(segment);
    }
}

/// `length[@start]`
fn byte_range(text: &str) -> Option<(u64, Option<u64>)> {
    match text.trim().split_once('@') {
        Some((length, start)) => Some((length.parse().ok()?, Some(start.parse().ok()?))),
        None => Some((text.trim().parse().ok()?, None)),
    }
}

/// Decimal seconds.
fn microseconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros = format!("{fraction:0<6}").get(..6)?.parse::<u64>().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)
}
