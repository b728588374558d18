//! PAT and PMT: what is in the stream and where (2.4.4).

use crate::PACKET_BYTES;

/// Packet identifiers. FFmpeg's, which every old device has met.
pub(crate) mod pid {
    pub(crate) const PROGRAMS: u16 = 0;
    pub(crate) const MAP: u16 = 0x1000;
    pub(crate) const VIDEO: u16 = 0x100;
    pub(crate) const AUDIO: u16 = 0x101;
}

/// Stream types (table 2-34).
const H264: u8 = 0x1b;
const AAC_IN_ADTS: u8 = 0x0f;

/// Bytes of a packet that a table may fill: no adaptation field.
pub(crate) type Payload = [u8; PACKET_BYTES - 4];

/// The table of programs: one, whose map is at [`pid::MAP`].
///
/// ```text
/// pointer | table 00 | 1011, length 12 | stream id 16 | 11, version 5, now 1 | 00 | 00 | program 16 | 111, PID 13 | CRC 32
/// ```
pub(crate) fn programs() -> Payload {
    section(0x00, &[&1_u16.to_be_bytes(), &reserved(0xe000, pid::MAP)])
}

/// The program's map: pictures, which also carry the clock, and sound.
pub(crate) fn map() -> Payload {
    let stream = |kind: u8, pid: u16| {
        let [high, low] = reserved(0xe000, pid);
        [kind, high, low, 0xf0, 0x00]
    };
    let fields: [&[u8]; 4] = [
        &reserved(0xe000, pid::VIDEO), // PCR_PID
        &[0xf0, 0x00],                 // no descriptors of the program
        &stream(H264, pid::VIDEO),
        &stream(AAC_IN_ADTS, pid::AUDIO),
    ];
    section(0x02, &fields)
}

/// `value` with the reserved bits in front set.
fn reserved(bits: u16, value: u16) -> [u8; 2] {
    (bits | value).to_be_bytes()
}

/// A table of one section, version 0, in a packet's payload; 0xff to the end.
fn section(table: u8, fields: &[&[u8]]) -> Payload {
    let fields = fields.concat();
    // Behind the length: five bytes, the fields, the checksum. At most a few dozen bytes.
    let length = u16::try_from(5 + fields.len() + 4).unwrap_or(0);
    let mut section = vec![table];
    section.extend_from_slice(&reserved(0xb000, length));
    section.extend_from_slice(&[0, 1, 0xc1, 0, 0]);
    section.extend_from_slice(&fields);
    let checksum = checksum(&section);
    section.extend_from_slice(&checksum.to_be_bytes());
    let mut payload = [0xff; PACKET_BYTES - 4];
    payload[0] = 0; // the section begins at once
    payload[1..=section.len()].copy_from_slice(&section);
    payload
}

/// CRC of annex A: polynomial 0x04c11db7 from all ones, bits neither turned round nor inverted.
pub fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            crc << 1 ^ if crc & 0x8000_0000 != 0 { 0x04c1_1db7 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_as_ffmpeg_would_write_them() {
        // The check value of CRC-32/MPEG-2.
        assert_eq!(checksum(b"123456789"), 0x0376_e6e7);
        let programs = programs();
        assert_eq!(programs[..17], *b"\0\0\xb0\x0d\0\x01\xc1\0\0\0\x01\xf0\0\x2a\xb1\x04\xb2");
        for (payload, length) in [(programs, 16), (map(), 26)] {
            // A section with its checksum has checksum zero.
            assert_eq!(checksum(&payload[1..=length]), 0);
            assert!(payload[length + 1..].iter().all(|&byte| byte == 0xff));
        }
    }
}
