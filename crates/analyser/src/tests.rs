//! Streams that somebody else wrote, and streams that are broken.

use crate::section::remainder;
use crate::{Analyser, Fault};
use proptest::prelude::*;

/// A packet of `pid` with `counter`; the payload is stuffed at its end.
fn packet(pid: u16, counter: u8, start: bool, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x47, if start { 0x40 } else { 0 } | (pid >> 8) as u8, pid as u8, 0x10 | counter];
    packet.extend_from_slice(payload);
    packet.resize(188, 0xff);
    packet
}

/// A packet with the time alone.
fn clock(pid: u16, counter: u8, ticks: u64) -> Vec<u8> {
    let mut packet = vec![0x47, (pid >> 8) as u8, pid as u8, 0x20 | counter, 183, 0x10];
    let (base, extension) = (ticks / 300, ticks % 300);
    let bits = base << 15 | 0x3f << 9 | extension;
    packet.extend_from_slice(&bits.to_be_bytes()[2..]);
    packet.resize(188, 0xff);
    packet
}

fn faults(packets: &[Vec<u8>]) -> Vec<(Fault, u64)> {
    let mut analyser = Analyser::new();
    packets.iter().for_each(|packet| analyser.read(packet));
    analyser.report().faults.into_iter().filter(|(fault, _)| *fault != Fault::NoClock).collect()
}

#[test]
fn a_missing_packet_is_seen() {
    let row = |counters: &[u8]| -> Vec<Vec<u8>> {
        counters.iter().map(|&counter| packet(0x100, counter, false, b"x")).collect()
    };
    for (counters, broken) in
        [(&[14, 15, 0, 1][..], 0), (&[1, 2, 2, 3], 0), (&[1, 2, 2, 2, 3], 1), (&[1, 3], 1), (&[2, 1], 1)]
    {
        let want: &[(Fault, u64)] = if broken > 0 { &[(Fault::Continuity, broken)] } else { &[] };
        assert_eq!(faults(&row(counters)), want, "{counters:?}");
    }
    // Without payload the number stays.
    assert_eq!(
        faults(&[packet(0x100, 5, false, b"x"), clock(0x100, 5, 0), packet(0x100, 6, false, b"x")]),
        []
    );
    assert_eq!(faults(&[packet(0x100, 5, false, b"x"), clock(0x100, 6, 0)]), [(Fault::Continuity, 1)]);
}

#[test]
fn clocks_that_are_late_or_uneven_are_seen() {
    let row = |times: &[u64]| -> Vec<Vec<u8>> { times.iter().map(|&time| clock(0x100, 0, time)).collect() };
    let even: Vec<u64> = (0..100).map(|index| index * 1_000_000).collect();
    assert_eq!(faults(&row(&even)), []);
    let mut uneven = even.clone();
    uneven[50] += 20;
    assert_eq!(faults(&row(&uneven)), [(Fault::ClockAccuracy, 1)]);
    let slow: Vec<u64> = (0..10).map(|index| index * 1_100_000).collect();
    assert_eq!(faults(&row(&slow)), [(Fault::ClockInterval, 9)]);
    let mut analyser = Analyser::new();
    row(&even).iter().for_each(|packet| analyser.read(packet));
    let clock = analyser.report().clock;
    assert!((clock.rate_bps - 188.0 * 8.0 * 27.0).abs() < 0.01, "{clock:?}");
    assert!(faults(&row(&[0, 1_000_000, 90_000_000]))[..1] == [(Fault::ClockStep, 1)]);
}

#[test]
fn a_damaged_table_is_seen() {
    assert_eq!(remainder(b"123456789"), 0x0376_e6e7);
    let table = b"\0\0\xb0\x0d\0\x01\xc1\0\0\0\x01\xf0\0\x2a\xb1\x04\xb2";
    assert_eq!(faults(&[packet(0, 0, true, table)]), []);
    let mut damaged = table.to_vec();
    damaged[10] ^= 1;
    assert_eq!(faults(&[packet(0, 0, true, &damaged)]), [(Fault::Checksum, 1)]);
}

#[test]
fn what_is_no_packet_is_seen() {
    assert_eq!(faults(&[vec![0; 188]]), [(Fault::Sync, 1)]);
    assert_eq!(faults(&[vec![0x47; 100]]), [(Fault::Sync, 1)]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 188), 0..20)) {
        let mut analyser = Analyser::new();
        for mut packet in packets {
            packet[0] = 0x47;
            // PIDs that something is looked for on.
            packet[1] &= 0xe1;
            packet[2] &= 0x13;
            analyser.read(&packet);
        }
        let _ = analyser.report().to_string();
    }
}
