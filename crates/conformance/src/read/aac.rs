//! AAC: the AudioSpecificConfig, ADTS headers, and how many channels a frame has.

use super::Nonsense;
use super::bits::{Bits, Cursor};

/// ISO/IEC 14496-3 table 1.18.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// What an AudioSpecificConfig says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AudioConfig {
    /// 2 is AAC-LC, 5 HE-AAC, 29 HE-AAC v2.
    pub(crate) object_type: u32,
    pub(crate) rate: u32,
    /// Zero: told in the frames.
    pub(crate) channels: u32,
}

impl AudioConfig {
    /// Out of an `esds` (ISO/IEC 14496-1 7.2.6).
    pub(crate) fn from_esds(body: &[u8]) -> Result<Self, Nonsense> {
        let mut cursor = Cursor::of(body);
        cursor.full()?;
        let mut stream = Cursor::of(descriptor(&mut cursor, 3)?);
        stream.take(3)?;
        let mut decoder = Cursor::of(descriptor(&mut stream, 4)?);
        let kind = decoder.u8()?;
        if kind != 0x40 {
            return Err(Nonsense::new(format!("esds of object type {kind:#x}, not MPEG-4 audio")));
        }
        decoder.take(12)?;
        Self::read(descriptor(&mut decoder, 5)?)
    }

    /// ISO/IEC 14496-3 1.6.2.1.
    pub(crate) fn read(config: &[u8]) -> Result<Self, Nonsense> {
        let mut bits = Bits::of(config);
        let object_type = match bits.bits(5)? {
            31 => 32 + bits.bits(6)?,
            plain => plain,
        };
        let rate = match bits.bits(4)? {
            15 => bits.bits(24)?,
            index => *RATES.get(index as usize).ok_or_else(|| Nonsense::new("no such sampling frequency"))?,
        };
        let channels = match bits.bits(4)? {
            7 => 8,
            channels @ 0..=6 => channels,
            other => return Err(Nonsense::new(format!("channel configuration {other}"))),
        };
        Ok(Self { object_type, rate, channels })
    }
}

fn descriptor<'a>(cursor: &mut Cursor<'a>, wanted: u8) -> Result<&'a [u8], Nonsense> {
    let tag = cursor.u8()?;
    if tag != wanted {
        return Err(Nonsense::new(format!("esds has descriptor {tag} where {wanted} belongs")));
    }
    let mut length = 0;
    for _ in 0..4 {
        let byte = cursor.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte < 0x80 {
            break;
        }
    }
    cursor.take(length)
}

/// Channels of the first element of a raw frame (ISO/IEC 14496-3 4.4.2.1); `None` when it is not told so simply.
pub(crate) fn frame_channels(frame: &[u8]) -> Option<u32> {
    let mut bits = Bits::of(frame);
    /// Fill and data elements in front; encoders put one with their name into the first frame.
    const MAX_IN_FRONT: usize = 8;
    for _ in 0..MAX_IN_FRONT {
        let skip = match bits.bits(3).ok()? {
            0 => return Some(1),
            1 => return Some(2),
            4 => {
                bits.bits(4).ok()?;
                let align = bits.flag().ok()?;
                let count = bits.bits(8).ok()?;
                let count = if count == 255 { count + bits.bits(8).ok()? } else { count };
                if align {
                    bits.bits((8 - bits.position() as u32 % 8) % 8).ok()?;
                }
                count
            }
            6 => match bits.bits(4).ok()? {
                15 => 14 + bits.bits(8).ok()?,
                count => count,
            },
            _ => return None,
        };
        for _ in 0..skip {
            bits.bits(8).ok()?;
        }
    }
    None
}

/// One frame with its ADTS header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Adts {
    pub(crate) config: AudioConfig,
    /// Header and frame.
    pub(crate) length: usize,
    pub(crate) header: usize,
}

/// The frame at the front of `bytes`.
pub(crate) fn adts(bytes: &[u8]) -> Result<Adts, Nonsense> {
    let mut bits = Bits::of(bytes);
    if bits.bits(12)? != 0xfff {
        return Err(Nonsense::new("no ADTS sync word"));
    }
    bits.bits(3)?;
    let header = if bits.flag()? { 7 } else { 9 };
    let object_type = bits.bits(2)? + 1;
    let rate =
        *RATES.get(bits.bits(4)? as usize).ok_or_else(|| Nonsense::new("no such sampling frequency"))?;
    bits.bit()?;
    let channels = bits.bits(3)?;
    bits.bits(4)?;
    let length = bits.bits(13)? as usize;
    if length < header {
        return Err(Nonsense::new(format!("an ADTS frame of {length} bytes")));
    }
    Ok(Adts { config: AudioConfig { object_type, rate, channels }, length, header })
}
