//! Times in tables, and the tables of time (EN 300 468 5.2.5, 5.2.6, annex C).

use super::section::descriptor;
use crate::guide::Service;
use mpegts::checksum;

/// Modified Julian date of 1 January 1970.
const EPOCH: u64 = 40_587;
const DAY_S: u64 = 86_400;
/// `local_time_offset_descriptor` (6.2.20).
const OFFSET: u8 = 0x58;

/// UTC: 16 bits of modified Julian date, which last until 22 April 2038 as everywhere in DVB, then hours, minutes, seconds in decimal digits of four bits.
pub(super) fn utc(seconds: u64) -> [u8; 5] {
    let [_, _, _, _, _, _, high, low] = (EPOCH + seconds / DAY_S).to_be_bytes();
    let [hours, minutes, seconds] = clock(seconds % DAY_S);
    [high, low, hours, minutes, seconds]
}

/// A length of time in the same digits; 99:59:59 at most.
pub(super) fn clock(seconds: u64) -> [u8; 3] {
    let seconds = seconds.min(99 * 3_600 + 59 * 60 + 59);
    [digits(seconds / 3_600), digits(seconds / 60 % 60), digits(seconds % 60)]
}

/// Below 100.
fn digits(number: u64) -> u8 {
    let (tens, ones) = (number / 10, number % 10);
    (tens << 4 | ones) as u8
}

/// TDT and TOT: what time it is, and how far the service's clocks are from it.
pub(crate) fn date_and_offset(seconds: u64, service: &Service) -> [Vec<u8>; 2] {
    let now = utc(seconds);
    let date = [&[0x70, 0x70, 5][..], &now].concat();
    let minutes = u64::from(service.utc_offset_minutes.unsigned_abs());
    let offset = [digits(minutes / 60), digits(minutes % 60)];
    // Region 0 of 6 bits, a reserved one, and the sign.
    let sign = 0x02 | u8::from(service.utc_offset_minutes < 0);
    // The next change of the offset is the same offset now: there is none.
    let zone = [&service.country[..], &[sign], &offset, &now, &offset].concat();
    let zone = descriptor(OFFSET, &zone);
    let length = now.len() + 2 + zone.len() + 4;
    let mut table = vec![0x73, 0x70, length as u8];
    table.extend_from_slice(&now);
    table.extend_from_slice(&[0xf0, zone.len() as u8]);
    table.extend_from_slice(&zone);
    table.extend_from_slice(&checksum(&table).to_be_bytes());
    [date, table]
}
