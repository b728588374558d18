//! AV1: `av1C`, OBUs, the sequence header, and whether a sample starts with a key picture.

use super::Nonsense;
use super::bits::Bits;

/// What a sequence header (or `av1C`) says of profile, level and samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sequence {
    pub(crate) profile: u32,
    pub(crate) level: u32,
    pub(crate) tier: u32,
    pub(crate) depth: u32,
    pub(crate) monochrome: bool,
    /// Largest columns and rows; `None` in `av1C`.
    pub(crate) size: Option<(u32, u32)>,
    reduced: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Av1Config {
    /// As the box says.
    pub(crate) told: Sequence,
    /// As its sequence header says; `None` without one.
    pub(crate) sequence: Option<Sequence>,
}

impl Sequence {
    /// The same but for the size.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let key = |s: &Self| (s.profile, s.level, s.tier, s.depth, s.monochrome);
        key(self) == key(other)
    }
}

impl Av1Config {
    /// AV1 in ISOBMFF 2.3.3.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Nonsense> {
        let mut bits = Bits::of(body);
        if (bits.bits(1)?, bits.bits(7)?) != (1, 1) {
            return Err(Nonsense::new("av1C of an unknown version"));
        }
        let (profile, level, tier) = (bits.bits(3)?, bits.bits(5)?, bits.bits(1)?);
        let (high, twelve, monochrome) = (bits.flag()?, bits.flag()?, bits.flag()?);
        let depth = if twelve {
            12
        } else if high {
            10
        } else {
            8
        };
        let told = Sequence { profile, level, tier, depth, monochrome, ..Sequence::default() };
        let sequence = obus(body.get(4..).unwrap_or_default())?
            .iter()
            .find(|obu| obu.kind == 1)
            .map(|obu| sequence(obu.body))
            .transpose()?;
        Ok(Self { told, sequence })
    }

    /// RFC 6381 name, short form (AV1 in ISOBMFF 5).
    pub(crate) fn codec(&self) -> String {
        let Sequence { profile, level, tier, depth, .. } = self.sequence.unwrap_or(self.told);
        format!("av01.{profile}.{level:02}{}.{depth:02}", if tier == 1 { 'H' } else { 'M' })
    }
}

/// One open bitstream unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Obu<'a> {
    /// 1 sequence header, 2 temporal delimiter, 3 frame header, 6 frame.
    pub(crate) kind: u32,
    /// It tells its size.
    pub(crate) sized: bool,
    pub(crate) body: &'a [u8],
}

/// OBUs of one sample; a picture has a few tile groups.
const MAX_OBUS: usize = 4_096;

/// The OBUs of a sample (AV1 5.3).
pub(crate) fn obus(mut bytes: &[u8]) -> Result<Vec<Obu<'_>>, Nonsense> {
    let mut list = Vec::new();
    while !bytes.is_empty() {
        if list.len() == MAX_OBUS {
            return Err(Nonsense::new(format!("more than {MAX_OBUS} OBUs")));
        }
        let mut bits = Bits::of(bytes);
        if bits.flag()? {
            return Err(Nonsense::new("an OBU with its forbidden bit set"));
        }
        let kind = bits.bits(4)?;
        let (extended, sized) = (bits.flag()?, bits.flag()?);
        let mut header = if extended { 2 } else { 1 };
        let length = if sized {
            let (length, used) = leb128(bytes.get(header..).unwrap_or_default())?;
            header += used;
            usize::try_from(length).unwrap_or(usize::MAX)
        } else {
            bytes.len().saturating_sub(header)
        };
        let end = header.saturating_add(length);
        let body = bytes
            .get(header..end)
            .ok_or_else(|| Nonsense::new(format!("an OBU of {length} bytes does not fit")))?;
        list.push(Obu { kind, sized, body });
        bytes = &bytes[end..];
    }
    Ok(list)
}

fn leb128(bytes: &[u8]) -> Result<(u64, usize), Nonsense> {
    let mut value = 0;
    for (place, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok((value, place + 1));
        }
    }
    Err(Nonsense::new("a size without an end"))
}

