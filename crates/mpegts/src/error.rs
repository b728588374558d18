//! Why there is no transport stream segment.

use crate::boxes::BoxError;

/// What is wrong with the sections and segments that were given. All of them are faults of whoever made them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemuxError {
    /// A box is missing or makes no sense.
    #[error(transparent)]
    Box(#[from] BoxError),
    /// Neither H.264 pictures out of band (`avc1`) nor AAC sound (`mp4a`), whichever belongs there.
    #[error("the sample entry is `{}`, not `{}`", .found.escape_ascii(), .wanted.escape_ascii())]
    SampleEntry {
        /// As the init section says.
        found: [u8; 4],
        /// What this half of the segment must be.
        wanted: [u8; 4],
    },
    /// `avcC`, `esds` or a parameter set says what cannot be.
    #[error("the codec's configuration makes no sense: {0}")]
    Configuration(&'static str),
    /// The sequence parameter set does not say how many pictures are decoded before they are shown.
    #[error("the sequence parameter set does not say how many pictures are reordered")]
    Reordering,
    /// A track that counts nothing a second.
    #[error("the timescale is 0")]
    Timescale,
    /// More samples than any segment has.
    #[error("a segment of more than {0} samples")]
    TooManySamples(usize),
    /// More bytes than any segment has.
    #[error("a segment of more than {0} bytes")]
    TooLarge(usize),
    /// A segment without a sample.
    #[error("a segment without samples")]
    Empty,
    /// A segment that lasts longer than any does.
    #[error("a segment of more than {0} s")]
    TooLong(u64),
    /// A fragment that does not begin where the one before it ends.
    #[error("sample {0} is not decoded where the one before it ends")]
    Gap(usize),
    /// A sample's bytes lie outside the segment.
    #[error("sample {0} lies outside its segment")]
    OutsideSegment(usize),
    /// Samples that are longer together than the segment they lie in.
    #[error("samples of {0} bytes together, more than their segment has")]
    Overlapping(usize),
    /// A sample is no row of whole NAL units.
    #[error("picture {0} is no row of whole NAL units")]
    NalUnits(usize),
    /// A frame that ADTS cannot tell the length of.
    #[error("a sound frame of {0} bytes is too long for ADTS")]
    FrameTooLong(usize),
    /// A picture shown before it could be decoded, even with the reordering the parameter set allows.
    #[error("picture {0} is shown before it is decoded")]
    ShownTooEarly(usize),
    /// The two segments are of different places of the lesson.
    #[error("pictures start at {video} and sound at {audio} ticks of 1/90,000 s: not the same segment")]
    Apart {
        /// Decode time of the first picture.
        video: u64,
        /// Time of the first sound frame.
        audio: u64,
    },
    /// Beyond what 64 bits of media time hold.
    #[error("a time stamp beyond reason")]
    Time,
}
