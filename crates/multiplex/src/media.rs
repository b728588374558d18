//! What one segment holds, with times that count from its own start.

use crate::PERIOD_90KHZ;
use mpegts::{Frame, Picture, RemuxError, Tracks};

/// Pictures are decoded this long before the first of them is shown, in ticks of 1/90,000 s: three pictures at 25 a second.
///
/// One number for all programmes, so that decode times never step back where one follows the other, whatever the rates and
/// the reordering of both are. Pictures that need more are decoded as late as they may be (see [`Media::of`]).
pub(crate) const DECODED_AHEAD: u64 = 10_800;

/// The access units of one segment of 4.8 s.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Media {
    pub(crate) pictures: Vec<Coded>,
    pub(crate) sound: Vec<Frame>,
}

/// A picture; its times count from the start of the segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coded {
    /// Plus [`DECODED_AHEAD`], which keeps it from going below zero.
    pub(crate) decoded: u64,
    pub(crate) shown: u64,
    pub(crate) idr: bool,
    pub(crate) bytes: Vec<u8>,
}

/// Why a segment cannot go on air.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// It cannot be read.
    #[error(transparent)]
    Remux(#[from] RemuxError),
    /// It is not of the place on the grid that it should be of.
    #[error("the segment's {what} lie outside its 4.8 s")]
    OffGrid {
        /// Pictures or sound.
        what: &'static str,
    },
    /// Nothing can be decoded without the segment before it.
    #[error("the segment does not begin with an IDR picture")]
    NotIdr,
    /// A picture would be decoded after it is shown.
    #[error("picture {0} would be decoded after it is shown")]
    DecodedLate(usize),
}

impl Media {
    /// The access units of segment `number` of a lesson.
    ///
    /// # Errors
    /// When the segments make no sense, are of another place, or do not begin with an IDR picture.
    pub fn of(tracks: &Tracks, number: u32, video: &[u8], audio: &[u8]) -> Result<Self, MediaError> {
        let start = u64::from(number) * PERIOD_90KHZ;
        Self::new(start, tracks.pictures(video)?, tracks.sound(audio)?)
    }

    /// Of units whose times count from `start`.
    ///
    /// Decode times are moved forward by [`DECODED_AHEAD`] or, where pictures are reordered over a longer time, by that.
    /// None lies before `DECODED_AHEAD` ahead of the segment's first picture, so that it is after all of the segment
    /// before; the first ones then come a tick apart.
    pub(crate) fn new(start: u64, pictures: Vec<Picture>, sound: Vec<Frame>) -> Result<Self, MediaError> {
        if !pictures.first().is_some_and(|first| first.idr) {
            return Err(MediaError::NotIdr);
        }
        let ahead = pictures.iter().map(|picture| picture.decoded.saturating_sub(picture.shown)).max();
        let ahead = ahead.unwrap_or(0).max(DECODED_AHEAD);
        let within = |at: u64, what| {
            let at = at.checked_sub(start).filter(|&at| at < PERIOD_90KHZ);
            at.ok_or(MediaError::OffGrid { what })
        };
        let mut coded = Vec::with_capacity(pictures.len());
        let mut earliest = 0;
        for (index, picture) in pictures.into_iter().enumerate() {
            let shown = within(picture.shown, "pictures")?;
            let decoded = (within(picture.decoded, "pictures")? + DECODED_AHEAD).saturating_sub(ahead);
            let decoded = decoded.max(earliest);
            if decoded > shown + DECODED_AHEAD {
                return Err(MediaError::DecodedLate(index));
            }
            earliest = decoded + 1;
            coded.push(Coded { decoded, shown, idr: picture.idr, bytes: picture.bytes });
        }
        let frame = |frame: Frame| Ok(Frame { shown: within(frame.shown, "sound frames")?, ..frame });
        let sound = sound.into_iter().map(frame).collect::<Result<_, MediaError>>()?;
        Ok(Self { pictures: coded, sound })
    }
}
