//! One segment: one `moof`, one `mdat`, on the grid to the tick.

use super::boxes::{BoxError, Boxes, Reader};
use super::obu;

/// How samples are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Pictures in length-prefixed NAL units.
    H264,
    /// Pictures in OBUs, a temporal unit each.
    Av1,
    /// Sound: every frame can be decoded by itself.
    Aac,
}

/// What a segment says about its samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Decode time of the first sample, in ticks of the track.
    pub decode_time: u64,
    /// Decode times its samples take together.
    pub duration: u64,
    /// Samples.
    pub samples: u32,
    /// Presentation of the first sample after its decoding; negative before.
    pub first_offset: i64,
    /// The earliest presentation of all samples, against the first decode time.
    pub earliest: i64,
    /// The first sample needs none before it: an IDR picture, an AV1 key frame behind its sequence header, or sound.
    pub starts_afresh: bool,
}

/// Why a segment is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FragmentError {
    /// A box is missing or makes no sense.
    #[error("segment: {0}")]
    Box(#[from] BoxError),
    /// CMAF: one movie fragment with one track.
    #[error("segment: {0} fragments of {1} tracks instead of one of one")]
    Shape(usize, usize),
    /// Data that no sample owns, or the other way round.
    #[error("segment: samples of {samples} bytes in {data} bytes of data")]
    Data {
        /// Sum of the sizes told.
        samples: u64,
        /// Bytes there.
        data: u64,
    },
}

/// `tfhd` flags (ISO/IEC 14496-12 8.8.7).
mod tfhd {
    pub(super) const BASE_DATA_OFFSET: u32 = 0x1;
    pub(super) const SAMPLE_DESCRIPTION: u32 = 0x2;
    pub(super) const DURATION: u32 = 0x8;
    pub(super) const SIZE: u32 = 0x10;
}

/// `trun` flags (ISO/IEC 14496-12 8.8.8).
mod trun {
    pub(super) const DATA_OFFSET: u32 = 0x1;
    pub(super) const FIRST_FLAGS: u32 = 0x4;
    pub(super) const DURATION: u32 = 0x100;
    pub(super) const SIZE: u32 = 0x200;
    pub(super) const FLAGS: u32 = 0x400;
    pub(super) const OFFSET: u32 = 0x800;
}

#[derive(Default)]
struct Run {
    samples: u32,
    duration: u64,
    bytes: u64,
    first_bytes: Option<usize>,
    first_offset: Option<i64>,
    earliest: Option<i64>,
}

impl Fragment {
    /// Reads a whole segment of samples in `coding`.
    ///
    /// # Errors
    /// When it breaks one of the rules above.
    pub fn parse(bytes: &[u8], coding: Coding) -> Result<Self, FragmentError> {
        let segment = Boxes::of(bytes);
        let moof = Boxes::of(segment.first(b"moof")?);
        let (fragments, tracks) = (segment.how_many(b"moof")?, moof.how_many(b"traf")?);
        if (fragments, tracks, segment.how_many(b"mdat")?) != (1, 1, 1) {
            return Err(FragmentError::Shape(fragments, tracks));
        }
        let traf = Boxes::of(moof.first(b"traf")?);
        let decode_time = decode_time(traf.first(b"tfdt")?)?;
        let defaults = defaults(traf.first(b"tfhd")?)?;
        let mut run = Run::default();
        for item in traf {
            let (kind, content) = item?;
            if &kind == b"trun" {
                run.read(content, defaults)?;
            }
        }
        let mdat = segment.first(b"mdat")?;
        if run.bytes != mdat.len() as u64 {
            return Err(FragmentError::Data { samples: run.bytes, data: mdat.len() as u64 });
        }
        let first = mdat.get(..run.first_bytes.unwrap_or(0)).unwrap_or_default();
        Ok(Self {
            decode_time,
            duration: run.duration,
            samples: run.samples,
            first_offset: run.first_offset.unwrap_or(0),
            earliest: run.earliest.unwrap_or(0),
            starts_afresh: match coding {
                Coding::H264 => starts_with_idr(first)?,
                Coding::Av1 => obu::starts_with_key_frame(first)?,
                Coding::Aac => true,
            },
        })
    }
}

impl Run {
    fn read(&mut self, content: &[u8], (default_duration, default_size): (u32, u32)) -> Result<(), BoxError> {
        let mut reader = Reader::of(content);
        let (version, flags) = reader.full_box()?;
        let count = reader.u32()?;
        for flag in [trun::DATA_OFFSET, trun::FIRST_FLAGS] {
            if flags & flag != 0 {
                reader.u32()?;
            }
        }
        for _ in 0..count {
            let duration = if flags & trun::DURATION != 0 { reader.u32()? } else { default_duration };
            let size = if flags & trun::SIZE != 0 { reader.u32()? } else { default_size };
            if flags & trun::FLAGS != 0 {
                reader.u32()?;
            }
            let offset = match flags & trun::OFFSET {
                0 => 0,
                // Signed in version 1 (ISO/IEC 14496-12 8.8.8).
                _ if version >= 1 => i64::from(reader.u32()?.cast_signed()),
                _ => i64::from(reader.u32()?),
            };
            let presented = offset.saturating_add_unsigned(self.duration);
            self.earliest = Some(self.earliest.map_or(presented, |earliest| earliest.min(presented)));
            self.first_offset.get_or_insert(offset);
            self.first_bytes.get_or_insert(size as usize);
            self.duration += u64::from(duration);
            self.bytes += u64::from(size);
            self.samples = self.samples.saturating_add(1);
        }
        Ok(())
    }
}

fn decode_time(tfdt: &[u8]) -> Result<u64, BoxError> {
    let mut reader = Reader::of(tfdt);
    match reader.full_box()?.0 {
        0 => reader.u32().map(u64::from),
        _ => reader.u64(),
    }
}

/// Default duration and size of a sample.
fn defaults(tfhd: &[u8]) -> Result<(u32, u32), BoxError> {
    let mut reader = Reader::of(tfhd);
    let (_, flags) = reader.full_box()?;
    reader.u32()?;
    if flags & tfhd::BASE_DATA_OFFSET != 0 {
        reader.u64()?;
    }
    if flags & tfhd::SAMPLE_DESCRIPTION != 0 {
        reader.u32()?;
    }
    let duration = if flags & tfhd::DURATION != 0 { reader.u32()? } else { 0 };
    let size = if flags & tfhd::SIZE != 0 { reader.u32()? } else { 0 };
    Ok((duration, size))
}

/// The first coded slice of the access unit is of type 5 (ITU-T H.264 table 7-1); lengths are four bytes.
fn starts_with_idr(sample: &[u8]) -> Result<bool, BoxError> {
    let mut reader = Reader::of(sample);
    while !reader.rest().is_empty() {
        let length = reader.u32()? as usize;
        match reader.bytes(length)?.first().map(|header| header & 0x1f) {
            Some(5) => return Ok(true),
            Some(1..=4) => return Ok(false),
            _ => {}
        }
    }
    Ok(false)
}
