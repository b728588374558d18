//! The access units of CMAF segments by themselves, for whoever makes a stream of another shape of them.

use crate::access_unit;
use crate::error::RemuxError;
use crate::remux::ticks;
use crate::samples::samples;
use crate::track::{Pictures, Sound};

/// One rendition of pictures and one of sound, as their init sections describe them.
#[derive(Debug, Clone)]
pub struct Tracks {
    pictures: Pictures,
    sound: Sound,
}

/// One coded picture in Annex B, with a delimiter and, if it is an IDR picture, the parameter sets in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// When it is decoded, in ticks of 1/90,000 s of media time.
    pub decoded: u64,
    /// When it is shown. CMAF lets this lie before `decoded` (negative composition offsets).
    pub shown: u64,
    /// Everything behind can be decoded without what came before.
    pub idr: bool,
    /// The access unit.
    pub bytes: Vec<u8>,
}

/// One sound frame with its ADTS header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When it is heard, in ticks of 1/90,000 s of media time.
    pub shown: u64,
    /// Header and frame.
    pub bytes: Vec<u8>,
}

impl Tracks {
    /// Of two init sections (`ftyp`, `moov`): H.264 as `avc1`, AAC as `mp4a`.
    ///
    /// # Errors
    /// When they are something else or make no sense.
    pub fn new(video_init: &[u8], audio_init: &[u8]) -> Result<Self, RemuxError> {
        Ok(Self { pictures: Pictures::parse(video_init)?, sound: Sound::parse(audio_init)? })
    }

    /// The pictures of a segment, in the order they are decoded in.
    ///
    /// # Errors
    /// When the segment makes no sense.
    pub fn pictures(&self, segment: &[u8]) -> Result<Vec<Picture>, RemuxError> {
        let Pictures { timescale, defaults, length_bytes, parameter_sets, .. } = &self.pictures;
        let picture = |(index, sample): (usize, &crate::samples::Sample<'_>)| {
            let shown = sample.decoded.checked_add_signed(sample.offset);
            let shown = shown.ok_or(RemuxError::ShownTooEarly(index))?;
            let mut bytes = Vec::with_capacity(sample.data.len() + 16);
            let idr = access_unit::picture(sample.data, *length_bytes, parameter_sets, &mut bytes);
            Ok(Picture {
                decoded: ticks(sample.decoded, *timescale)?,
                shown: ticks(shown, *timescale)?,
                idr: idr.ok_or(RemuxError::NalUnits(index))?,
                bytes,
            })
        };
        samples(segment, *defaults)?.iter().enumerate().map(picture).collect()
    }

    /// The sound frames of a segment.
    ///
    /// # Errors
    /// When the segment makes no sense.
    pub fn sound(&self, segment: &[u8]) -> Result<Vec<Frame>, RemuxError> {
        let Sound { timescale, defaults, config } = &self.sound;
        let frame = |sample: &crate::samples::Sample<'_>| {
            let shown = sample.decoded.checked_add_signed(sample.offset).ok_or(RemuxError::Time)?;
            let mut bytes = Vec::with_capacity(sample.data.len() + access_unit::ADTS_HEADER);
            access_unit::sound(sample.data, *config, &mut bytes)?;
            Ok(Frame { shown: ticks(shown, *timescale)?, bytes })
        };
        samples(segment, *defaults)?.iter().map(frame).collect()
    }
}
