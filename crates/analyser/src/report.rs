//! What was found.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What is wrong with a stream. Numbers are those of ETSI TR 101 290 where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 1.2: no packet where one should be.
    Sync,
    /// 1.4: a packet is missing, or out of order.
    Continuity,
    /// 1.3: no PAT for half a second.
    ProgramsLate,
    /// 1.5: no PMT for half a second.
    MapLate,
    /// 2.1: a packet is marked as damaged.
    TransportError,
    /// 2.2: a table's checksum is wrong.
    Checksum,
    /// 2.3a: more than 40 ms between clock references.
    ClockInterval,
    /// 2.3b: the clock steps without saying so.
    ClockStep,
    /// 2.4: a clock reference is more than 500 ns from a constant rate.
    ClockAccuracy,
    /// There is no clock.
    NoClock,
    /// 2.5: time stamps more than 700 ms apart.
    StampInterval,
    /// Decode times step back or stand still.
    StampBack,
    /// A picture or sound frame is missing, twice there, or at another time.
    StampGap,
    /// Something comes after it is due.
    Late,
    /// Something comes more than ten seconds ahead (2.14.3.1).
    Early,
    /// 3.3: more sound than a decoder keeps (2.4.2.3).
    SoundBuffer,
    /// A PES packet is not as long as it says, or has no time.
    Pes,
    /// 3.5: no SDT for two seconds.
    ServicesLate,
    /// 3.6: no EIT of present and following for two seconds.
    EventsLate,
    /// 3.8: no TDT for thirty seconds.
    TimeLate,
    /// A table says something else under the same version.
    VersionKept,
    /// A table makes no sense.
    Table,
}

/// The clock.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ClockReport {
    /// How many references.
    pub references: u64,
    /// From one to the next at most.
    pub max_interval_ms: f64,
    /// The farthest from a constant rate.
    pub jitter_ns: f64,
    /// The rate that the clock tells, in bits a second.
    pub rate_bps: f64,
    /// From the first to the last reference.
    pub seconds: f64,
    /// How often it ran over its 33 bits.
    pub wraps: u64,
}

/// One stream of pictures or sound.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StreamReport {
    /// `stream_type` (13818-1 table 2-34).
    pub kind: u8,
    /// PES packets.
    pub units: u64,
    /// Those that something can be decoded from.
    pub random_access: u64,
    /// The least time by which something came before it was due.
    pub min_ahead_ms: f64,
    /// The most.
    pub max_ahead_ms: f64,
    /// Sound that waited at most.
    pub max_buffered_bytes: u64,
}

/// An event as the guide told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventSeen {
    /// Its number.
    pub id: u16,
    /// Seconds since 1970.
    pub start_s: u64,
    /// How long.
    pub duration_s: u64,
    /// Its name.
    pub title: String,
    /// More about it.
    pub text: String,
}

/// What the tables said.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TablesReport {
    /// Provider and name of services, by their number.
    pub services: BTreeMap<u16, (String, String)>,
    /// What was on, in order.
    pub present: Vec<EventSeen>,
    /// What the schedule lists, by start.
    pub schedule: Vec<EventSeen>,
    /// The last time told, in seconds since 1970.
    pub time_s: Option<u64>,
    /// Longest times between two of a kind, in milliseconds: `pat`, `pmt`, `sdt`, `eit`, `tdt`.
    pub max_intervals_ms: BTreeMap<&'static str, u64>,
}

/// All that was seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Packets read.
    pub packets: u64,
    /// Of those without content.
    pub nulls: u64,
    /// How often what was wrong.
    pub faults: BTreeMap<Fault, u64>,
    /// The first of them with the packet they were seen in.
    pub first_faults: Vec<(u64, Fault)>,
    /// The clock.
    pub clock: ClockReport,
    /// Streams by PID.
    pub streams: BTreeMap<u16, StreamReport>,
    /// Tables.
    pub tables: TablesReport,
}

impl Report {
    /// Nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = &self.clock;
        writeln!(f, "{} packets, {} without content, {:.3} s", self.packets, self.nulls, clock.seconds)?;
        writeln!(
            f,
            "clock: {} references, at most {:.3} ms apart, off by {:.1} ns at most; {:.0} bit/s",
            clock.references, clock.max_interval_ms, clock.jitter_ns, clock.rate_bps
        )?;
        for (pid, stream) in &self.streams {
            let StreamReport { kind, units, random_access, min_ahead_ms, max_ahead_ms, .. } = stream;
            write!(
                f,
                "stream {pid:#06x} of type {kind:#04x}: {units} PES packets, {random_access} to start from, "
            )?;
            writeln!(f, "ahead by {min_ahead_ms:.0} to {max_ahead_ms:.0} ms")?;
        }
        for (number, (provider, name)) in &self.tables.services {
            writeln!(f, "service {number}: {name} ({provider})")?;
        }
        for event in &self.tables.present {
            writeln!(f, "was on: {} for {} s: {}", event.start_s, event.duration_s, event.title)?;
        }
        for (fault, count) in &self.faults {
            writeln!(f, "fault: {fault:?} {count} times")?;
        }
        for (packet, fault) in &self.first_faults {
            writeln!(f, "  in packet {packet}: {fault:?}")?;
        }
        write!(f, "{}", if self.is_clean() { "no fault" } else { "not as it should be" })
    }
}
