//! PES packets: what carries the time of an access unit (2.4.3.6).

/// Which stream, as PES numbers them (table 2-22): the first of pictures, the first of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamId {
    /// Pictures.
    Video = 0xe0,
    /// Sound.
    Audio = 0xc0,
}

/// Bytes of a header with one time stamp; the second takes five more.
pub(crate) const HEADER: usize = 14;
/// What a length of 16 bits can tell behind its own field.
pub(crate) const MAX_TOLD: usize = 0xffff;
/// Time stamps have 33 bits (2.4.3.7) and run over after 26 hours.
pub const WRAP: u64 = 1 << 33;

/// A whole packet: `payload` is shown and decoded at those ticks of 1/90,000 s, which may be beyond 33 bits.
///
/// `payload` begins with an access unit. Sound must stay below 64 KiB, pictures need not (2.4.3.7).
pub fn packet(stream: StreamId, shown: u64, decoded: u64, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(HEADER + 5 + payload.len());
    begin(stream, shown, decoded, &mut packet);
    packet.extend_from_slice(payload);
    finish(&mut packet);
    packet
}

/// Begins a packet; the payload is appended, then the packet is [`finished`](finish).
///
/// ```text
/// 00 00 01 id | length 16 | 10 00 0 1 0 0 | PD 000000 | bytes that follow | PTS 40 | DTS 40 where it differs
/// ```
pub(crate) fn begin(stream: StreamId, shown: u64, decoded: u64, out: &mut Vec<u8>) {
    out.clear();
    // data_alignment_indicator: an access unit begins with the payload.
    out.extend_from_slice(&[0, 0, 1, stream as u8, 0, 0, 0x84]);
    if shown == decoded {
        out.extend_from_slice(&[0x80, 5]);
        out.extend_from_slice(&stamp(0x2, shown));
    } else {
        out.extend_from_slice(&[0xc0, 10]);
        out.extend_from_slice(&stamp(0x3, shown));
        out.extend_from_slice(&stamp(0x1, decoded));
    }
}

/// Tells the length, so that nobody waits for the next packet to know that this one is whole. A picture that is too
/// large for it has no length told, which only pictures may (2.4.3.7).
pub(crate) fn finish(packet: &mut [u8]) {
    let length = packet.len() - 6;
    let told = u16::try_from(length).unwrap_or(0);
    packet[4..6].copy_from_slice(&told.to_be_bytes());
}

/// `mark`, then 33 bits in groups of 3, 15 and 15, a 1 behind each.
fn stamp(mark: u8, ticks: u64) -> [u8; 5] {
    let ticks = ticks % WRAP;
    let bits = u64::from(mark) << 36
        | (ticks >> 30 & 0x7) << 33
        | 1 << 32
        | (ticks >> 15 & 0x7fff) << 17
        | 1 << 16
        | (ticks & 0x7fff) << 1
        | 1;
    let [_, _, _, bytes @ ..] = bits.to_be_bytes();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_spread_over_five_bytes() {
        for (mark, ticks, want) in [
            (2, 0, [0x21, 0, 1, 0, 1]),
            (2, 900_000, [0x21, 0x00, 0x37, 0x77, 0x41]),
            (3, WRAP - 1, [0x3f, 0xff, 0xff, 0xff, 0xff]),
            (1, WRAP, [0x11, 0, 1, 0, 1]),
        ] {
            assert_eq!(stamp(mark, ticks), want, "{ticks}");
        }
    }

    #[test]
    fn the_second_stamp_is_there_only_when_it_differs() {
        let mut packet = Vec::new();
        begin(StreamId::Audio, 5, 5, &mut packet);
        packet.extend_from_slice(b"ab");
        finish(&mut packet);
        assert_eq!(packet, b"\0\0\x01\xc0\0\x0a\x84\x80\x05\x21\0\x01\0\x0bab");
        begin(StreamId::Video, 5, 4, &mut packet);
        packet.resize(MAX_TOLD + 7, 0);
        finish(&mut packet);
        assert_eq!(packet[..9], *b"\0\0\x01\xe0\0\0\x84\xc0\x0a");
    }
}
