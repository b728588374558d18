//! The units AV1 streams consist of (AV1 Bitstream & Decoding Process Specification 5.3 to 5.9), as far as we look.

use super::boxes::{BoxError, Reader};

/// OBU types (6.2.2).
mod kind {
    pub(super) const SEQUENCE_HEADER: u8 = 1;
    pub(super) const FRAME_HEADER: u8 = 3;
    pub(super) const FRAME: u8 = 6;
}

/// What a decoder has to be able to do (5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SequenceHeader {
    /// `seq_profile`: 0 is Main.
    pub(super) profile: u8,
    /// `seq_level_idx[0]`.
    pub(super) level: u8,
    /// `seq_tier[0]`.
    pub(super) high_tier: bool,
    /// More than 8 bits a sample.
    pub(super) high_bit_depth: bool,
}

impl SequenceHeader {
    /// The first of `units`, if there is one that we could have made: without timing information, one operating point.
    pub(super) fn read(units: &[u8]) -> Result<Option<Self>, BoxError> {
        for unit in Units(units) {
            let (found, payload) = unit?;
            if found == kind::SEQUENCE_HEADER {
                return Ok(Self::parse(payload));
            }
        }
        Ok(None)
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        let mut bits = Bits { bytes: payload, at: 0 };
        let profile = bits.take(3)?;
        let (still, reduced, timing) = (bits.take(1)?, bits.take(1)?, bits.take(1)?);
        let (display_delay, more_points) = (bits.take(1)?, bits.take(5)?);
        if (still, reduced, timing, more_points) != (0, 0, 0, 0) {
            return None;
        }
        bits.take(12)?;
        let level = bits.take(5)?;
        let high_tier = level > 7 && bits.take(1)? == 1;
        if display_delay == 1 && bits.take(1)? == 1 {
            bits.take(4)?;
        }
        let (width_bits, height_bits) = (bits.take(4)? + 1, bits.take(4)? + 1);
        bits.take(width_bits)?;
        bits.take(height_bits)?;
        // Frame numbers: only if present.
        if bits.take(1)? == 1 {
            bits.take(7)?;
        }
        // Superblock size, filter intra, intra edge; then the tools of inter pictures.
        bits.take(3)?;
        bits.take(4)?;
        let order_hint = bits.take(1)?;
        if order_hint == 1 {
            bits.take(2)?;
        }
        // Screen content tools: chosen picture by picture, or told here; so whole motion vectors.
        let screen_content = if bits.take(1)? == 1 { 2 } else { bits.take(1)? };
        if screen_content > 0 && bits.take(1)? == 0 {
            bits.take(1)?;
        }
        if order_hint == 1 {
            bits.take(3)?;
        }
        // Super-resolution, CDEF, restoration; then the colour, which begins with the depth.
        bits.take(3)?;
        let high_bit_depth = bits.take(1)? == 1;
        Some(Self {
            profile: u8::try_from(profile).ok()?,
            level: u8::try_from(level).ok()?,
            high_tier,
            high_bit_depth,
        })
    }
}

/// A temporal unit starts with a sequence header, and its first frame is a key frame that is shown at once: what IDR is
/// in H.264. (A key frame that is shown later lets pictures before it refer across it.)
pub(super) fn starts_with_key_frame(sample: &[u8]) -> Result<bool, BoxError> {
    let mut header = false;
    for unit in Units(sample) {
        let (found, payload) = unit?;
        match found {
            kind::SEQUENCE_HEADER => header = true,
            kind::FRAME | kind::FRAME_HEADER => {
                let mut bits = Bits { bytes: payload, at: 0 };
                // show_existing_frame, frame_type, show_frame (5.9.2).
                let start = (bits.take(1), bits.take(2), bits.take(1));
                return Ok(header && start == (Some(0), Some(0), Some(1)));
            }
            _ => {}
        }
    }
    Ok(false)
}

/// The units of a row of bytes: type and payload of each.
struct Units<'a>(&'a [u8]);

impl<'a> Iterator for Units<'a> {
    type Item = Result<(u8, &'a [u8]), BoxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let mut reader = Reader::of(self.0);
        let unit = read_unit(&mut reader);
        self.0 = if unit.is_ok() { reader.rest() } else { &[] };
        Some(unit)
    }
}

fn read_unit<'a>(reader: &mut Reader<'a>) -> Result<(u8, &'a [u8]), BoxError> {
    let header = reader.u8()?;
    if header & 0x04 != 0 {
        reader.u8()?;
    }
    // Only the last unit of a sample may leave its size out.
    let size = if header & 0x02 != 0 { leb128(reader)? } else { reader.rest().len() };
    Ok((header >> 3 & 0xf, reader.bytes(size)?))
}

/// Seven bits a byte, the lowest first (4.10.5).
fn leb128(reader: &mut Reader<'_>) -> Result<usize, BoxError> {
    let mut value = 0u64;
    for place in 0..8 {
        let byte = reader.u8()?;
        value |= u64::from(byte & 0x7f) << (place * 7);
        if byte & 0x80 == 0 {
            return usize::try_from(value).map_err(|_| BoxError::Short);
        }
    }
    Err(BoxError::Short)
}

/// Bits from the highest of the first byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next `count`, at most 32.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SVT-AV1 1.4.1 writes for 640x360 in 8 bits.
    const SEQUENCE: &[u8] = &[0x0a, 0x0b, 0x00, 0x00, 0x00, 0x04, 0x3c, 0xff, 0xb3, 0xc2, 0xcb, 0x00, 0x40];

    #[test]
    fn segments_start_with_a_header_and_a_key_frame_that_is_shown() {
        let frame = |first: u8| [0x32, 0x02, first, 0x00];
        for (units, afresh, case) in [
            ([SEQUENCE, &frame(0b0001_0000)].concat(), true, "header, then a key frame"),
            ([&[0x12, 0x00], SEQUENCE, &frame(0b0001_0000)].concat(), true, "behind a delimiter"),
            ([SEQUENCE, &frame(0b0000_0000)].concat(), false, "a key frame that is shown later"),
            ([SEQUENCE, &frame(0b0011_0000)].concat(), false, "an inter frame"),
            ([SEQUENCE, &frame(0b1000_0000)].concat(), false, "a frame from before shown again"),
            (frame(0b0001_0000).to_vec(), false, "without a header nobody can begin here"),
            (SEQUENCE.to_vec(), false, "a header alone"),
            (Vec::new(), false, "nothing"),
        ] {
            assert_eq!(starts_with_key_frame(&units), Ok(afresh), "{case}");
        }
    }

    #[test]
    fn units_never_reach_beyond_what_holds_them() {
        for bytes in
            [&[0x0a][..], &[0x0a, 0x05, 0x00], &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]
        {
            assert_eq!(starts_with_key_frame(bytes), Err(BoxError::Short), "{bytes:?}");
        }
        // Without a size the unit is all that is left.
        assert_eq!(starts_with_key_frame(&[0x30, 0x10]), Ok(false));
    }
}
