//! A second opinion on transport streams: what a head-end's monitor would complain of, and what a receiver would show.
//!
//! ```text
//! bytes ─▶ packet ─┬▶ clock     references, their distance, rate and accuracy
//!                  ├▶ sections ─▶ tables   PAT, PMT, SDT, EIT, TDT: checksums, intervals, versions, names
//!                  └▶ stream    PES: time stamps, whether they come before they are due, sound buffer
//! ```
//!
//! It shares no code with what writes streams, so that one misunderstanding cannot both write and approve. Pure; memory is
//! bounded, whatever comes.

mod clock;
mod packet;
mod report;
mod section;
mod stream;
mod tables;

pub use report::{EventSeen, Fault, Report, StreamReport};

use clock::Clock;
use packet::Packet;
use section::Sections;
use std::collections::BTreeMap;
use stream::{Kind, Stream};
use tables::Tables;

/// Bytes in a packet.
pub const PACKET_BYTES: usize = 188;
/// Every packet begins with it.
const SYNC: u8 = 0x47;

/// Reads a stream packet by packet.
#[derive(Debug, Default)]
pub struct Analyser {
    /// Of the packet that is looked at, from 0.
    index: u64,
    nulls: u64,
    faults: BTreeMap<Fault, u64>,
    first_faults: Vec<(u64, Fault)>,
    counters: BTreeMap<u16, packet::Counter>,
    clock: Clock,
    sections: BTreeMap<u16, Sections>,
    tables: Tables,
    streams: BTreeMap<u16, Stream>,
}

/// How many faults are told with their place.
const MAX_TOLD: usize = 64;

impl Analyser {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whole packets in a row; what is left over is no packet and is a fault.
    pub fn read(&mut self, bytes: &[u8]) {
        let packets = bytes.chunks_exact(PACKET_BYTES);
        let torn = !packets.remainder().is_empty();
        packets.for_each(|packet| self.packet(packet));
        if torn {
            self.fault(Fault::Sync);
        }
    }

    fn packet(&mut self, bytes: &[u8]) {
        if let Some(packet) = Packet::parse(bytes) {
            self.look_at(&packet);
        } else {
            self.fault(Fault::Sync);
        }
        self.index += 1;
    }

    fn look_at(&mut self, packet: &Packet<'_>) {
        if packet.error {
            self.fault(Fault::TransportError);
        }
        if packet.pid == packet::NULL {
            self.nulls += 1;
            return;
        }
        if self.counters.entry(packet.pid).or_default().breaks(packet) {
            self.fault(Fault::Continuity);
        }
        // A program's clock: of the one PID that its map names.
        if let Some(reference) = packet.clock
            && self.tables.clock_pid().is_none_or(|pid| pid == packet.pid)
        {
            let faults = self.clock.reference(self.index, reference, packet.discontinuity);
            faults.into_iter().for_each(|fault| self.fault(fault));
        }
        let Some(payload) = packet.payload else { return };
        let now = self.clock.at(self.index);
        if self.tables.is_of_tables(packet.pid) {
            let whole = self.sections.entry(packet.pid).or_default().packet(packet.start, payload);
            for section in whole {
                let faults = self.tables.section(packet.pid, &section, now);
                faults.into_iter().for_each(|fault| self.fault(fault));
            }
        } else if let Some(kind) = self.tables.stream(packet.pid).and_then(Kind::of) {
            let stream = self.streams.entry(packet.pid).or_insert_with(|| Stream::new(kind));
            let faults = stream.packet(packet, payload, now);
            faults.into_iter().for_each(|fault| self.fault(fault));
        }
    }

    fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
        if self.first_faults.len() < MAX_TOLD {
            self.first_faults.push((self.index, fault));
        }
    }

    /// What has been seen so far.
    pub fn report(&self) -> Report {
        let mut faults = self.faults.clone();
        for (fault, count) in self.clock.verdict().into_iter().chain(self.tables.verdict(self.index)) {
            *faults.entry(fault).or_default() += count;
        }
        Report {
            packets: self.index,
            nulls: self.nulls,
            faults,
            first_faults: self.first_faults.clone(),
            clock: self.clock.report(),
            streams: self.streams.iter().map(|(&pid, stream)| (pid, stream.report())).collect(),
            tables: self.tables.report(),
        }
    }
}

#[cfg(test)]
mod tests;
