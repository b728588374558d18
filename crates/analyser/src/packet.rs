//! One packet (ISO/IEC 13818-1 2.4.3.2 to 2.4.3.5).

use crate::{PACKET_BYTES, SYNC};

/// The PID of packets that say nothing.
pub(crate) const NULL: u16 = 0x1fff;

/// What a packet says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet<'a> {
    pub(crate) pid: u16,
    pub(crate) error: bool,
    /// `payload_unit_start_indicator`.
    pub(crate) start: bool,
    pub(crate) counter: u8,
    pub(crate) discontinuity: bool,
    pub(crate) random_access: bool,
    /// In ticks of 1/27,000,000 s.
    pub(crate) clock: Option<u64>,
    pub(crate) payload: Option<&'a [u8]>,
}

impl<'a> Packet<'a> {
    /// `None`: no packet, or one that contradicts itself.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() != PACKET_BYTES || bytes[0] != SYNC {
            return None;
        }
        let has_payload = bytes[3] & 0x10 != 0;
        let mut packet = Self {
            pid: u16::from(bytes[1] & 0x1f) << 8 | u16::from(bytes[2]),
            error: bytes[1] & 0x80 != 0,
            start: bytes[1] & 0x40 != 0,
            counter: bytes[3] & 0x0f,
            discontinuity: false,
            random_access: false,
            clock: None,
            payload: None,
        };
        let mut at = 4;
        if bytes[3] & 0x20 != 0 {
            let length = usize::from(bytes[4]);
            let field = bytes.get(5..5 + length)?;
            // With payload at most 182 bytes, without exactly 183 (2.4.3.5).
            if if has_payload { length > 182 } else { length != 183 } {
                return None;
            }
            if let Some(flags) = field.first() {
                packet.discontinuity = flags & 0x80 != 0;
                packet.random_access = flags & 0x40 != 0;
                if flags & 0x10 != 0 {
                    let base = field.get(1..6)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                    let extension = u64::from(field[5] & 1) << 8 | u64::from(*field.get(6)?);
                    packet.clock = Some((base >> 7) * 300 + extension);
                }
            }
            at += 1 + length;
        }
        if has_payload {
            packet.payload = bytes.get(at..).filter(|payload| !payload.is_empty());
        } else if bytes[3] & 0x20 == 0 {
            return None;
        }
        Some(packet)
    }
}

/// What the next packet of a PID must be numbered (2.4.3.3).
#[derive(Debug, Default)]
pub(crate) struct Counter {
    last: Option<u8>,
    /// The packet before may come twice, no more.
    repeated: bool,
}

impl Counter {
    /// Whether `packet` does not follow the one before.
    pub(crate) fn breaks(&mut self, packet: &Packet<'_>) -> bool {
        let Some(last) = self.last.replace(packet.counter) else { return false };
        let is_next = packet.counter == (last + 1) & 0xf;
        let is_same = packet.counter == last;
        let follows = match packet.payload {
            None => is_same,
            Some(_) if is_next => true,
            Some(_) => is_same && !self.repeated,
        };
        self.repeated = packet.payload.is_some() && is_same;
        !follows && !packet.discontinuity
    }
}
