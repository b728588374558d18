//! A segment's samples: where they lie, when they are decoded and shown.

use crate::boxes::{BoxError, Boxes, Reader};
use crate::error::RemuxError;
use crate::track::Defaults;

/// Samples in a segment: 288 pictures and 225 sound frames are what the grid has; this is for any segment.
const MAX_SAMPLES: usize = 8_192;
/// Bytes of a segment: 64 MiB, thirteen seconds of the 40 Mbit/s that no rung has.
const MAX_SEGMENT_BYTES: usize = 64 << 20;

/// One coded picture or sound frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample<'a> {
    /// In ticks of its track.
    pub(crate) decoded: u64,
    /// Shown this much after it is decoded; negative: before.
    pub(crate) offset: i64,
    pub(crate) duration: u32,
    pub(crate) data: &'a [u8],
}

/// All samples of `segment`, in decoding order and without gaps: one or more `moof` with their `mdat` (ISO/IEC 14496-12
/// 8.8).
pub(crate) fn samples<'a>(segment: &'a [u8], defaults: Defaults) -> Result<Vec<Sample<'a>>, RemuxError> {
    if segment.len() > MAX_SEGMENT_BYTES {
        return Err(RemuxError::TooLarge(MAX_SEGMENT_BYTES));
    }
    let mut samples = Vec::new();
    for item in Boxes::of(segment) {
        let item = item?;
        if item.kind == *b"moof" {
            let traf = Boxes::of(Boxes::of(item.content).first(b"traf")?);
            let mut run = Run::begin(segment, item.at, &traf, defaults)?;
            if let Some(Sample { decoded, duration, .. }) = samples.last()
                && decoded.checked_add(u64::from(*duration)) != Some(run.decoded)
            {
                return Err(RemuxError::Gap(samples.len()));
            }
            for item in traf {
                let item = item?;
                if item.kind == *b"trun" {
                    run.read(item.content, &mut samples)?;
                }
            }
        }
    }
    // Nothing lies in two samples, or what is written of a segment could be thousands of times as long.
    let together = samples.iter().map(|sample| sample.data.len()).sum::<usize>();
    match together {
        _ if samples.is_empty() => Err(RemuxError::Empty),
        together if together > segment.len() => Err(RemuxError::Overlapping(together)),
        _ => Ok(samples),
    }
}

/// `tfhd` flags (8.8.7).
mod tfhd {
    pub(super) const BASE_DATA_OFFSET: u32 = 0x1;
    pub(super) const SAMPLE_DESCRIPTION: u32 = 0x2;
    pub(super) const DURATION: u32 = 0x8;
    pub(super) const SIZE: u32 = 0x10;
}

/// `trun` flags (8.8.8).
mod trun {
    pub(super) const DATA_OFFSET: u32 = 0x1;
    pub(super) const FIRST_FLAGS: u32 = 0x4;
    pub(super) const DURATION: u32 = 0x100;
    pub(super) const SIZE: u32 = 0x200;
    pub(super) const FLAGS: u32 = 0x400;
    pub(super) const OFFSET: u32 = 0x800;
}

/// Where the next sample is, in time and in the segment.
struct Run<'a> {
    segment: &'a [u8],
    /// What data offsets count from: the `moof`, or what `tfhd` says.
    base: u64,
    /// Of the next sample, from the segment's start.
    at: u64,
    decoded: u64,
    defaults: Defaults,
}

impl<'a> Run<'a> {
    fn begin(
        segment: &'a [u8],
        moof: usize,
        traf: &Boxes<'a>,
        defaults: Defaults,
    ) -> Result<Self, RemuxError> {
        let mut tfdt = Reader::of(traf.first(b"tfdt")?);
        let decoded = match tfdt.full_box()?.0 {
            0 => u64::from(tfdt.u32()?),
            _ => tfdt.u64()?,
        };
        let mut head = Reader::of(traf.first(b"tfhd")?);
        let (_, flags) = head.full_box()?;
        head.u32()?; // track_ID
        let base = if flags & tfhd::BASE_DATA_OFFSET != 0 { head.u64()? } else { moof as u64 };
        if flags & tfhd::SAMPLE_DESCRIPTION != 0 {
            head.u32()?;
        }
        let duration = if flags & tfhd::DURATION != 0 { head.u32()? } else { defaults.duration };
        let size = if flags & tfhd::SIZE != 0 { head.u32()? } else { defaults.size };
        Ok(Self { segment, base, at: base, decoded, defaults: Defaults { duration, size } })
    }

    fn read(&mut self, content: &[u8], samples: &mut Vec<Sample<'a>>) -> Result<(), RemuxError> {
        let mut reader = Reader::of(content);
        let (version, flags) = reader.full_box()?;
        let count = reader.u32()? as usize;
        if count > MAX_SAMPLES - samples.len() {
            return Err(RemuxError::TooManySamples(MAX_SAMPLES));
        }
        if flags & trun::DATA_OFFSET != 0 {
            let offset = i64::from(reader.u32()?.cast_signed());
            let outside = RemuxError::OutsideSegment(samples.len());
            self.at = self.base.checked_add_signed(offset).ok_or(outside)?;
        }
        if flags & trun::FIRST_FLAGS != 0 {
            reader.u32()?;
        }
        for _ in 0..count {
            let sample = self.sample(&mut reader, version, flags, samples.len())?;
            samples.push(sample);
        }
        Ok(())
    }

    fn sample(
        &mut self,
        reader: &mut Reader<'_>,
        version: u8,
        flags: u32,
        index: usize,
    ) -> Result<Sample<'a>, RemuxError> {
        let field = |reader: &mut Reader<'_>, flag, default: u32| -> Result<u32, BoxError> {
            if flags & flag != 0 { reader.u32() } else { Ok(default) }
        };
        let duration = field(reader, trun::DURATION, self.defaults.duration)?;
        let size = field(reader, trun::SIZE, self.defaults.size)?;
        field(reader, trun::FLAGS, 0)?;
        let offset = field(reader, trun::OFFSET, 0)?;
        // Signed in version 1 (8.8.8).
        let offset = if version >= 1 { i64::from(offset.cast_signed()) } else { i64::from(offset) };
        let outside = || RemuxError::OutsideSegment(index);
        let end = self.at.checked_add(u64::from(size)).ok_or_else(outside)?;
        let place = |at: u64| usize::try_from(at).map_err(|_| outside());
        let data = self.segment.get(place(self.at)?..place(end)?).ok_or_else(outside)?;
        let decoded = self.decoded;
        self.at = end;
        self.decoded = decoded.checked_add(u64::from(duration)).ok_or(RemuxError::Time)?;
        Ok(Sample { decoded, offset, duration, data })
    }
}
