//! PES packets and tables cut into packets of 188 bytes (2.4.3.2), each with the time it is delivered at.
//!
//! ```text
//! 47 | 0 start 0 PID 13 | 00 AF 1 counter 4 | adaptation field: length, flags, PCR 48, ff … | payload
//! ```

use crate::pes::WRAP;
use crate::tables::Payload;
use crate::{PACKET_BYTES, TICKS_PER_SECOND};

/// From one clock reference to the next at most (2.7.2): 100 ms.
const MAX_CLOCK_GAP: u64 = TICKS_PER_SECOND / 10;
/// Bytes behind a packet's header.
const ROOM: usize = PACKET_BYTES - 4;
/// Bytes of an adaptation field with flags, and of one with a clock reference.
const FLAGS: usize = 2;
const CLOCK: usize = 8;

/// One packet, and when it is delivered, in ticks of 1/90,000 s.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) at: u64,
    pub(crate) bytes: [u8; PACKET_BYTES],
}

/// The packets of one PID; its counter runs on from segment to segment (2.4.3.3, Apple 7.2).
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pid: u16,
    counter: u8,
    /// When the last packet was delivered.
    last: u64,
}

/// When clock references are due. Only one lane carries them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    last: Option<u64>,
}

impl Clock {
    /// A device that starts here needs one at once.
    pub(crate) fn begin_segment(&mut self) {
        self.last = None;
    }

    /// Whether one must be told now, when the next chance is at `next`.
    fn is_due(&self, next: u64) -> bool {
        self.last.is_none_or(|last| next.saturating_sub(last) > MAX_CLOCK_GAP)
    }
}

/// What an adaptation field says.
#[derive(Debug, Clone, Copy, Default)]
struct Adaptation {
    clock: Option<u64>,
    random_access: bool,
}

impl Adaptation {
    fn bytes(self) -> usize {
        match self {
            Self { clock: Some(_), .. } => CLOCK,
            Self { random_access: true, .. } => FLAGS,
            Self { .. } => 0,
        }
    }
}

impl Lane {
    pub(crate) fn new(pid: u16) -> Self {
        Self { pid, counter: 0, last: 0 }
    }

    /// A table, delivered at `at`.
    pub(crate) fn table(&mut self, payload: &Payload, at: u64, out: &mut Vec<Packet>) {
        let (bytes, _) = self.packet(true, Adaptation::default(), payload);
        out.push(Packet { at, bytes });
    }

    /// A PES packet, its packets spread evenly over `from..to`; with a `clock`, references are put where they are due
    /// or cost nothing.
    pub(crate) fn pes(
        &mut self,
        pes: &[u8],
        (from, to): (u64, u64),
        random_access: bool,
        mut clock: Option<&mut Clock>,
        out: &mut Vec<Packet>,
    ) {
        let from = from.max(self.last);
        let span = to.saturating_sub(from);
        let plain = Adaptation { clock: None, random_access };
        let mut left = pes;
        // A guess that is right but for references within: those make the last packets come together.
        let count = (pes.len() + plain.bytes()).div_ceil(ROOM).max(1) as u64;
        let time = |index: u64| from + span * index.min(count) / count;
        let mut index = 0;
        while !left.is_empty() {
            let at = time(index.min(count - 1));
            let mut adaptation = if index == 0 { plain } else { Adaptation::default() };
            if let Some(clock) = clock.as_deref_mut() {
                self.tick(clock, at, out);
                let free = index == 0 && (pes.len() + CLOCK).div_ceil(ROOM) as u64 == count;
                // A second packet at the same time has nothing to add.
                if clock.last != Some(at) && (free || clock.is_due(time(index + 1))) {
                    adaptation.clock = Some(at);
                    clock.last = Some(at);
                }
            }
            let (bytes, taken) = self.packet(index == 0, adaptation, left);
            out.push(Packet { at, bytes });
            self.last = at;
            left = &left[taken..];
            index += 1;
        }
        if let Some(clock) = clock {
            self.tick(clock, to, out);
        }
    }

    /// Packets with nothing but the clock up to `until`, where pictures are far apart.
    fn tick(&mut self, clock: &mut Clock, until: u64, out: &mut Vec<Packet>) {
        while let Some(last) = clock.last
            && until.saturating_sub(last) > MAX_CLOCK_GAP
        {
            let at = last + MAX_CLOCK_GAP;
            let (bytes, _) = self.packet(false, Adaptation { clock: Some(at), random_access: false }, &[]);
            out.push(Packet { at, bytes });
            (clock.last, self.last) = (Some(at), at);
        }
    }

    /// One packet and how much of `payload` it holds. What does not fill it is stuffed in the adaptation field.
    fn packet(&mut self, start: bool, adaptation: Adaptation, payload: &[u8]) -> ([u8; PACKET_BYTES], usize) {
        let taken = payload.len().min(ROOM - adaptation.bytes());
        let field = ROOM - taken;
        let [high, low] = self.pid.to_be_bytes();
        let mut bytes = [0xff; PACKET_BYTES];
        bytes[..3].copy_from_slice(&[0x47, high | if start { 0x40 } else { 0 }, low]);
        // Without payload the counter is that of the packet before (2.4.3.3).
        let counter = if taken > 0 { self.counter } else { self.counter.wrapping_sub(1) & 0xf };
        self.counter = (counter + 1) & 0xf;
        bytes[3] = u8::from(field > 0) << 5 | u8::from(taken > 0) << 4 | counter;
        if let Some(length) = field.checked_sub(1) {
            bytes[4] = u8::try_from(length).unwrap_or(0);
            if length > 0 {
                bytes[5] = if adaptation.random_access { 0x40 } else { 0 };
            }
            if let Some(clock) = adaptation.clock {
                bytes[5] |= 0x10;
                bytes[6..12].copy_from_slice(&reference(clock));
            }
        }
        bytes[4 + field..].copy_from_slice(&payload[..taken]);
        (bytes, taken)
    }
}

/// 33 bits of 90 kHz, six reserved, nine of 27 MHz: always a whole tick of 90 kHz here (2.4.3.5).
fn reference(ticks: u64) -> [u8; 6] {
    let bits = (ticks % WRAP) << 15 | 0x3f << 9;
    let [_, _, bytes @ ..] = bits.to_be_bytes();
    bytes
}
