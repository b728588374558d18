//! What a presentation says.

use grid::SegmentCount;

/// Lets sets name each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetId(pub u32);

/// RFC 5646, as it is written.
pub type Language = String;

/// A lesson: one period, nothing to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentation {
    /// Segments in every representation.
    pub segments: SegmentCount,
    /// What plays together.
    pub sets: Vec<AdaptationSet>,
}

/// Representations that a player may change between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdaptationSet {
    /// Its number.
    pub id: SetId,
    /// What it is.
    pub content: Content,
    /// Where its segments are.
    pub segments: Segments,
    /// The smallest first.
    pub representations: Vec<Representation>,
}

/// What a set holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Pictures in one format.
    Video {
        /// The same pictures in another format: a player may change over to it at any segment.
        switches_to: Option<SetId>,
        /// Which of several such sets to take: the largest that can be decoded.
        priority: u32,
    },
    /// Sound.
    Audio {
        /// What is spoken.
        language: Language,
    },
    /// Subtitles: one WebVTT file.
    Text {
        /// In which language.
        language: Language,
        /// What a menu shows.
        label: String,
    },
    /// Single pictures for quick seeking, instead of a set of pictures (DASH-IF IOP 3.2.9).
    Trick {
        /// Instead of this.
        of: SetId,
        /// How much faster than the lesson they may be played.
        max_rate: u32,
    },
    /// A storyboard: sheets of small pictures (DASH-IF IOP 6.2.6).
    Storyboard(Storyboard),
}

/// How sheets are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storyboard {
    /// Pictures side by side.
    pub columns: u32,
    /// Rows of pictures.
    pub rows: u32,
}

/// Where segments are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segments {
    /// `initialization` before segments `media`, each `each` grid segments long. In both, `$RepresentationID$` and
    /// `$Number%05d$` are filled in by the player.
    Template {
        /// `None`: nothing is needed before the first.
        initialization: Option<String>,
        /// Of every segment.
        media: String,
        /// Grid segments that one holds.
        each: u32,
    },
    /// One file a representation: its [`Representation::id`] says nothing, this does.
    Whole(String),
}

/// One form of the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representation {
    /// Its name, also in templates.
    pub id: String,
    /// Bits a second: with a segment's worth in store, a line of this rate never lets it run dry.
    pub bandwidth: u64,
    /// RFC 6381; `None` for what needs no decoder.
    pub codecs: Option<String>,
    /// Of pictures.
    pub video: Option<Video>,
    /// Channels of sound.
    pub channels: Option<u32>,
}

/// What pictures are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Video {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pictures a second as a fraction; `None` for sheets.
    pub rate: Option<(u32, u32)>,
}
