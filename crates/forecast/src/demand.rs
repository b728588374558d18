//! Bits a second by minute of the day, province and carrier.

use crate::assumptions::Assumptions;
use crate::wave::Wave;
use jiff::Timestamp;
use std::collections::BTreeMap;
use timetable::Region;

/// Minutes of a day.
pub const MINUTES: usize = 1_440;
const MINUTE_MS: i128 = 60_000;

/// A province's pupils on a carrier's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Market<'a> {
    /// Where.
    pub region: Region,
    /// On whose lines.
    pub carrier: &'a str,
}

/// What is asked for: for each market the mean of every minute in bits a second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand<'a>(BTreeMap<Market<'a>, Vec<u64>>);

impl<'a> Demand<'a> {
    /// Of all `waves` in the day that begins at `midnight`.
    pub fn of(waves: &[Wave<'a>], assumed: &Assumptions, midnight: Timestamp) -> Self {
        let mut demand = Self::default();
        let buffer = i128::try_from(assumed.buffer.0.as_millis()).unwrap_or(0);
        for wave in waves {
            let market = Market { region: wave.region, carrier: wave.carrier };
            let minutes = demand.0.entry(market).or_insert_with(|| vec![0; MINUTES]);
            let sent = Sent::of(wave, buffer, midnight);
            let last = usize::try_from(sent.end() / MINUTE_MS + 1).unwrap_or(0).min(MINUTES);
            let first = usize::try_from(sent.from.max(0) / MINUTE_MS).unwrap_or(0);
            for (minute, bps) in minutes.iter_mut().enumerate().take(last).skip(first) {
                let start = MINUTE_MS * minute as i128;
                // bits = sessions × bps × milliseconds of media / 1000; a minute's mean is a sixtieth of its bits.
                let media_ms = sent.until(start + MINUTE_MS) - sent.until(start);
                let more = u64::try_from(media_ms * i128::from(wave.bps) / MINUTE_MS).unwrap_or(u64::MAX);
                *bps = bps.saturating_add(more);
            }
        }
        demand
    }

    /// Every market with its minutes.
    pub fn markets(&self) -> impl Iterator<Item = (Market<'a>, &[u64])> {
        self.0.iter().map(|(market, minutes)| (*market, minutes.as_slice()))
    }

    /// What one market asks for in a minute.
    pub fn at(&self, market: Market, minute: usize) -> u64 {
        let of =
            self.0.iter().find(|(known, _)| known.region == market.region && known.carrier == market.carrier);
        of.and_then(|(_, minutes)| minutes.get(minute)).copied().unwrap_or(0)
    }

    /// All markets together, by minute.
    pub fn total(&self) -> Vec<u64> {
        let mut total = vec![0; MINUTES];
        for minutes in self.0.values() {
            total.iter_mut().zip(minutes).for_each(|(sum, bps)| *sum = u64::saturating_add(*sum, *bps));
        }
        total
    }

    /// The busiest minute and what it asks for.
    pub fn peak(&self) -> (usize, u64) {
        let total = self.total();
        total
            .into_iter()
            .enumerate()
            .max_by_key(|&(minute, bps)| (bps, std::cmp::Reverse(minute)))
            .unwrap_or((0, 0))
    }
}

/// How much of its media a wave has been sent by when, in milliseconds behind midnight.
///
/// A session fetches its buffer as soon as it begins, then as fast as it plays until it has everything.
struct Sent {
    from: i128,
    window: i128,
    sessions: i128,
    /// Media of one session.
    length: i128,
    /// Of it at once.
    buffer: i128,
}

impl Sent {
    fn of(wave: &Wave, buffer: i128, midnight: Timestamp) -> Self {
        let length = wave.length.as_millis();
        Self {
            from: wave.from.duration_since(midnight).as_millis(),
            window: wave.until.duration_since(wave.from).as_millis().max(1),
            sessions: i128::from(wave.sessions),
            length,
            buffer: buffer.min(length),
        }
    }

    fn end(&self) -> i128 {
        (self.from + self.window + self.length).max(0)
    }

    /// Milliseconds of media that all sessions together have been sent until `at`.
    fn until(&self, at: i128) -> i128 {
        // Sessions begin at an even rate: those that began x ms ago or longer are a share of the window.
        let begun = (at - self.from).clamp(0, self.window);
        let at_once = self.buffer * begun;
        let steady = self.length - self.buffer;
        // The area of min(age, steady) over all that have begun, ages being even between `youngest` and `oldest`.
        let oldest = (at - self.from).max(0);
        let youngest = oldest - begun;
        let area = |age: i128| {
            if age <= steady { age * age / 2 } else { steady * steady / 2 + steady * (age - steady) }
        };
        (at_once + area(oldest) - area(youngest)) * self.sessions / self.window
    }
}
