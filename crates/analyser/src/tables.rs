//! Tables: PAT, PMT (13818-1 2.4.4), SDT, EIT, TDT (EN 300 468 5.2).

mod read;

use crate::clock::TICKS;
use crate::report::{EventSeen, Fault, TablesReport};
use crate::section::remainder;
use read::{Event, Reader};
use std::collections::BTreeMap;

/// Programs and events that are kept at most.
const MAX_KEPT: usize = 4_096;
/// Where PAT, SDT, EIT and TDT are.
const PROGRAMS: u16 = 0;
const SERVICES: u16 = 0x11;
const EVENTS: u16 = 0x12;
const TIME: u16 = 0x14;

/// What is repeated, and how often it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Repeated {
    Programs,
    Map,
    Services,
    Present,
    Time,
}

impl Repeated {
    const ALL: [Self; 5] = [Self::Programs, Self::Map, Self::Services, Self::Present, Self::Time];

    fn name(self) -> &'static str {
        match self {
            Self::Programs => "pat",
            Self::Map => "pmt",
            Self::Services => "sdt",
            Self::Present => "eit",
            Self::Time => "tdt",
        }
    }

    /// Seconds at most, doubled; and what it is when it takes longer.
    fn limit(self) -> (u64, Fault) {
        match self {
            Self::Programs => (1, Fault::ProgramsLate),
            Self::Map => (1, Fault::MapLate),
            Self::Services => (4, Fault::ServicesLate),
            Self::Present => (4, Fault::EventsLate),
            Self::Time => (60, Fault::TimeLate),
        }
    }
}

/// What the tables have said.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// PIDs of maps.
    maps: Vec<u16>,
    clock_pid: Option<u16>,
    /// `stream_type` by PID.
    streams: BTreeMap<u16, u8>,
    /// When the last one of a kind came, and the longest wait.
    seen: BTreeMap<Repeated, (u64, u64)>,
    /// Version and sum of each section, by PID, table, extension and number.
    versions: BTreeMap<(u16, u8, u16, u8), (u8, u32)>,
    schedule: BTreeMap<u64, EventSeen>,
    report: TablesReport,
}

impl Tables {
    pub(crate) fn clock_pid(&self) -> Option<u16> {
        self.clock_pid
    }

    pub(crate) fn is_of_tables(&self, pid: u16) -> bool {
        matches!(pid, PROGRAMS | SERVICES | EVENTS | TIME) || self.maps.contains(&pid)
    }

    pub(crate) fn stream(&self, pid: u16) -> Option<u8> {
        self.streams.get(&pid).copied()
    }

    /// One section; what is wrong with it.
    pub(crate) fn section(&mut self, pid: u16, section: &[u8], now: Option<u64>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let table = section[0];
        // Stuffing, and TDT, have no checksum.
        let has_sum = !matches!(table, 0x70 | 0x72);
        if has_sum && remainder(section) != 0 {
            faults.push(Fault::Checksum);
            return faults;
        }
        if has_sum && table != 0x73 && self.keeps_version(pid, section) {
            faults.push(Fault::VersionKept);
        }
        let understood = match (pid, table) {
            (PROGRAMS, 0x00) => self.programs(section),
            (SERVICES, 0x42) => self.services(section),
            (EVENTS, 0x4e..=0x6f) => self.events(table, section),
            (TIME, 0x70) => self.time(section),
            (_, 0x02) if self.maps.contains(&pid) => self.map(section),
            _ => Some(()),
        };
        if understood.is_none() {
            faults.push(Fault::Table);
        }
        let kind = match (pid, table) {
            (PROGRAMS, 0x00) => Repeated::Programs,
            (SERVICES, 0x42) => Repeated::Services,
            (EVENTS, 0x4e) if section.get(6) == Some(&0) => Repeated::Present,
            (TIME, 0x70) => Repeated::Time,
            (_, 0x02) => Repeated::Map,
            _ => return faults,
        };
        faults.extend(now.and_then(|now| self.repeated(kind, now)));
        faults
    }

