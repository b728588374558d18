//! One period of the multiplex: 4.8 s as whole packets.

mod cut;
mod layout;

use crate::guide::{Guide, Service};
use crate::media::{DECODED_AHEAD, Media};
use crate::rate::{CLOCKS, COUNTER, FRAMES_PER_PES, Rate};
use crate::si::{self, Payload, pid};
use crate::{PERIOD_90KHZ, PRESENTED};
use cut::{Unit, cut};
use layout::Layout;
use mpegts::{StreamId, pes_packet};

/// Sound comes this long before it is heard, in ticks of 1/90,000 s: 200 ms. A decoder keeps 3,584 bytes of it (2.4.2.3),
/// 448 ms of 64 kbit/s, and one PES packet comes at once.
const SOUND_AHEAD: u64 = 18_000;
/// PAT and PMT in a period: one each 100 ms (500 ms at most, TR 101 290 1.3 and 1.5; less is less waiting at the remote).
const PROGRAMS: u64 = 48;
/// SDT in a period: one each 1.2 s (2 s at most, TS 101 211 4.4.1).
const SERVICES: u64 = 4;
/// Present and following in a period: one each 1.2 s (2 s at most, TS 101 211 4.4.1).
const PRESENT: usize = 4;
/// Packets of EIT in a period at least. With fewer, a section of four packets would take too much of the time between two of
/// what is on.
const EVENTS: usize = 32;
/// Packets of sound keep this distance, in ticks of 1/90,000 s: as fast as their transport buffer is emptied, 2 Mbit/s
/// (2.4.2.3). One more for rounding.
const SOUND_SPACING: u64 = 69;
/// The schedule takes a packet of so many at most, and what does not fit comes in the next periods.
const SCHEDULE_SHARE: usize = 64;

/// Makes periods of one channel.
#[derive(Debug, Clone)]
pub struct Multiplexer {
    rate: Rate,
    service: Service,
    /// By how many segments the stream is behind the guide.
    behind: u64,
    programs: Vec<Payload>,
    map: Vec<Payload>,
    services: Vec<Payload>,
}

/// A segment that the rate has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the segment does not fit: {missing} packets too many before they are due, so the multiplex needs some {} bit/s", .needed)]
pub struct Overflow {
    /// Packets that would come too late.
    pub missing: usize,
    /// A rate at which it would do, roughly.
    pub needed: u64,
}

impl Multiplexer {
    /// For `service`, which has been [checked](Service::check), at `rate`. Segment N is on in period N + `behind`.
    pub fn new(rate: Rate, service: Service, behind: u64) -> Self {
        let programs = si::payloads(&si::programs(&service));
        let map = si::payloads(&si::map(&service));
        let services = si::payloads(&si::services(&service));
        Self { rate, service, behind, programs, map, services }
    }

    /// The rate.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// All packets of period `number`.
    ///
    /// It carries the pictures of `now`, which is what is on, most of its sound, and the last sound of
    /// `before`, the segment ahead of it: sound comes just before it is heard.
    ///
    /// # Errors
    /// When there is no room for it. Something smaller can go on air instead: no state has changed.
    pub fn period(
        &self,
        number: u64,
        before: &Media,
        now: &Media,
        guide: &Guide,
    ) -> Result<Vec<u8>, Overflow> {
        let mut layout = Layout::new(self.rate, number);
        for clock in 0..CLOCKS {
            layout.clock((clock * u64::from(self.rate.packets()) / CLOCKS) as usize);
        }
        let laid = self.tables(number, guide, &mut layout).and_then(|()| {
            self.sound(number, before, now, &mut layout)?;
            self.pictures(number, now, &mut layout)
        });
        match laid {
            Ok(()) => Ok(layout.bytes()),
            Err(missing) => Err(self.overflow(missing)),
        }
    }

    fn tables(&self, number: u64, guide: &Guide, layout: &mut Layout) -> Result<(), usize> {
        for (pid, payloads, times) in [
            (pid::PROGRAMS, &self.programs, PROGRAMS),
            (pid::MAP, &self.map, PROGRAMS),
            (pid::SERVICES, &self.services, SERVICES),
        ] {
            // As many in each period, so that this many have gone before.
            let count = times * payloads.len() as u64;
            layout.begin(pid, (number % COUNTER * count % COUNTER) as u8);
            for time in 0..times {
                for payload in payloads {
                    layout.table(pid, time * PERIOD_90KHZ / times, payload)?;
                }
            }
        }
        // The first whole second in the period: the tables tell no parts of one.
        let start_ms = crate::period_start_ms(number);
        let second = start_ms.div_ceil(1_000);
        let at = (second * 1_000 - start_ms) * 90;
        layout.begin(pid::TIME, (number % COUNTER * 2 % COUNTER) as u8);
        for table in si::date_and_offset(second, &self.service) {
            for payload in si::payloads(&table) {
                layout.table(pid::TIME, at, &payload)?;
            }
        }
        self.events(number, guide, layout)
    }

