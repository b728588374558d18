//! Pictures and sound: PES packets, their times, and whether they come in time (2.4.3.6, 2.4.2).

use crate::clock::{TICKS, WRAP};
use crate::packet::Packet;
use crate::report::{Fault, StreamReport};
use std::collections::VecDeque;

/// A PES packet of sound is at most as long as 16 bits tell.
const MAX_SOUND: usize = 6 + 0xffff;
/// What of a PES packet of pictures is looked at.
const MAX_HEAD: usize = 64;
/// Time stamps at most this far apart (2.7.4): 700 ms, in ticks of 1/90,000 s.
const MAX_APART: u64 = 63_000;
/// No decoder of H.264 waits longer (2.14.3.1): ten seconds.
const MAX_AHEAD: i64 = 10 * TICKS as i64;
/// Bytes of sound in two channels that a decoder keeps (2.4.2.3).
const SOUND_BUFFER: u64 = 3_584;
/// Pictures between two that can be decoded by themselves; more are not looked at together.
const MAX_GROUP: usize = 1_024;
/// Sample rates by their number in an ADTS header (ISO/IEC 14496-3 table 1.18).
const SAMPLE_RATES: [u64; 12] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000];

/// What is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    H264,
    Aac,
}

impl Kind {
    /// `None`: nothing that is looked into.
    pub(crate) fn of(stream_type: u8) -> Option<Self> {
        match stream_type {
            0x1b => Some(Self::H264),
            0x0f => Some(Self::Aac),
            _ => None,
        }
    }
}

/// One PID.
#[derive(Debug)]
pub(crate) struct Stream {
    kind: Kind,
    open: Option<Open>,
    /// Decode time of the last PES packet, not running over.
    decoded: Option<u64>,
    /// Of pictures since the last one to start from, when each is shown.
    group: Vec<u64>,
    /// When the next picture group or sound frame has to be shown.
    next: Option<u64>,
    /// Sound that waits: when it is taken, and bytes.
    waiting: VecDeque<(u64, u64)>,
    ahead: Option<(i64, i64)>,
    report: StreamReport,
}

/// A PES packet that has begun.
#[derive(Debug)]
struct Open {
    bytes: Vec<u8>,
    length: usize,
    random_access: bool,
    /// When its last packet came.
    came: Option<u64>,
}

impl Stream {
    pub(crate) fn new(kind: Kind) -> Self {
        let number = if kind == Kind::H264 { 0x1b } else { 0x0f };
        Self {
            kind,
            open: None,
            decoded: None,
            group: Vec::new(),
            next: None,
            waiting: VecDeque::new(),
            ahead: None,
            report: StreamReport { kind: number, ..StreamReport::default() },
        }
    }

    /// A packet that came at `now`, in ticks of 1/27,000,000 s.
    pub(crate) fn packet(&mut self, packet: &Packet<'_>, payload: &[u8], now: Option<u64>) -> Vec<Fault> {
        let mut faults = Vec::new();
        if packet.start {
            if let Some(whole) = self.open.take() {
                self.close(&whole, &mut faults);
            }
            let random_access = packet.random_access;
            self.open = Some(Open { bytes: Vec::new(), length: 0, random_access, came: now });
        }
        let most = if self.kind == Kind::Aac { MAX_SOUND } else { MAX_HEAD };
        if let Some(open) = &mut self.open {
            let room = most.saturating_sub(open.bytes.len());
            open.bytes.extend_from_slice(&payload[..payload.len().min(room)]);
            open.length += payload.len();
            open.came = now;
        }
        faults
    }

    fn close(&mut self, whole: &Open, faults: &mut Vec<Fault>) {
        self.report.units += 1;
        self.report.random_access += u64::from(whole.random_access);
        let Some(head) = Head::parse(&whole.bytes) else { return faults.push(Fault::Pes) };
        if head.told != 0 && usize::from(head.told) + 6 != whole.length {
            faults.push(Fault::Pes);
        }
        // Not running over: the step from the last one is small.
        let decoded = match self.decoded {
            None => head.decoded,
            Some(last) => {
                let step = head.decoded.wrapping_sub(last) & 0x1_ffff_ffff;
                if step == 0 || step > 1 << 32 {
                    faults.push(Fault::StampBack);
                    head.decoded
                } else {
                    if step > MAX_APART {
                        faults.push(Fault::StampInterval);
                    }
                    last + step
                }
            }
        };
        self.decoded = Some(decoded);
        let shown = decoded + (head.shown.wrapping_sub(head.decoded) & 0x1_ffff_ffff);
        if let Some(came) = whole.came {
            self.arrival(came, head.decoded, faults);
        }
        match self.kind {
            Kind::H264 => self.picture(shown, whole.random_access, faults),
            Kind::Aac => self.sound(decoded, whole, head.behind, faults),
        }
    }

