//! Values to text.

use crate::model::{AdaptationSet, Content, Presentation, Representation, Segments, SetId};
use std::fmt::{self, Write};

/// Static, segments of a live profile's kind: what can be told by templates.
const PROFILES: &str = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019";
/// Sound at 48 kHz.
const SAMPLING_RATE: u32 = grid::AUDIO_RATE;

impl Presentation {
    /// The presentation as text.
    pub fn render(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Presentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lasts = Span(self.segments.millis());
        writeln!(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            f,
            "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"{PROFILES}\" type=\"static\" mediaPresentationDuration=\"{lasts}\" minBufferTime=\"{}\">",
            Span(grid::SEGMENT_MS),
        )?;
        writeln!(f, "  <Period id=\"0\" start=\"PT0S\" duration=\"{lasts}\">")?;
        self.sets.iter().try_for_each(|set| self::set(f, set))?;
        writeln!(f, "  </Period>\n</MPD>")
    }
}

fn set(f: &mut fmt::Formatter<'_>, set: &AdaptationSet) -> fmt::Result {
    write!(f, "    <AdaptationSet id=\"{}\"", set.id.0)?;
    match &set.content {
        Content::Video { priority, .. } => {
            write!(f, " contentType=\"video\" mimeType=\"video/mp4\" selectionPriority=\"{priority}\"")?;
        }
        Content::Audio { language } => {
            write!(f, " contentType=\"audio\" mimeType=\"audio/mp4\" lang=\"{}\"", Escaped(language))?;
        }
        Content::Text { language, .. } => {
            write!(f, " contentType=\"text\" mimeType=\"text/vtt\" lang=\"{}\"", Escaped(language))?;
        }
        Content::Trick { .. } => write!(f, " contentType=\"video\" mimeType=\"video/mp4\"")?,
        Content::Storyboard(_) => write!(f, " contentType=\"image\" mimeType=\"image/jpeg\"")?,
    }
    if matches!(set.content, Content::Video { .. } | Content::Audio { .. } | Content::Trick { .. }) {
        // All sets are cut on the grid, and every segment can be decoded by itself.
        write!(f, " segmentAlignment=\"true\" startWithSAP=\"1\"")?;
    }
    writeln!(f, ">")?;
    properties(f, &set.content)?;
    template(f, &set.segments)?;
    for representation in &set.representations {
        self::representation(f, set, representation)?;
    }
    writeln!(f, "    </AdaptationSet>")
}

/// The order of elements is the schema's: properties, label, role.
fn properties(f: &mut fmt::Formatter<'_>, content: &Content) -> fmt::Result {
    let main = |f: &mut fmt::Formatter<'_>| role(f, "main");
    match content {
        Content::Video { switches_to, .. } => {
            if let Some(SetId(other)) = switches_to {
                writeln!(
                    f,
                    "      <SupplementalProperty schemeIdUri=\"urn:mpeg:dash:adaptation-set-switching:2016\" value=\"{other}\"/>"
                )?;
            }
            main(f)
        }
        Content::Audio { .. } => main(f),
        Content::Text { label, .. } => {
            writeln!(f, "      <Label>{}</Label>", Escaped(label))?;
            role(f, "subtitle")
        }
        Content::Trick { of: SetId(of), .. } => writeln!(
            f,
            "      <EssentialProperty schemeIdUri=\"http://dashif.org/guidelines/trickmode\" value=\"{of}\"/>"
        ),
        Content::Storyboard(sheet) => writeln!(
            f,
            "      <EssentialProperty schemeIdUri=\"http://dashif.org/guidelines/thumbnail_tile\" value=\"{}x{}\"/>",
            sheet.columns, sheet.rows
        ),
    }
}

fn role(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    writeln!(f, "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"{value}\"/>")
}

fn template(f: &mut fmt::Formatter<'_>, segments: &Segments) -> fmt::Result {
    let Segments::Template { initialization, media, each } = segments else { return Ok(()) };
    let duration = grid::SEGMENT_MS * u64::from(*each);
    write!(f, "      <SegmentTemplate timescale=\"1000\" duration=\"{duration}\" startNumber=\"0\"")?;
    if let Some(initialization) = initialization {
        write!(f, " initialization=\"{}\"", Escaped(initialization))?;
    }
    writeln!(f, " media=\"{}\"/>", Escaped(media))
}

fn representation(
    f: &mut fmt::Formatter<'_>,
    set: &AdaptationSet,
    representation: &Representation,
) -> fmt::Result {
    let Representation { id, bandwidth, codecs, video, channels } = representation;
    write!(f, "      <Representation id=\"{}\" bandwidth=\"{bandwidth}\"", Escaped(id))?;
    if let Some(codecs) = codecs {
        write!(f, " codecs=\"{}\"", Escaped(codecs))?;
    }
    if let Some(video) = video {
        write!(f, " width=\"{}\" height=\"{}\"", video.width, video.height)?;
        if let Some((pictures, seconds)) = video.rate {
            write!(f, " frameRate=\"{}\"", Fraction(pictures, seconds))?;
        }
        if codecs.is_some() {
            write!(f, " sar=\"1:1\"")?;
        }
    }
    if let Content::Trick { max_rate, .. } = set.content {
        // Every picture can be decoded by itself.
        write!(f, " maxPlayoutRate=\"{max_rate}\" codingDependency=\"false\"")?;
    }
    if channels.is_some() {
        write!(f, " audioSamplingRate=\"{SAMPLING_RATE}\"")?;
    }
    match (channels, &set.segments) {
        (Some(channels), _) => {
            // ISO/IEC 23003-3 counts configurations; mono and stereo are 1 and 2.
            let scheme = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011";
            writeln!(
                f,
                ">\n        <AudioChannelConfiguration schemeIdUri=\"{scheme}\" value=\"{channels}\"/>"
            )?;
            writeln!(f, "      </Representation>")
        }
        (None, Segments::Whole(path)) => {
            writeln!(f, ">\n        <BaseURL>{}</BaseURL>\n      </Representation>", Escaped(path))
        }
        (None, Segments::Template { .. }) => writeln!(f, "/>"),
    }
}

/// xs:duration, exact to the millisecond.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PT{}", self.0 / 1_000)?;
        match self.0 % 1_000 {
            0 => f.write_char('S'),
            millis => write!(f, ".{millis:03}S"),
        }
    }
}

/// `25`, `25/3`.
struct Fraction(u32, u32);

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.checked_rem(self.1) {
            Some(0) => write!(f, "{}", self.0 / self.1),
            _ => write!(f, "{}/{}", self.0, self.1),
        }
    }
}

/// Text within XML, in an element or between double quotes. What XML cannot hold at all is left out.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\u{fffe}' | '\u{ffff}' => {}
                c if c.is_control() => {}
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
