//! From counters that only rise to bytes a minute.
//!
//! How much and how long is told by the counters and the monotonic clock; the wall clock only says which minute it is called.
//! So a clock that jumps moves later bytes to other minutes, and neither loses nor invents any: a minute that is lived
//! through twice has a record for each time, with the time it covers, and a skipped one has none.

use crate::record::Minute;
use jiff::Timestamp;
use std::time::Duration;

/// A difference between the clocks that is a jump and no drift.
const JUMP: Duration = Duration::from_secs(2);
/// Minutes that bytes are shared out to when nobody has looked for long; what is older goes to the first of them.
const MOST_MINUTES: i64 = 60;
const MINUTE_MS: i64 = 60_000;

/// What was read at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Readings {
    /// By the wall clock.
    pub now: Timestamp,
    /// By the monotonic clock, from any beginning.
    pub elapsed: Duration,
    /// Bytes sent so far, by family.
    pub sent: [u64; 2],
}

/// Makes minutes of readings.
#[derive(Debug)]
pub struct Meter {
    last: Readings,
    open: Option<Minute>,
    jumps: u64,
}

impl Meter {
    /// Counts from here.
    pub fn begin(first: Readings) -> Self {
        Self { last: first, open: None, jumps: 0 }
    }

    /// Takes the next readings in; gives the minutes that are over by them. Bytes are shared out evenly over the time since the
    /// last, so it is to be read often: once a second.
    pub fn read(&mut self, next: Readings) -> Vec<Minute> {
        let span = next.elapsed.saturating_sub(self.last.elapsed);
        let span_ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let sent = [0, 1].map(|family| next.sent[family].saturating_sub(self.last.sent[family]));
        let end_ms = next.now.as_millisecond();
        let off = end_ms.saturating_sub(self.last.now.as_millisecond()).saturating_sub(span_ms);
        if off.unsigned_abs() > JUMP.as_millis() as u64 {
            self.jumps += 1;
        }
        self.last = next;
        let mut over = Vec::new();
        let begin_ms = end_ms.saturating_sub(span_ms);
        let first =
            begin_ms.div_euclid(MINUTE_MS).max(end_ms.div_euclid(MINUTE_MS).saturating_sub(MOST_MINUTES - 1));
        let last = end_ms.div_euclid(MINUTE_MS);
        let mut given = [0_u64; 2];
        for minute in first..=last {
            let until = (minute + 1).saturating_mul(MINUTE_MS).min(end_ms);
            let part = |all: u64| {
                if minute == last || span_ms == 0 {
                    return all;
                }
                let part = u128::from(all) * u128::try_from(until - begin_ms).unwrap_or(0)
                    / u128::from(span_ms.unsigned_abs());
                u64::try_from(part).unwrap_or(all).min(all)
            };
            let up_to = [part(sent[0]), part(sent[1])];
            let since = if minute == first { begin_ms } else { minute * MINUTE_MS };
            let piece = [0, 1].map(|family| up_to[family] - given[family].min(up_to[family]));
            given = up_to;
            over.extend(self.add(minute, (until - since).unsigned_abs(), piece));
        }
        over
    }

    fn add(&mut self, minute: i64, covered_ms: u64, sent: [u64; 2]) -> Option<Minute> {
        let over = self.open.take_if(|open| open.number != minute);
        let open = self.open.get_or_insert(Minute { number: minute, covered_ms: 0, sent: [0; 2] });
        open.covered_ms += covered_ms;
        for (family, bytes) in sent.into_iter().enumerate() {
            open.sent[family] = open.sent[family].saturating_add(bytes);
        }
        over
    }

    /// The minute that is not over, at the end of the process.
    pub fn end(mut self) -> Option<Minute> {
        self.open.take()
    }

    /// How often the wall clock has jumped.
    pub fn jumps(&self) -> u64 {
        self.jumps
    }
}
