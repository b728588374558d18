//! Reads transport streams as a receiver does, and panics at what a receiver would stumble on.

use crate::tables::checksum;
use std::collections::BTreeMap;

/// A PES packet that came whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pes {
    pub(crate) shown: u64,
    pub(crate) decoded: u64,
    pub(crate) random_access: bool,
    pub(crate) payload: Vec<u8>,
}

/// What a segment held.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) video: Vec<Pes>,
    pub(crate) audio: Vec<Pes>,
    /// Clock references.
    pub(crate) clock: Vec<u64>,
}

/// Keeps the counters from segment to segment.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    counters: BTreeMap<u16, u8>,
}

impl Reader {
    pub(crate) fn read(&mut self, segment: &[u8]) -> Held {
        assert!(segment.len().is_multiple_of(188) && !segment.is_empty());
        let mut held = Held::default();
        let mut open: BTreeMap<u16, (bool, Vec<u8>)> = BTreeMap::new();
        for (place, packet) in segment.chunks_exact(188).enumerate() {
            assert_eq!(packet[0], 0x47);
            let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
            assert_eq!((packet[1] & 0xa0, packet[3] & 0xc0), (0, 0), "no error, no priority, not scrambled");
            let start = packet[1] & 0x40 != 0;
            let (payload, random_access) = self.adapted(pid, packet, &mut held);
            match pid {
                0 => {
                    assert_eq!(place, 0, "the table of programs comes first");
                    assert_eq!(section(payload), [0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0]);
                }
                0x1000 => {
                    assert_eq!(place, 1);
                    let map = section(payload);
                    assert_eq!(map[5..], *b"\xe1\0\xf0\0\x1b\xe1\0\xf0\0\x0f\xe1\x01\xf0\0");
                }
                _ if start => {
                    if let Some((random_access, bytes)) = open.insert(pid, (random_access, payload.to_vec()))
                    {
                        held.keep(pid, random_access, &bytes);
                    }
                }
                _ => open.get_mut(&pid).unwrap().1.extend_from_slice(payload),
            }
        }
        for (pid, (random_access, bytes)) in open {
            held.keep(pid, random_access, &bytes);
        }
        held
    }

    /// Payload behind the adaptation field, and whether that says "random access".
    fn adapted<'a>(&mut self, pid: u16, packet: &'a [u8], held: &mut Held) -> (&'a [u8], bool) {
        let (field, payload) = (packet[3] & 0x20 != 0, packet[3] & 0x10 != 0);
        let counter = packet[3] & 0xf;
        if let Some(before) = self.counters.insert(pid, counter) {
            let want = if payload { (before + 1) & 0xf } else { before };
            assert_eq!(counter, want, "continuity counter of {pid:#x}");
        }
        let length = if field { usize::from(packet[4]) + 1 } else { 0 };
        let flags = if length > 1 { packet[5] } else { 0 };
        if flags & 0x10 != 0 {
            let base = packet[6..11].iter().fold(0, |base, byte| base << 8 | u64::from(*byte)) >> 7;
            assert_eq!((packet[10] & 0x7f, packet[11]), (0x7e, 0), "reserved bits and no 27 MHz part");
            assert_eq!(pid, 0x100, "the map says who has the clock");
            held.clock.push(base);
        }
        assert_eq!(payload, 4 + length < 188);
        let stuffing = 4 + if flags & 0x10 != 0 { 8 } else { 2 };
        assert!(length <= 2 || packet[stuffing..4 + length].iter().all(|&byte| byte == 0xff));
        (&packet[4 + length..], flags & 0x40 != 0)
    }
}

impl Held {
    fn keep(&mut self, pid: u16, random_access: bool, bytes: &[u8]) {
        let (list, id) = if pid == 0x100 { (&mut self.video, 0xe0) } else { (&mut self.audio, 0xc0) };
        assert_eq!(bytes[..4], [0, 0, 1, id]);
        let told = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
        assert!(told == bytes.len() - 6 || (told == 0 && pid == 0x100 && bytes.len() > 0xffff));
        assert_eq!(bytes[6], 0x84);
        let (shown, decoded) = match bytes[7] {
            0x80 => (stamp(&bytes[9..14], 2), stamp(&bytes[9..14], 2)),
            0xc0 => (stamp(&bytes[9..14], 3), stamp(&bytes[14..19], 1)),
            flags => panic!("flags {flags:#x}"),
        };
        let payload = bytes[9 + usize::from(bytes[8])..].to_vec();
        list.push(Pes { shown, decoded, random_access, payload });
    }
}

fn stamp(bytes: &[u8], mark: u8) -> u64 {
    assert_eq!((bytes[0] >> 4, bytes[0] & 1, bytes[2] & 1, bytes[4] & 1), (mark, 1, 1, 1));
    let part = |high: u8, low: u8| u64::from(u16::from_be_bytes([high, low]) >> 1);
    u64::from(bytes[0] >> 1 & 7) << 30 | part(bytes[1], bytes[2]) << 15 | part(bytes[3], bytes[4])
}

/// The section's content behind its length and before its checksum.
fn section(payload: &[u8]) -> &[u8] {
    assert_eq!(payload[0], 0);
    let length = usize::from(u16::from_be_bytes([payload[2] & 0x0f, payload[3]]));
    assert_eq!(checksum(&payload[1..4 + length]), 0);
    &payload[4..length]
}