/// AV1 5.5.1, as far as the colour configuration's first fields.
pub(crate) fn sequence(body: &[u8]) -> Result<Sequence, Nonsense> {
    let mut bits = Bits::of(body);
    let mut found = Sequence { profile: bits.bits(3)?, ..Sequence::default() };
    bits.bit()?;
    found.reduced = bits.flag()?;
    if found.reduced {
        found.level = bits.bits(5)?;
    } else {
        operating_points(&mut bits, &mut found)?;
    }
    let (width_bits, height_bits) = (bits.bits(4)? + 1, bits.bits(4)? + 1);
    found.size = Some((bits.bits(width_bits)? + 1, bits.bits(height_bits)? + 1));
    if !found.reduced && bits.flag()? {
        bits.bits(7)?;
    }
    // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
    bits.bits(3)?;
    if !found.reduced {
        // enable_interintra_compound, enable_masked_compound, enable_warped_motion, enable_dual_filter
        bits.bits(4)?;
        let order_hints = bits.flag()?;
        if order_hints {
            // enable_jnt_comp, enable_ref_frame_mvs
            bits.bits(2)?;
        }
        let screen_tools = if bits.flag()? { 2 } else { bits.bit()? };
        if screen_tools > 0 && !bits.flag()? {
            bits.bit()?;
        }
        if order_hints {
            bits.bits(3)?;
        }
    }
    // enable_superres, enable_cdef, enable_restoration
    bits.bits(3)?;
    let high = bits.flag()?;
    found.depth = match (found.profile, high) {
        (_, false) => 8,
        (2, true) if bits.flag()? => 12,
        _ => 10,
    };
    found.monochrome = found.profile != 1 && bits.flag()?;
    Ok(found)
}

fn operating_points(bits: &mut Bits<'_>, found: &mut Sequence) -> Result<(), Nonsense> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.bits(32)?;
        bits.bits(32)?;
        if bits.flag()? {
            bits.ue()?;
        }
        if bits.flag()? {
            delay_bits = Some(bits.bits(5)? + 1);
            bits.bits(32)?;
            bits.bits(10)?;
        }
    }
    let initial_delay = bits.flag()?;
    for point in 0..=bits.bits(5)? {
        bits.bits(12)?;
        let level = bits.bits(5)?;
        let tier = if level > 7 { bits.bit()? } else { 0 };
        if point == 0 {
            (found.level, found.tier) = (level, tier);
        }
        if let Some(count) = delay_bits
            && bits.flag()?
        {
            bits.bits(count)?;
            bits.bits(count)?;
            bits.bit()?;
        }
        if initial_delay && bits.flag()? {
            bits.bits(4)?;
        }
    }
    Ok(())
}

/// What a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sample {
    /// Its first picture is a key picture that is shown.
    pub(crate) is_key: bool,
    pub(crate) sequence: Option<Sequence>,
    /// An OBU other than the last does not tell its size.
    pub(crate) unsized_obu: bool,
    pub(crate) pictures: usize,
}

/// Looks at a sample.
pub(crate) fn sample(bytes: &[u8], reduced: bool) -> Result<Sample, Nonsense> {
    let mut found = Sample::default();
    let mut reduced = reduced;
    for obu in obus(bytes)? {
        found.unsized_obu |= !obu.sized;
        match obu.kind {
            1 => {
                let header = sequence(obu.body)?;
                reduced = header.reduced;
                found.sequence = Some(header);
            }
            3 | 6 => {
                if found.pictures == 0 {
                    let mut bits = Bits::of(obu.body);
                    // show_existing_frame, frame_type (0 is a key frame), show_frame
                    found.is_key = reduced || !bits.flag()? && bits.bits(2)? == 0 && bits.flag()?;
                }
                found.pictures += 1;
            }
            _ => {}
        }
    }
    if found.pictures == 0 {
        return Err(Nonsense::new("a sample without a picture"));
    }
    Ok(found)
}
