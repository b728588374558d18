//! MPEG-TS segments (ISO/IEC 13818-1): tables, continuity, time stamps, elementary streams.

use super::Nonsense;
use super::bits::Cursor;
use std::collections::BTreeMap;

const PACKET: usize = 188;

/// What a segment holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transport {
    /// PAT, then PMT, stand before any elementary stream's packet.
    pub(crate) tables_first: bool,
    /// Elementary streams by PID: type.
    pub(crate) streams: BTreeMap<u16, u8>,
    /// Continuity counters: first, last, by PID; only packets with payload count.
    pub(crate) counters: BTreeMap<u16, (u8, u8)>,
    /// Packets that do not follow the one before: PID, packet number.
    pub(crate) breaks: Vec<(u16, usize)>,
    /// The streams' access units or runs of frames.
    pub(crate) units: BTreeMap<u16, Vec<Unit>>,
    pub(crate) has_clock: bool,
}

/// One PES packet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unit {
    /// 90 kHz, 33 bits.
    pub(crate) presentation: Option<u64>,
    pub(crate) decoding: Option<u64>,
    pub(crate) data: Vec<u8>,
}

impl Transport {
    /// PIDs of one of `types`.
    pub(crate) fn of<'a>(&'a self, types: &'a [u8]) -> impl Iterator<Item = u16> + 'a {
        self.streams.iter().filter(|(_, kind)| types.contains(kind)).map(|(pid, _)| *pid)
    }
}

/// H.264, HEVC.
pub(crate) const VIDEO: [u8; 2] = [0x1b, 0x24];
/// AAC in ADTS, MPEG audio, AC-3, E-AC-3.
pub(crate) const AUDIO: [u8; 5] = [0x0f, 0x03, 0x04, 0x81, 0x87];

pub(crate) fn read(bytes: &[u8]) -> Result<Transport, Nonsense> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(PACKET) {
        return Err(Nonsense::new(format!("{} bytes are no whole packets of {PACKET}", bytes.len())));
    }
    let mut transport = Transport { tables_first: true, ..Transport::default() };
    let mut table = None;
    for (number, packet) in bytes.chunks_exact(PACKET).enumerate() {
        let header = &packet[..4];
        if header[0] != 0x47 {
            return Err(Nonsense::new(format!("packet {number} has no sync byte")));
        }
        let starts = header[1] & 0x40 != 0;
        let pid = u16::from(header[1] & 0x1f) << 8 | u16::from(header[2]);
        let (adaptation, payload) = (header[3] & 0x20 != 0, header[3] & 0x10 != 0);
        let mut at = 4;
        let mut discontinuity = false;
        if adaptation {
            let length = usize::from(packet[4]);
            if length > 0 {
                discontinuity = packet[5] & 0x80 != 0;
                transport.has_clock |= packet[5] & 0x10 != 0;
            }
            at += 1 + length;
        }
        if pid == 0x1fff || !payload {
            continue;
        }
        count(&mut transport, pid, header[3] & 15, number, discontinuity);
        let Some(payload) = packet.get(at..) else {
            return Err(Nonsense::new(format!("packet {number} is all adaptation field")));
        };
        match pid {
            0 if starts => table = programme(payload)?.or(table),
            pid if Some(pid) == table && starts => transport.streams = streams(payload)?,
            0 => {}
            pid if Some(pid) == table => {}
            pid if transport.streams.is_empty() => {
                transport.tables_first = false;
                if starts && transport.streams.is_empty() {
                    transport.counters.entry(pid).or_insert((0, 0));
                }
            }
            pid if transport.streams.contains_key(&pid) => {
                let units = transport.units.entry(pid).or_default();
                if starts {
                    units.push(unit(payload)?);
                } else if let Some(unit) = units.last_mut() {
                    unit.data.extend_from_slice(payload);
                }
            }
            _ => {}
        }
    }
    if transport.streams.is_empty() {
        return Err(Nonsense::new("no PAT and PMT"));
    }
    Ok(transport)
}

fn count(transport: &mut Transport, pid: u16, counter: u8, number: usize, discontinuity: bool) {
    match transport.counters.get_mut(&pid) {
        Some((_, last)) => {
            // A packet may be sent twice (2.4.3.3).
            if counter != (*last + 1) & 15 && counter != *last && !discontinuity {
                transport.breaks.push((pid, number));
            }
            *last = counter;
        }
        None => {
            transport.counters.insert(pid, (counter, counter));
        }
    }
}

/// The section behind its pointer, without header and checksum.
fn section(payload: &[u8], wanted: u8) -> Result<&[u8], Nonsense> {
    let mut cursor = Cursor::of(payload);
    let pointer = usize::from(cursor.u8()?);
    cursor.take(pointer)?;
    let id = cursor.u8()?;
    if id != wanted {
        return Err(Nonsense::new(format!("table {id} where {wanted} belongs")));
    }
    let length = usize::from(cursor.u16()? & 0x0fff);
    let body = cursor.take(length)?;
    body.get(5..length.saturating_sub(4)).ok_or_else(|| Nonsense::new("a table without content"))
}

fn programme(payload: &[u8]) -> Result<Option<u16>, Nonsense> {
    let mut cursor = Cursor::of(section(payload, 0)?);
    while cursor.rest().len() >= 4 {
        let (number, pid) = (cursor.u16()?, cursor.u16()? & 0x1fff);
        if number != 0 {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}

fn streams(payload: &[u8]) -> Result<BTreeMap<u16, u8>, Nonsense> {
    let mut cursor = Cursor::of(section(payload, 2)?);
    cursor.u16()?;
    let length = usize::from(cursor.u16()? & 0x0fff);
    cursor.take(length)?;
    let mut streams = BTreeMap::new();
    while !cursor.rest().is_empty() {
        let kind = cursor.u8()?;
        let pid = cursor.u16()? & 0x1fff;
        let length = usize::from(cursor.u16()? & 0x0fff);
        cursor.take(length)?;
        streams.insert(pid, kind);
    }
    Ok(streams)
}

fn unit(payload: &[u8]) -> Result<Unit, Nonsense> {
    let mut cursor = Cursor::of(payload);
    if cursor.number(3)? != 1 {
        return Err(Nonsense::new("a PES packet without its start code"));
    }
    cursor.take(4)?;
    let flags = cursor.u8()?;
    let length = usize::from(cursor.u8()?);
    let mut fields = Cursor::of(cursor.take(length)?);
    let mut unit = Unit { data: cursor.rest().to_vec(), ..Unit::default() };
    if flags & 0x80 != 0 {
        unit.presentation = Some(stamp(fields.number(5)?));
        unit.decoding = unit.presentation;
    }
    if flags & 0xc0 == 0xc0 {
        unit.decoding = Some(stamp(fields.number(5)?));
    }
    Ok(unit)
}

/// 33 bits between marker bits.
fn stamp(field: u64) -> u64 {
    (field >> 33 & 7) << 30 | (field >> 17 & 0x7fff) << 15 | field >> 1 & 0x7fff
}