    /// What is on and what follows four times, between them the schedule or a part of it, and what makes it a multiple of
    /// 16. Sections follow each other whole.
    fn events(&self, number: u64, guide: &Guide, layout: &mut Layout) -> Result<(), usize> {
        let on = number.saturating_sub(self.behind);
        let present = si::present_and_following(guide, on, &self.service);
        let present: Vec<Payload> = present.iter().flat_map(|section| si::payloads(section)).collect();
        let most = self.rate.packets() as usize / SCHEDULE_SHARE;
        let mut rest = by_turns(si::schedule(guide, number, &self.service), number, most);
        let count = present.len() * PRESENT + rest.iter().map(Vec::len).sum::<usize>();
        let stuffing = count.next_multiple_of(COUNTER as usize).max(EVENTS) - count;
        rest.extend((0..stuffing).map(|_| vec![si::stuffing()]));
        let total = (count + stuffing) as u64;
        let (mut rest, each) = (rest.into_iter(), (count + stuffing) / PRESENT - present.len());
        let mut order = Vec::with_capacity(count + stuffing);
        for time in 1..=PRESENT {
            order.extend_from_slice(&present);
            while order.len() < time * (each + present.len()) || time == PRESENT {
                let Some(section) = rest.next() else { break };
                order.extend(section);
            }
        }
        layout.begin(pid::EVENTS, 0);
        for (index, payload) in (0..).zip(&order) {
            layout.table(pid::EVENTS, index * PERIOD_90KHZ / total, payload)?;
        }
        Ok(())
    }

    fn sound(&self, number: u64, before: &Media, now: &Media, layout: &mut Layout) -> Result<(), usize> {
        let mut units = Vec::new();
        // The sound of the segment before is heard a period earlier.
        for (media, earlier) in [(before, PERIOD_90KHZ), (now, 0)] {
            for group in media.sound.chunks(FRAMES_PER_PES) {
                let heard = group[0].shown + PRESENTED;
                let Some(due) = heard.checked_sub(earlier).filter(|&due| due >= SOUND_AHEAD) else {
                    continue;
                };
                let from = due - SOUND_AHEAD;
                if from >= PERIOD_90KHZ {
                    continue;
                }
                let bytes: Vec<u8> = group.iter().flat_map(|frame| frame.bytes.iter().copied()).collect();
                let stamp = number * PERIOD_90KHZ + due;
                let bytes = pes_packet(StreamId::Audio, stamp, stamp, &bytes);
                units.push(Unit { bytes, random_access: false, from, due });
            }
        }
        layout.begin(pid::AUDIO, 0);
        let spacing = self.rate.place_at(SOUND_SPACING).max(1);
        layout.soon(pid::AUDIO, &cut(&units), spacing)
    }

    fn pictures(&self, number: u64, now: &Media, layout: &mut Layout) -> Result<(), usize> {
        let base = number * PERIOD_90KHZ + PRESENTED;
        let units: Vec<Unit> = now
            .pictures
            .iter()
            .map(|picture| {
                let decoded = base - DECODED_AHEAD + picture.decoded;
                let bytes = pes_packet(StreamId::Video, base + picture.shown, decoded, &picture.bytes);
                let due = PRESENTED - DECODED_AHEAD + picture.decoded;
                // As soon as a camera would have sent it.
                Unit { bytes, random_access: picture.idr, from: picture.decoded, due }
            })
            .collect();
        layout.begin(pid::VIDEO, 0);
        layout.late(pid::VIDEO, &cut(&units))
    }

    fn overflow(&self, missing: usize) -> Overflow {
        let packets = u64::from(self.rate.packets());
        // What is missing may be missing in the first second and a half: an IDR picture too large.
        let needed =
            (packets + missing as u64 * PERIOD_90KHZ / (PRESENTED - DECODED_AHEAD)) * 1_504 * 10 / 48;
        Overflow { missing, needed }
    }
}

/// The part of a long schedule that period `number` carries: whole sections, `most` packets or the one section that is
/// longer.
fn by_turns(sections: Vec<Vec<u8>>, number: u64, most: usize) -> Vec<Vec<Payload>> {
    let mut parts: Vec<Vec<Vec<Payload>>> = Vec::new();
    let mut room = 0;
    for payloads in sections.iter().map(|section| si::payloads(section)) {
        if payloads.len() > room || parts.is_empty() {
            parts.push(Vec::new());
            room = most;
        }
        room = room.saturating_sub(payloads.len());
        parts.last_mut().expect("one was just pushed").push(payloads);
    }
    let turn = number.checked_rem(parts.len() as u64).unwrap_or(0);
    parts.into_iter().nth(turn as usize).unwrap_or_default()
}
