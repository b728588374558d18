//! Sections (2.4.4.11) and how they lie in packets.

use mpegts::{PACKET_BYTES, checksum};

/// Bytes of a packet that a table may fill.
const ROOM: usize = PACKET_BYTES - 4;
/// A packet's payload.
pub(crate) type Payload = [u8; ROOM];
/// What the field of a section's length can tell of tables that DVB lets be long (EN 300 468 5.1.1).
pub(super) const MAX_SECTION: usize = 4_096;

/// What stands in front of a table's fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) table: u8,
    /// `table_id_extension`: stream, programme or service.
    pub(super) extension: u16,
    pub(super) version: u8,
    pub(super) number: u8,
    pub(super) last: u8,
}

/// ```text
/// table 8 | 1 1 11, length 12 | extension 16 | 11, version 5, now 1 | number 8 | last 8 | fields | CRC 32
/// ```
///
/// DVB's tables have the second bit set, MPEG's not (it is `0` there).
pub(super) fn section(head: Head, fields: &[u8]) -> Vec<u8> {
    let length = fields.len() + 9;
    debug_assert!(length + 3 <= MAX_SECTION);
    let mark = if head.table < 0x40 { 0xb000 } else { 0xf000 };
    let mut section = vec![head.table];
    section.extend_from_slice(&(mark | length as u16 & 0x0fff).to_be_bytes());
    section.extend_from_slice(&head.extension.to_be_bytes());
    section.extend_from_slice(&[0xc1 | head.version << 1, head.number, head.last]);
    section.extend_from_slice(fields);
    section.extend_from_slice(&checksum(&section).to_be_bytes());
    section
}

/// A version for what hardly ever changes, so that another content has another one: 31 times of 32.
pub(super) fn version_of(fields: &[u8]) -> u8 {
    (checksum(fields) % 32) as u8
}

/// One section in packets of its own; what it does not fill is 0xff (2.4.4.1).
pub(crate) fn payloads(section: &[u8]) -> Vec<Payload> {
    // The pointer says that the section begins at once.
    let bytes = [&[0], section].concat();
    let payload = |part: &[u8]| {
        let mut payload = [0xff; ROOM];
        payload[..part.len()].copy_from_slice(part);
        payload
    };
    bytes.chunks(ROOM).map(payload).collect()
}

/// A packet that says nothing, on a PID whose packets are counted (stuffing table, EN 300 468 5.2.8).
pub(crate) fn stuffing() -> Payload {
    let mut payload = [0xff; ROOM];
    payload[..4].copy_from_slice(&[0, 0x72, 0x70, (ROOM - 4) as u8]);
    payload
}

/// `value` with the reserved bits in front set.
pub(super) fn reserved(bits: u16, value: u16) -> [u8; 2] {
    (bits | value).to_be_bytes()
}

/// A descriptor. Its content is at most 255 bytes, whoever makes it sees to that.
pub(super) fn descriptor(tag: u8, content: &[u8]) -> Vec<u8> {
    debug_assert!(content.len() <= 255);
    let mut descriptor = vec![tag, content.len() as u8];
    descriptor.extend_from_slice(content);
    descriptor
}
