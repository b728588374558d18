//! Clock references: how far apart, how even, how exact.

use crate::report::{ClockReport, Fault};

/// Ticks a second.
pub(crate) const TICKS: u64 = 27_000_000;
/// References run over after this many: 33 bits of 90 kHz.
pub(crate) const WRAP: u64 = (1 << 33) * 300;
/// TR 101 290 2.3a: 40 ms.
const MAX_INTERVAL: u64 = TICKS / 25;
/// TR 101 290 2.3b: a step of 100 ms that is not announced.
const MAX_STEP: u64 = TICKS / 10;
/// TR 101 290 2.4: ± 500 ns, which are 13.5 ticks.
const MAX_JITTER: f64 = 13.5;
/// References that are kept for measuring accuracy: eleven hours.
const MAX_KEPT: usize = 1 << 20;

/// The clock of the stream's program.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Packet and reference, the latter not running over.
    kept: Vec<(u64, u64)>,
    /// The last one, and the one before.
    last: Option<(u64, u64)>,
    previous: Option<(u64, u64)>,
    count: u64,
    max_interval: u64,
    wraps: u64,
}

impl Clock {
    /// A reference in packet `index`.
    pub(crate) fn reference(&mut self, index: u64, value: u64, announced: bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.count += 1;
        let unrolled = match self.last {
            None => value,
            Some((_, last)) => {
                let step = (value + WRAP - last % WRAP) % WRAP;
                self.wraps += u64::from(value < last % WRAP && step < WRAP / 2);
                if step > MAX_STEP && !announced {
                    faults.push(Fault::ClockStep);
                } else if step > MAX_INTERVAL {
                    faults.push(Fault::ClockInterval);
                }
                if step <= MAX_STEP {
                    self.max_interval = self.max_interval.max(step);
                }
                last + step
            }
        };
        self.previous = self.last.replace((index, unrolled));
        if self.kept.len() < MAX_KEPT {
            self.kept.push((index, unrolled));
        }
        faults
    }

    /// What time packet `index` is sent at, in ticks that do not run over; `None` before two references were there.
    pub(crate) fn at(&self, index: u64) -> Option<u64> {
        let ((from, earlier), (to, later)) = (self.previous?, self.last?);
        let passed = u128::from(index - to) * u128::from(later - earlier) / u128::from((to - from).max(1));
        Some(later + u64::try_from(passed).unwrap_or(0))
    }

    fn ends(&self) -> Option<((u64, u64), (u64, u64))> {
        let (first, last) = (*self.kept.first()?, *self.kept.last()?);
        (first.0 < last.0).then_some((first, last))
    }

    /// Ticks between packets, if the rate is constant.
    fn ticks_per_packet(&self) -> Option<f64> {
        let ((from, earlier), (to, later)) = self.ends()?;
        Some((later - earlier) as f64 / (to - from) as f64)
    }

    /// How far each reference is from a constant rate, in ticks: the farthest, and how many are too far.
    fn jitter(&self) -> (f64, u64) {
        let Some((rate, ((from, earlier), _))) = self.ticks_per_packet().zip(self.ends()) else {
            return (0.0, 0);
        };
        let off = |&(index, value): &(u64, u64)| {
            let (packets, ticks) = ((index - from) as f64, (value - earlier) as f64);
            (ticks - packets * rate).abs()
        };
        let worst = self.kept.iter().map(off).fold(0.0, f64::max);
        (worst, self.kept.iter().filter(|kept| off(kept) > MAX_JITTER).count() as u64)
    }

    /// What can be said only at the end.
    pub(crate) fn verdict(&self) -> Vec<(Fault, u64)> {
        let inexact = self.jitter().1;
        let mut faults = Vec::new();
        if inexact > 0 {
            faults.push((Fault::ClockAccuracy, inexact));
        }
        if self.count == 0 {
            faults.push((Fault::NoClock, 1));
        }
        faults
    }

    pub(crate) fn report(&self) -> ClockReport {
        let per_packet = self.ticks_per_packet();
        let seconds = self.ends().map_or(0.0, |((_, from), (_, to))| (to - from) as f64 / TICKS as f64);
        ClockReport {
            references: self.count,
            max_interval_ms: self.max_interval as f64 * 1e3 / TICKS as f64,
            jitter_ns: self.jitter().0 * 1e9 / TICKS as f64,
            rate_bps: per_packet.map_or(0.0, |ticks| 188.0 * 8.0 * TICKS as f64 / ticks),
            seconds,
            wraps: self.wraps,
        }
    }
}
