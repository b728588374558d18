//! H.264: NAL units and parameter sets (ITU-T H.264 7.3.2, annex E; ISO/IEC 14496-15 5.3.3).

use super::Nonsense;
use super::bits::{Bits, Cursor};
use std::collections::BTreeMap;

/// What `avcC` says.
#[derive(Debug, Clone)]
pub(crate) struct AvcConfig {
    /// Profile, constraints, level as the box says them.
    pub(crate) told: [u8; 3],
    /// Bytes of a NAL unit's length.
    pub(crate) length_size: usize,
    pub(crate) sps: Option<Sps>,
    pub(crate) sets: Sets,
    /// Why a parameter set could not be read.
    pub(crate) broken: Option<Nonsense>,
}

/// The parameter sets a slice may name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sets {
    pub(crate) sps: BTreeMap<u32, Sps>,
    pub(crate) pps: BTreeMap<u32, Pps>,
}

/// What a sequence parameter set says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sps {
    pub(crate) id: u32,
    pub(crate) profile: u8,
    pub(crate) constraints: u8,
    pub(crate) level: u8,
    pub(crate) frame_num_bits: u32,
    pub(crate) separate_planes: bool,
    pub(crate) frame_mbs_only: bool,
    pub(crate) mb_adaptive: bool,
    /// In macroblocks.
    pub(crate) coded: (u32, u32),
    /// Columns and rows that are shown.
    pub(crate) size: (u32, u32),
    /// Width to height of a sample; 0:0 is not told.
    pub(crate) sar: (u32, u32),
    /// Primaries, transfer, matrix; 2 is not told.
    pub(crate) colour: (u32, u32, u32),
    pub(crate) full_range: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pps {
    pub(crate) id: u32,
    pub(crate) sps: u32,
}

impl AvcConfig {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Nonsense> {
        let mut cursor = Cursor::of(body);
        if cursor.u8()? != 1 {
            return Err(Nonsense::new("avcC of an unknown version"));
        }
        let told = [cursor.u8()?, cursor.u8()?, cursor.u8()?];
        let length_size = usize::from(cursor.u8()? & 3) + 1;
        let mut config = Self { told, length_size, sps: None, sets: Sets::default(), broken: None };
        for _ in 0..cursor.u8()? & 31 {
            let length = usize::from(cursor.u16()?);
            config.take(cursor.take(length)?);
        }
        for _ in 0..cursor.u8()? {
            let length = usize::from(cursor.u16()?);
            config.take(cursor.take(length)?);
        }
        config.sps = config.sets.sps.values().next().cloned();
        Ok(config)
    }

    fn take(&mut self, nal: &[u8]) {
        if let Err(error) = self.sets.take(nal) {
            self.broken.get_or_insert(error);
        }
    }
}

