//! Which packet comes when: the places of a period, filled from what cannot move to what can.

use super::cut::Pieces;
use crate::rate::Rate;
use crate::si::{Payload, pid};
use mpegts::{PACKET_BYTES, WRAP};
use std::collections::BTreeMap;

/// Behind the header of a packet.
const ROOM: usize = PACKET_BYTES - 4;

/// The places of one period.
#[derive(Debug)]
pub(super) struct Layout {
    rate: Rate,
    number: u64,
    bytes: Vec<u8>,
    taken: Vec<bool>,
    /// Of each PID the number of its next packet, and the first place it may take: packets of a PID keep their order.
    lanes: BTreeMap<u16, (u8, usize)>,
}

impl Layout {
    /// Empty: all null packets (2.4.3.3).
    pub(super) fn new(rate: Rate, number: u64) -> Self {
        let count = rate.packets() as usize;
        let mut bytes = vec![0xff; count * PACKET_BYTES];
        let [high, low] = pid::NULL.to_be_bytes();
        for packet in bytes.chunks_exact_mut(PACKET_BYTES) {
            packet[..4].copy_from_slice(&[0x47, high, low, 0x10]);
        }
        Self { rate, number, bytes, taken: vec![false; count], lanes: BTreeMap::new() }
    }

    /// The first packet of `pid` in this period will have this number.
    pub(super) fn begin(&mut self, pid: u16, counter: u8) {
        self.lanes.insert(pid, (counter, 0));
    }

    /// A packet with nothing but the time it is sent at, on the PID of pictures: exactly here, as the first thing that is
    /// laid out.
    pub(super) fn clock(&mut self, place: usize) {
        let ticks = self.rate.clock(self.number, place as u32);
        // 33 bits of 90 kHz, six reserved, nine of 27 MHz (2.4.3.5).
        let (base, extension) = (ticks / 300 % WRAP, ticks % 300);
        let bits = base << 15 | 0x3f << 9 | extension;
        let [_, _, reference @ ..] = bits.to_be_bytes();
        let [high, low] = pid::VIDEO.to_be_bytes();
        let packet = self.take(place);
        packet[..6].copy_from_slice(&[0x47, high, low, 0x20, (ROOM - 1) as u8, 0x10]);
        packet[6..12].copy_from_slice(&reference);
    }

    /// A part of a table at the first free place from `at` on, in ticks of 1/90,000 s; how many did not fit.
    pub(super) fn table(&mut self, pid: u16, at: u64, payload: &Payload) -> Result<(), usize> {
        let start = payload[0] == 0;
        self.next(pid, self.rate.place_at(at), &Piece { payload, start, random_access: false })
            .map(|_| ())
            .ok_or(1)
    }

    /// PES packets each from its time on, packets `spacing` places apart; how many come too late.
    pub(super) fn soon(&mut self, pid: u16, all: &[Pieces<'_>], spacing: usize) -> Result<(), usize> {
        let mut late = 0;
        let mut from = 0;
        for Pieces { unit, payloads } in all {
            from = from.max(self.rate.place_at(unit.from));
            let due = self.rate.whole_by(unit.due);
            for piece in Piece::of(unit.random_access, payloads) {
                match self.next(pid, from, &piece) {
                    Some(place) if place < due => from = place + spacing,
                    _ => late += 1,
                }
            }
        }
        if late == 0 { Ok(()) } else { Err(late) }
    }

    /// PES packets in the places that are left: each from its time on, or earlier as far as it must for all to come when
    /// they are due. How many come too late otherwise.
    pub(super) fn late(&mut self, pid: u16, all: &[Pieces<'_>]) -> Result<(), usize> {
        let free: Vec<usize> = (0..self.taken.len()).filter(|&place| !self.taken[place]).collect();
        let before = |place: usize| free.partition_point(|&free| free < place);
        // From the end: the last moment at which each may begin.
        let mut latest = Vec::with_capacity(all.len());
        let mut end = free.len();
        let mut missing = 0;
        for Pieces { unit, payloads } in all.iter().rev() {
            end = end.min(before(self.rate.whole_by(unit.due)));
            missing += payloads.len().saturating_sub(end);
            end = end.saturating_sub(payloads.len());
            latest.push(end);
        }
        if missing > 0 {
            return Err(missing);
        }
        let mut next = 0;
        for (Pieces { unit, payloads }, latest) in all.iter().zip(latest.into_iter().rev()) {
            next = next.max(before(self.rate.place_at(unit.from)).min(latest));
            for piece in Piece::of(unit.random_access, payloads) {
                self.write(free[next], pid, &piece);
                next += 1;
            }
        }
        Ok(())
    }

    /// The period, its packets numbered (2.4.3.3): a packet without payload has the number of the one before.
    pub(super) fn bytes(mut self) -> Vec<u8> {
        for (packet, taken) in self.bytes.chunks_exact_mut(PACKET_BYTES).zip(&self.taken) {
            let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
            if let (true, Some((counter, _))) = (taken, self.lanes.get_mut(&pid)) {
                let payload = packet[3] & 0x10 != 0;
                packet[3] |= if payload { *counter } else { counter.wrapping_sub(1) & 0xf };
                *counter = (*counter + u8::from(payload)) & 0xf;
            }
        }
        self.bytes
    }

    /// Writes at the first free place from `from` on; `None`: there is none.
    fn next(&mut self, pid: u16, from: usize, piece: &Piece<'_>) -> Option<usize> {
        let from = from.max(self.lanes.get(&pid).map_or(0, |lane| lane.1));
        let place = from + self.taken.get(from..)?.iter().position(|&taken| !taken)?;
        self.write(place, pid, piece);
        if let Some(lane) = self.lanes.get_mut(&pid) {
            lane.1 = place + 1;
        }
        Some(place)
    }

    fn take(&mut self, place: usize) -> &mut [u8] {
        self.taken[place] = true;
        &mut self.bytes[place * PACKET_BYTES..][..PACKET_BYTES]
    }

    fn write(&mut self, place: usize, pid: u16, piece: &Piece<'_>) {
        let Piece { payload, start, random_access } = *piece;
        let [high, low] = pid.to_be_bytes();
        let field = ROOM - payload.len();
        let packet = self.take(place);
        packet[1] = high | if start { 0x40 } else { 0 };
        packet[2] = low;
        packet[3] = 0x10 | u8::from(field > 0) << 5;
        if field > 0 {
            packet[4] = (field - 1) as u8;
        }
        if field > 1 {
            packet[5] = if random_access { 0x40 } else { 0 };
        }
        packet[4 + field..].copy_from_slice(payload);
    }
}

/// What one packet carries.
struct Piece<'a> {
    payload: &'a [u8],
    start: bool,
    random_access: bool,
}

impl<'a> Piece<'a> {
    fn of(random_access: bool, payloads: &[&'a [u8]]) -> impl Iterator<Item = Self> {
        payloads.iter().enumerate().map(move |(index, payload)| {
            let start = index == 0;
            Self { payload, start, random_access: start && random_access }
        })
    }
}