    fn repeated(&mut self, kind: Repeated, now: u64) -> Option<Fault> {
        let (last, longest) = self.seen.entry(kind).or_insert((now, 0));
        let waited = now.saturating_sub(*last);
        (*last, *longest) = (now, waited.max(*longest));
        let (halves, fault) = kind.limit();
        (waited > halves * TICKS / 2).then_some(fault)
    }

    /// Whether another section stands under the version of one that was there before.
    fn keeps_version(&mut self, pid: u16, section: &[u8]) -> bool {
        let Some(&[table, _, _, high, low, version, number, ..]) = section.first_chunk::<8>() else {
            return false;
        };
        let sum = section.last_chunk().map_or(0, |sum| u32::from_be_bytes(*sum));
        let (key, version) = ((pid, table, u16::from_be_bytes([high, low]), number), version >> 1 & 0x1f);
        if self.versions.len() >= MAX_KEPT && !self.versions.contains_key(&key) {
            return false;
        }
        let before = self.versions.insert(key, (version, sum));
        before.is_some_and(|(before, other)| before == version && other != sum)
    }

    fn programs(&mut self, section: &[u8]) -> Option<()> {
        let mut reader = Reader::of_table(section, 8)?;
        self.maps.clear();
        while let Some(program) = reader.u16() {
            let pid = reader.u16()? & 0x1fff;
            if program != 0 {
                self.maps.push(pid);
            }
        }
        Some(())
    }

    fn map(&mut self, section: &[u8]) -> Option<()> {
        let mut reader = Reader::of_table(section, 8)?;
        self.clock_pid = Some(reader.u16()? & 0x1fff);
        let length = reader.u16()? & 0xfff;
        reader.take(length.into())?;
        while let Some(kind) = reader.u8() {
            let pid = reader.u16()? & 0x1fff;
            let length = reader.u16()? & 0xfff;
            reader.take(length.into())?;
            self.streams.insert(pid, kind);
        }
        Some(())
    }

    fn services(&mut self, section: &[u8]) -> Option<()> {
        let mut reader = Reader::of_table(section, 11)?;
        while let Some(service) = reader.u16() {
            reader.u8()?;
            let length = reader.u16()? & 0xfff;
            if let Some(names) = read::service(reader.take(length.into())?)
                && self.report.services.len() < MAX_KEPT
            {
                self.report.services.insert(service, names);
            }
        }
        Some(())
    }

    fn events(&mut self, table: u8, section: &[u8]) -> Option<()> {
        let number = *section.get(6)?;
        let mut reader = Reader::of_table(section, 14)?;
        while !reader.is_empty() {
            let Event { running, seen } = Event::read(&mut reader)?;
            match table {
                0x4e if number == 0 && running => self.is_on(seen),
                0x50..=0x5f if self.schedule.len() < MAX_KEPT => {
                    self.schedule.insert(seen.start_s, seen);
                }
                _ => {}
            }
        }
        Some(())
    }

    /// What is on is told again and again; kept when it changes.
    fn is_on(&mut self, event: EventSeen) {
        let present = &mut self.report.present;
        if present.last() != Some(&event) && present.len() < MAX_KEPT {
            present.push(event);
        }
    }

    fn time(&mut self, section: &[u8]) -> Option<()> {
        self.report.time_s = Some(read::utc(section.get(3..8)?)?);
        Some(())
    }

    /// What never came in a stream of `packets`. A few seconds of it need not have had everything.
    pub(crate) fn verdict(&self, packets: u64) -> Vec<(Fault, u64)> {
        let missing = |kind: &Repeated| !self.seen.contains_key(kind) && *kind != Repeated::Time;
        let all = Repeated::ALL.into_iter().filter(missing).map(|kind| (kind.limit().1, 1));
        // Eight seconds of the slowest stream that anybody sends.
        if packets < 4_096 { Vec::new() } else { all.collect() }
    }

    pub(crate) fn report(&self) -> TablesReport {
        let waits = self.seen.iter().map(|(kind, (_, longest))| (kind.name(), longest / (TICKS / 1_000)));
        TablesReport {
            schedule: self.schedule.values().cloned().collect(),
            max_intervals_ms: waits.collect(),
            ..self.report.clone()
        }
    }
}
