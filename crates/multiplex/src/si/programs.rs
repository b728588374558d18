//! PAT and PMT: what is in the stream and where (2.4.4).

use super::pid;
use super::section::{Head, descriptor, reserved, section, version_of};
use crate::guide::Service;

/// Stream types (table 2-34).
const H264: u8 = 0x1b;
const AAC_IN_ADTS: u8 = 0x0f;
/// `ISO_639_language_descriptor` (2.6.18).
const LANGUAGE: u8 = 0x0a;

/// The table of programmes: one. The network's own table is the head-end's to add.
pub(crate) fn programs(service: &Service) -> Vec<u8> {
    let fields = [service.service.to_be_bytes(), reserved(0xe000, pid::MAP)].concat();
    table(0x00, service.transport_stream, &fields)
}

/// The programme's map: pictures, which also carry the clock, and sound.
pub(crate) fn map(service: &Service) -> Vec<u8> {
    let stream = |kind: u8, pid: u16, descriptors: &[u8]| {
        let [high, low] = reserved(0xe000, pid);
        let [long, short] = reserved(0xf000, descriptors.len() as u16);
        [&[kind, high, low, long, short], descriptors].concat()
    };
    // Audio type 0: of no special purpose.
    let language = descriptor(LANGUAGE, &[&service.language[..], &[0]].concat());
    let fields = [
        &reserved(0xe000, pid::VIDEO)[..],
        &reserved(0xf000, 0),
        &stream(H264, pid::VIDEO, &[]),
        &stream(AAC_IN_ADTS, pid::AUDIO, &language),
    ];
    table(0x02, service.service, &fields.concat())
}

fn table(table: u8, extension: u16, fields: &[u8]) -> Vec<u8> {
    section(Head { table, extension, version: version_of(fields), number: 0, last: 0 }, fields)
}