    fn arrival(&mut self, came: u64, decoded: u64, faults: &mut Vec<Fault>) {
        let ahead = (decoded * 300 + WRAP - came % WRAP) % WRAP;
        let ahead =
            if ahead > WRAP / 2 { ahead.cast_signed() - WRAP.cast_signed() } else { ahead.cast_signed() };
        if ahead < 0 {
            faults.push(Fault::Late);
        }
        if ahead > MAX_AHEAD {
            faults.push(Fault::Early);
        }
        let (least, most) = self.ahead.get_or_insert((ahead, ahead));
        (*least, *most) = ((*least).min(ahead), (*most).max(ahead));
    }

    /// Groups of pictures follow each other, and the pictures of each, in the order they are shown in.
    fn picture(&mut self, shown: u64, random_access: bool, faults: &mut Vec<Fault>) {
        if !random_access {
            if self.group.len() < MAX_GROUP {
                self.group.push(shown);
            }
            return;
        }
        let mut group = std::mem::replace(&mut self.group, vec![shown]);
        group.sort_unstable();
        let (Some(&first), Some(&last)) = (group.first(), group.last()) else { return };
        let step = match group.get(1) {
            Some(second) => second - first,
            None => shown.saturating_sub(first),
        };
        let uneven = group.windows(2).any(|pair| pair[1] - pair[0] != step);
        // What comes before the first picture to start from belongs to a group that was not seen whole.
        let starts_whole = self.next.is_none_or(|next| next == first);
        if uneven || !starts_whole || shown != last + step {
            faults.push(Fault::StampGap);
        }
        self.next = Some(shown);
    }

    fn sound(&mut self, shown: u64, whole: &Open, behind: usize, faults: &mut Vec<Fault>) {
        if self.next.is_some_and(|next| next != shown) {
            faults.push(Fault::StampGap);
        }
        let mut rest = whole.bytes.get(behind..).unwrap_or_default();
        let mut next = shown;
        while let [0xff, second, third, high, middle, low, ..] = *rest
            && second & 0xf0 == 0xf0
        {
            let length = usize::from(high & 3) << 11 | usize::from(middle) << 3 | usize::from(low) >> 5;
            let rate = SAMPLE_RATES.get(usize::from(third >> 2 & 0xf));
            let (Some(rate), Some(behind)) = (rate, rest.get(length..)) else { break };
            if length < 7 {
                break;
            }
            self.waiting.push_back((next * 300, length as u64));
            next += 1_024 * 90_000 / rate;
            rest = behind;
        }
        if !rest.is_empty() || next == shown {
            faults.push(Fault::Pes);
        }
        self.next = Some(next);
        self.buffer(whole.came, faults);
    }

    /// What waits when the last packet of a PES packet has come.
    fn buffer(&mut self, came: Option<u64>, faults: &mut Vec<Fault>) {
        let Some(came) = came else { return self.waiting.clear() };
        let is_past = |taken: u64| (came % WRAP + WRAP - taken % WRAP) % WRAP < WRAP / 2;
        while self.waiting.front().is_some_and(|&(taken, _)| is_past(taken)) {
            self.waiting.pop_front();
        }
        let bytes = self.waiting.iter().map(|(_, bytes)| bytes).sum();
        self.report.max_buffered_bytes = self.report.max_buffered_bytes.max(bytes);
        if bytes > SOUND_BUFFER {
            faults.push(Fault::SoundBuffer);
        }
    }

    pub(crate) fn report(&self) -> StreamReport {
        let ms = |ticks: i64| ticks as f64 * 1e3 / TICKS as f64;
        let (least, most) = self.ahead.unwrap_or_default();
        StreamReport { min_ahead_ms: ms(least), max_ahead_ms: ms(most), ..self.report.clone() }
    }
}

/// A PES packet's header.
struct Head {
    told: u16,
    shown: u64,
    decoded: u64,
    /// Where the payload begins.
    behind: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [0, 0, 1, _, high, low, marks, flags, length, rest @ ..] = bytes else { return None };
        if marks & 0xc0 != 0x80 {
            return None;
        }
        let (shown, decoded) = match flags >> 6 {
            2 => (stamp(rest.get(..5)?)?, stamp(rest.get(..5)?)?),
            3 => (stamp(rest.get(..5)?)?, stamp(rest.get(5..10)?)?),
            _ => return None,
        };
        let told = u16::from(*high) << 8 | u16::from(*low);
        Some(Self { told, shown, decoded, behind: 9 + usize::from(*length) })
    }
}

/// 33 bits in three groups, each closed by a one.
fn stamp(bytes: &[u8]) -> Option<u64> {
    let bits = bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let marked = bits & 1 == 1 && bits >> 16 & 1 == 1 && bits >> 32 & 1 == 1;
    marked.then_some((bits >> 33 & 7) << 30 | (bits >> 17 & 0x7fff) << 15 | bits >> 1 & 0x7fff)
}
