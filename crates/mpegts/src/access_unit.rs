//! Samples as a transport stream carries them: pictures in Annex B, sound in ADTS.

use crate::error::RemuxError;
use crate::track::AudioConfig;

/// NAL unit types (ITU-T H.264 table 7-1).
mod nal {
    pub(super) const IDR: u8 = 5;
    pub(super) const DELIMITER: u8 = 9;
    pub(super) const FILLER: u8 = 12;
}

/// A delimiter that allows every kind of slice (7.3.2.4), behind the start code of four bytes that the first NAL unit of
/// an access unit must have (B.1.2). 2.14.1 asks for one before each picture.
const DELIMITER: [u8; 6] = [0, 0, 0, 1, nal::DELIMITER, 0xf0];

/// One picture in Annex B, and whether it is an IDR picture, which gets the parameter sets in front.
///
/// `None`: the sample is no row of NAL units with lengths of `length_bytes`. Delimiters and filler are left out: a
/// delimiter is written, and filler says nothing.
pub(crate) fn picture(
    sample: &[u8],
    length_bytes: usize,
    parameter_sets: &[u8],
    out: &mut Vec<u8>,
) -> Option<bool> {
    let mut idr = false;
    let mut units = NalUnits { rest: sample, length_bytes };
    while !units.rest.is_empty() {
        idr |= units.next()?.0 == nal::IDR;
    }
    out.extend_from_slice(&DELIMITER);
    if idr {
        out.extend_from_slice(parameter_sets);
    }
    let mut units = NalUnits { rest: sample, length_bytes };
    while !units.rest.is_empty() {
        let (kind, unit) = units.next()?;
        if !matches!(kind, nal::DELIMITER | nal::FILLER) {
            out.extend_from_slice(&[0, 0, 1]);
            out.extend_from_slice(unit);
        }
    }
    Some(idr)
}

struct NalUnits<'a> {
    rest: &'a [u8],
    length_bytes: usize,
}

impl<'a> NalUnits<'a> {
    /// Type and bytes of the next one; `None`: there is no whole one.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (length, rest) = self.rest.split_at_checked(self.length_bytes)?;
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (unit, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some((unit.first()? & 0x1f, unit))
    }
}

/// Bytes of an ADTS header without a checksum.
pub(crate) const ADTS_HEADER: usize = 7;

/// One sound frame with its ADTS header (ISO/IEC 14496-3 1.A.2.2.1):
///
/// ```text
/// 1111 1111 1111 0 00 1 | pp rrrr 0 ccc 0 0 0 0 | l×13 | f×11 = 1 | 00
/// sync, MPEG-4, no CRC    profile, rate, channels  length  variable rate
/// ```
pub(crate) fn sound(frame: &[u8], config: AudioConfig, out: &mut Vec<u8>) -> Result<(), RemuxError> {
    let length = frame.len() + ADTS_HEADER;
    let told = u32::try_from(length).ok().filter(|&told| told < 1 << 13);
    let told = told.ok_or(RemuxError::FrameTooLong(length))?.to_be_bytes();
    let length = u16::from_be_bytes([told[2], told[3]]);
    let AudioConfig { object_type, rate_index, channels } = config;
    let [high, low] = (length << 5).to_be_bytes();
    out.extend_from_slice(&[
        0xff,
        0xf1,
        (object_type - 1) << 6 | rate_index << 2 | channels >> 2,
        (channels & 3) << 6 | u8::try_from(length >> 11).unwrap_or(0),
        high,
        low | 0x1f,
        0xfc,
    ]);
    out.extend_from_slice(frame);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_get_start_codes_and_idr_pictures_their_sets() {
        const SETS: &[u8] = b"\0\0\0\x01\x67S";
        for (sample, want) in [
            (&b"\0\0\0\x02\x41a"[..], Some((false, &b"\0\0\0\x01\x09\xf0\0\0\x01\x41a"[..]))),
            (b"\0\0\0\x02\x65a", Some((true, b"\0\0\0\x01\x09\xf0\0\0\0\x01\x67S\0\0\x01\x65a"))),
            // A delimiter that is there already, filler, two slices.
            (
                b"\0\0\0\x02\x09\x10\0\0\0\x01\x41\0\0\0\x02\x0c\xff\0\0\0\x01\x01",
                Some((false, b"\0\0\0\x01\x09\xf0\0\0\x01\x41\0\0\x01\x01")),
            ),
            (b"\0\0\0\x03\x41a", None),
            (b"\0\0\0", None),
            (b"\0\0\0\0", None),
        ] {
            let mut out = Vec::new();
            let idr = picture(sample, 4, SETS, &mut out);
            assert_eq!(idr.map(|idr| (idr, &out[..])), want, "{sample:?}");
        }
    }

    #[test]
    fn sound_frames_tell_their_length() {
        let config = AudioConfig { object_type: 2, rate_index: 3, channels: 2 };
        let mut out = Vec::new();
        sound(&[7; 300], config, &mut out).unwrap();
        assert_eq!(out[..7], [0xff, 0xf1, 0x4c, 0x80, 0x26, 0x7f, 0xfc]);
        assert_eq!((out.len(), out[7]), (307, 7));
        assert_eq!(sound(&[0; 8_185], config, &mut out), Err(RemuxError::FrameTooLong(8_192)));
    }
}
