//! What time it is, and how far that can be believed. The only place that reads the wall clock for plans.
//!
//! Time goes by the monotonic clock from the last moment at which the wall clock was believed. So a wall clock that jumps
//! moves nothing before it has been looked at: once a second, beside the kernel's word and the upstream's clock.
//! [`judge`] has the rules.

mod judge;
mod kernel;

pub use judge::Sample;

use jiff::{SignedDuration, Timestamp};
use judge::{Judge, Judged};
use kernel::Kernel;
use prometheus::{Gauge, IntGauge};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use telemetry::{Check, Readiness, Telemetry};
use tokio::time::Instant;

/// The node's clock. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Where the monotonic clock is counted from.
    base: Instant,
    /// Nanoseconds since 1970 at `base`.
    base_ns: AtomicI64,
    /// Nothing opens that opens behind this moment: nanoseconds since 1970, `i64::MAX` while the clock is right.
    floor_ns: AtomicI64,
    /// How far the node lives from the wall clock; `None`: it has nothing to do with it.
    offset: Option<SignedDuration>,
    judge: Mutex<Judge>,
    metrics: Option<Metrics>,
}

#[derive(Debug)]
struct Metrics {
    offset_seconds: Gauge,
    synchronised: IntGauge,
    believed: IntGauge,
}

impl Clock {
    /// The system's clock, `offset` away from it.
    pub fn start(offset: SignedDuration, telemetry: &Telemetry) -> Self {
        let offset_seconds = prometheus::Gauge::new(
            "airclass_clock_offset_seconds",
            "How far this node's clock is ahead of its upstream's, as last measured",
        );
        let offset_seconds = telemetry.register(offset_seconds.expect("a constant name is valid"));
        let metrics = Metrics {
            offset_seconds,
            synchronised: telemetry
                .gauge("airclass_clock_synchronised", "1 when the kernel says that its clock is kept right"),
            believed: telemetry.gauge("airclass_clock_believed", "0 when nothing opens by this node's clock"),
        };
        metrics.believed.set(1);
        Self::new(wall(offset), Some(offset), Some(metrics))
    }

    /// A clock that shows `now` and goes on from there with tokio's clock, for tests.
    pub fn at(now: Timestamp) -> Self {
        Self::new(now, None, None)
    }

    fn new(now: Timestamp, offset: Option<SignedDuration>, metrics: Option<Metrics>) -> Self {
        Self(Arc::new(Inner {
            base: Instant::now(),
            base_ns: AtomicI64::new(nanos(now)),
            floor_ns: AtomicI64::new(i64::MAX),
            offset,
            judge: Mutex::default(),
            metrics,
        }))
    }

    /// Sets it, as a look does that bears a jump out.
    #[cfg(test)]
    pub(crate) fn set(&self, by: SignedDuration) {
        self.0.base_ns.fetch_add(i64::try_from(by.as_nanos()).unwrap(), Ordering::Relaxed);
    }

    /// Now. Two atomic reads and the monotonic clock: for every request.
    pub fn now(&self) -> Timestamp {
        moment(self.now_ns())
    }

    /// The moment by which lessons open: now, while the clock is right, and otherwise the last one at which it surely was.
    pub fn opens_by(&self) -> Timestamp {
        moment(self.now_ns().min(self.0.floor_ns.load(Ordering::Relaxed)))
    }

    fn now_ns(&self) -> i64 {
        let elapsed = i64::try_from(self.0.base.elapsed().as_nanos()).unwrap_or(i64::MAX);
        self.0.base_ns.load(Ordering::Relaxed).saturating_add(elapsed)
    }

    /// Looks at wall clock and kernel; once a second.
    pub(crate) fn look(&self) {
        let Some(offset) = self.0.offset else { return };
        // A node of a drill lives at another time than its kernel.
        let kernel = if offset.is_zero() { kernel::ask() } else { Kernel::Unknown };
        let ahead_ns = nanos(wall(offset)).saturating_sub(self.now_ns());
        self.judged(|judge| judge.wall(ahead_ns, kernel));
        if let Some(metrics) = &self.0.metrics {
            metrics.synchronised.set(i64::from(kernel == Kernel::Synchronised));
        }
    }

    /// Takes in what the upstream's clock said.
    pub(crate) fn heard(&self, sample: Sample) {
        self.judged(|judge| judge.sample(sample));
        if let Some(metrics) = &self.0.metrics {
            metrics.offset_seconds.set(sample.ahead.as_secs_f64());
        }
    }

    fn judged(&self, look: impl FnOnce(&mut Judge) -> Judged) {
        let Judged { step_ns, shuts } = {
            let mut judge = self.0.judge.lock().unwrap_or_else(PoisonError::into_inner);
            look(&mut judge)
        };
        self.0.base_ns.fetch_add(step_ns, Ordering::Relaxed);
        let floor = shuts.map_or(i64::MAX, |behind_ns| {
            let earlier = self.now_ns().saturating_sub(behind_ns.max(0));
            self.0.floor_ns.load(Ordering::Relaxed).min(earlier)
        });
        self.0.floor_ns.store(floor, Ordering::Relaxed);
        if let Some(metrics) = &self.0.metrics {
            metrics.believed.set(i64::from(shuts.is_none()));
        }
    }

    /// Brings the state into the node's readiness.
    pub(crate) fn tell(&self, readiness: &Readiness) {
        let problem = self.0.judge.lock().unwrap_or_else(PoisonError::into_inner).problem();
        match problem {
            None => readiness.pass(Check::Clock),
            Some(problem) => readiness.fail(Check::Clock, problem),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn wall(offset: SignedDuration) -> Timestamp {
    let now = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
    now.checked_add(offset).unwrap_or(now)
}

fn nanos(moment: Timestamp) -> i64 {
    i64::try_from(moment.as_nanosecond()).unwrap_or(i64::MAX)
}

fn moment(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn off(seconds: i64) -> Sample {
        Sample { ahead: SignedDuration::from_secs(seconds), uncertain: Duration::from_millis(20) }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_new_opens_while_the_clock_is_wrong() {
        let start: Timestamp = "2026-09-01T00:29:50Z".parse().unwrap();
        let clock = Clock::at(start);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now(), start + SignedDuration::from_secs(5));
        assert_eq!(clock.opens_by(), clock.now());
        // Three seconds fast: what is open by the other clock too stays open, nothing else opens.
        clock.heard(off(3));
        assert_eq!(clock.opens_by(), start + SignedDuration::from_secs(2));
        tokio::time::advance(Duration::from_secs(60)).await;
        clock.heard(off(3));
        assert_eq!(clock.opens_by(), start + SignedDuration::from_secs(2));
        let readiness = Readiness::default();
        clock.tell(&readiness);
        assert!(readiness.report().starts_with("clock: not ok: 3.000 s ahead"), "{}", readiness.report());
        clock.heard(off(0));
        assert_eq!(clock.opens_by(), clock.now());
        clock.tell(&readiness);
        assert!(readiness.is_ready());
    }

    #[test]
    fn an_offset_is_lived_by() {
        let clock = Clock::start(SignedDuration::from_hours(-5), &Telemetry::new("test"));
        let real = wall(SignedDuration::ZERO);
        let behind = real.duration_since(clock.now()).as_secs();
        assert!((17_999..=18_001).contains(&behind), "{behind}");
        clock.look();
        assert!(clock.opens_by() > Timestamp::UNIX_EPOCH);
    }
}