impl Sets {
    /// Remembers a parameter set; other NAL units are none of its business.
    pub(crate) fn take(&mut self, nal: &[u8]) -> Result<(), Nonsense> {
        match nal.first().map(|header| header & 31) {
            Some(7) => {
                let sps = Sps::read(nal)?;
                self.sps.insert(sps.id, sps);
            }
            Some(8) => {
                let pps = Pps::read(nal)?;
                self.pps.insert(pps.id, pps);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Without emulation prevention (7.4.1.1). The header byte is kept.
pub(crate) fn unescape(nal: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for &byte in nal {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}

impl Sps {
    /// As in CODECS.
    pub(crate) fn codec(&self) -> String {
        format!("{:02X}{:02X}{:02X}", self.profile, self.constraints, self.level)
    }

    pub(crate) fn read(nal: &[u8]) -> Result<Self, Nonsense> {
        let plain = unescape(nal);
        let mut bits = Bits::of(plain.get(1..).unwrap_or_default());
        let (profile, constraints, level) = (bits.bits(8)? as u8, bits.bits(8)? as u8, bits.bits(8)? as u8);
        let id = bits.ue()?;
        let (mut chroma, mut separate_planes) = (1, false);
        if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
            chroma = bits.ue()?;
            separate_planes = chroma == 3 && bits.flag()?;
            bits.ue()?;
            bits.ue()?;
            bits.bit()?;
            if bits.flag()? {
                scaling_lists(&mut bits, if chroma == 3 { 12 } else { 8 })?;
            }
        }
        let frame_num_bits = bits.ue()?.saturating_add(4);
        match bits.ue()? {
            0 => {
                bits.ue()?;
            }
            1 => {
                bits.bit()?;
                bits.se()?;
                bits.se()?;
                for _ in 0..bits.ue()?.min(255) {
                    bits.se()?;
                }
            }
            _ => {}
        }
        bits.ue()?;
        bits.bit()?;
        let columns = bits.ue()?.saturating_add(1);
        let map_rows = bits.ue()?.saturating_add(1);
        let frame_mbs_only = bits.flag()?;
        let mb_adaptive = !frame_mbs_only && bits.flag()?;
        bits.bit()?;
        let rows = map_rows.saturating_mul(if frame_mbs_only { 1 } else { 2 });
        let mut size = (columns.saturating_mul(16), rows.saturating_mul(16));
        if bits.flag()? {
            let unit_x = if matches!(chroma, 1 | 2) && !separate_planes { 2 } else { 1 };
            let unit_y =
                (if chroma == 1 && !separate_planes { 2 } else { 1 }) * if frame_mbs_only { 1 } else { 2 };
            let (left, right, top, bottom) = (bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?);
            size.0 = size.0.saturating_sub(left.saturating_add(right).saturating_mul(unit_x));
            size.1 = size.1.saturating_sub(top.saturating_add(bottom).saturating_mul(unit_y));
        }
        let mut sps = Self {
            id,
            profile,
            constraints,
            level,
            frame_num_bits,
            separate_planes,
            frame_mbs_only,
            mb_adaptive,
            coded: (columns, rows),
            size,
            sar: (0, 0),
            colour: (2, 2, 2),
            full_range: false,
        };
        if bits.flag()? {
            sps.usability(&mut bits)?;
        }
        Ok(sps)
    }

    /// Annex E.1.1, as far as the colour.
    fn usability(&mut self, bits: &mut Bits<'_>) -> Result<(), Nonsense> {
        /// Table E-1.
        const RATIOS: [(u32, u32); 17] = [
            (0, 0),
            (1, 1),
            (12, 11),
            (10, 11),
            (16, 11),
            (40, 33),
            (24, 11),
            (20, 11),
            (32, 11),
            (80, 33),
            (18, 11),
            (15, 11),
            (64, 33),
            (160, 99),
            (4, 3),
            (3, 2),
            (2, 1),
        ];
        if bits.flag()? {
            self.sar = match bits.bits(8)? {
                255 => (bits.bits(16)?, bits.bits(16)?),
                index => RATIOS.get(index as usize).copied().unwrap_or_default(),
            };
        }
        if bits.flag()? {
            bits.bit()?;
        }
        if bits.flag()? {
            bits.bits(3)?;
            self.full_range = bits.flag()?;
            if bits.flag()? {
                self.colour = (bits.bits(8)?, bits.bits(8)?, bits.bits(8)?);
            }
        }
        Ok(())
    }
}

fn scaling_lists(bits: &mut Bits<'_>, count: usize) -> Result<(), Nonsense> {
    for place in 0..count {
        if !bits.flag()? {
            continue;
        }
        let (mut last, mut next) = (8i32, 8i32);
        for _ in 0..if place < 6 { 16 } else { 64 } {
            if next != 0 {
                next = last.wrapping_add(bits.se()?).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
    }
    Ok(())
}

impl Pps {
    fn read(nal: &[u8]) -> Result<Self, Nonsense> {
        let plain = unescape(nal);
        let mut bits = Bits::of(plain.get(1..).unwrap_or_default());
        Ok(Self { id: bits.ue()?, sps: bits.ue()? })
    }
}

/// The length-prefixed NAL units of a sample.
pub(crate) fn prefixed(sample: &[u8], length_size: usize) -> Result<Vec<&[u8]>, Nonsense> {
    let mut cursor = Cursor::of(sample);
    let mut nals = Vec::new();
    while !cursor.rest().is_empty() {
        let length = cursor.number(length_size)? as usize;
        let left = cursor.rest().len();
        let nal = cursor
            .take(length)
            .map_err(|_| Nonsense::new(format!("a NAL unit of {length} bytes in {left}")))?;
        if nal.is_empty() {
            return Err(Nonsense::new("an empty NAL unit"));
        }
        nals.push(nal);
    }
    Ok(nals)
}

/// The NAL units between start codes (annex B).
pub(crate) fn annex_b(bytes: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= bytes.len() {
        if bytes[at..at + 3] == [0, 0, 1] {
            starts.push(at);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let nal = |(start, end): (usize, usize)| {
        let nal = &bytes[start + 3..end];
        let kept = nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        &nal[..kept]
    };
    starts.iter().copied().zip(ends).map(nal).filter(|nal| !nal.is_empty()).collect()
}

/// What a level allows (table A-1): macroblocks of a frame, macroblocks a second. Level 1b is 11 with constraint_set3 up
/// to the Extended profile (A.3.1) and 9 from High on (A.3.2), where that flag says "intra only".
pub(crate) fn level_limits(level: u8, profile: u8, constraints: u8) -> Option<(u32, u32)> {
    Some(match level {
        11 if constraints & 0x10 != 0 && matches!(profile, 66 | 77 | 88) => (99, 1_485),
        9 | 10 => (99, 1_485),
        11 => (396, 3_000),
        12 => (396, 6_000),
        13 | 20 => (396, 11_880),
        21 => (792, 19_800),
        22 => (1_620, 20_250),
        30 => (1_620, 40_500),
        31 => (3_600, 108_000),
        32 => (5_120, 216_000),
        40 | 41 => (8_192, 245_760),
        42 => (8_704, 522_240),
        50 => (22_080, 589_824),
        51 => (36_864, 983_040),
        52 => (36_864, 2_073_600),
        60 => (139_264, 4_177_920),
        61 => (139_264, 8_355_840),
        62 => (139_264, 16_711_680),
        _ => return None,
    })
}

/// The lowest level for so many macroblocks a frame and a second.
pub(crate) fn lowest_level(frame: u32, second: u32) -> u8 {
    const LEVELS: [u8; 16] = [10, 11, 12, 13, 21, 22, 30, 31, 32, 40, 42, 50, 51, 52, 60, 61];
    let fits = |level: &u8| level_limits(*level, 100, 0).is_some_and(|(f, s)| frame <= f && second <= s);
    LEVELS.into_iter().find(fits).unwrap_or(62)
}
