//! Whether the clock is believed: rules over what was seen, without a clock of their own.
//!
//! | kernel         | upstream's clock | verdict                                                          |
//! |----------------|------------------|------------------------------------------------------------------|
//! | synchronised   | whatever         | right: a wrong upstream must not shut a thousand edges           |
//! | otherwise      | within a second  | right                                                            |
//! | otherwise      | surely further   | off: nothing new opens                                           |
//! | otherwise      | nothing heard    | right, for want of a better                                      |
//!
//! A wall clock that jumps by more than a second is followed when the kernel or the upstream bears it out, and until then
//! the time before the jump goes on.

use super::kernel::Kernel;
use jiff::SignedDuration;
use std::time::Duration;

/// How far off a clock may be.
const TOLERANCE_NS: i64 = 1_000_000_000;

/// The upstream's clock, seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// How far ours is ahead.
    pub ahead: SignedDuration,
    /// The most that this may be wrong by: half of the time that the question took, and the grain of the answer.
    pub uncertain: Duration,
}

/// What has been seen.
#[derive(Debug, Default)]
pub(super) struct Judge {
    kernel: Kernel,
    /// How far the wall clock has jumped away from the time that is gone by.
    jumped_ns: Option<i64>,
    /// How far ours is ahead, where that is surely too far.
    off_ns: Option<i64>,
}

/// What follows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Judged {
    /// To be added to our time.
    pub(super) step_ns: i64,
    /// Nothing new opens; ours is ahead by so much.
    pub(super) shuts: Option<i64>,
}

impl Judge {
    /// The wall clock is `ahead_ns` of our time.
    pub(super) fn wall(&mut self, ahead_ns: i64, kernel: Kernel) -> Judged {
        self.kernel = kernel;
        if kernel == Kernel::Synchronised {
            self.off_ns = None;
        }
        let small = ahead_ns.abs() <= TOLERANCE_NS;
        if small || kernel == Kernel::Synchronised {
            if !small {
                tracing::warn!(seconds = seconds(ahead_ns), "the clock was set");
            }
            self.jumped_ns = None;
            return self.step(ahead_ns);
        }
        if self.jumped_ns.is_none() {
            tracing::warn!(seconds = seconds(ahead_ns), "the clock has jumped");
        }
        self.jumped_ns = Some(ahead_ns);
        self.step(0)
    }

    /// The upstream's clock was heard.
    pub(super) fn sample(&mut self, sample: Sample) -> Judged {
        let ahead_ns = i64::try_from(sample.ahead.as_nanos()).unwrap_or(i64::MAX);
        let uncertain = i64::try_from(sample.uncertain.as_nanos()).unwrap_or(i64::MAX);
        let is_off = |ahead: i64| ahead.saturating_abs().saturating_sub(uncertain) > TOLERANCE_NS;
        if let Some(jumped) = self.jumped_ns
            && is_off(ahead_ns)
            && !is_off(ahead_ns.saturating_add(jumped))
        {
            tracing::warn!(seconds = seconds(jumped), "the clock was set, as the upstream bears out");
            (self.jumped_ns, self.off_ns) = (None, None);
            return self.step(jumped);
        }
        let off = (is_off(ahead_ns) && self.kernel != Kernel::Synchronised).then_some(ahead_ns);
        if off.is_some() != self.off_ns.is_some() {
            tracing::warn!(seconds = seconds(ahead_ns), off = off.is_some(), "clock beside the upstream's");
        }
        self.off_ns = off;
        self.step(0)
    }

    fn step(&self, step_ns: i64) -> Judged {
        Judged { step_ns, shuts: self.off_ns }
    }

    /// Why the clock is not right, for people.
    pub(super) fn problem(&self) -> Option<String> {
        if let Some(ahead) = self.off_ns {
            let (by, side) = (seconds(ahead.saturating_abs()), if ahead > 0 { "ahead of" } else { "behind" });
            return Some(format!(
                "{by:.3} s {side} the upstream's clock; nothing new opens until that is less than 1 s: set up NTP"
            ));
        }
        let by = seconds(self.jumped_ns?);
        Some(format!(
            "jumped by {by:.3} s, which nobody bears out; the time from before it goes on: set up NTP"
        ))
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kernel::{Synchronised, Unknown, Unsynchronised};

    const SECOND: i64 = 1_000_000_000;

    fn sample(ahead_ms: i64, uncertain_ms: u64) -> Sample {
        let ahead = SignedDuration::from_millis(ahead_ms);
        Sample { ahead, uncertain: Duration::from_millis(uncertain_ms) }
    }

    #[test]
    fn off_is_what_is_surely_more_than_a_second() {
        for (kernel, ahead_ms, uncertain_ms, off) in [
            (Unknown, 0, 0, false),
            (Unknown, 1_000, 0, false),
            (Unknown, 1_001, 0, true),
            (Unknown, -1_001, 0, true),
            (Unsynchronised, 5_000, 100, true),
            (Unsynchronised, 1_400, 500, false),
            (Synchronised, 5_000, 100, false),
        ] {
            let mut judge = Judge::default();
            judge.wall(0, kernel);
            let judged = judge.sample(sample(ahead_ms, uncertain_ms));
            let shuts = off.then_some(ahead_ms * 1_000_000);
            assert_eq!(judged, Judged { step_ns: 0, shuts }, "{kernel:?} {ahead_ms} ± {uncertain_ms}");
            assert_eq!(judge.problem().is_some(), off);
        }
    }

    #[test]
    fn attack_73_a_jump_counts_when_it_is_borne_out() {
        // Drift and slewing are followed.
        let mut judge = Judge::default();
        assert_eq!(judge.wall(SECOND / 2, Unknown).step_ns, SECOND / 2);
        // An hour is not, by the wall clock's own word.
        assert_eq!(judge.wall(3_600 * SECOND, Unknown), Judged { step_ns: 0, shuts: None });
        assert!(judge.problem().unwrap().starts_with("jumped by 3600.000 s"));
        // The upstream says that our time is right, and the wall clock wrong.
        assert_eq!(judge.sample(sample(10, 20)), Judged { step_ns: 0, shuts: None });
        assert!(judge.problem().is_some());
        // It comes back.
        assert_eq!(judge.wall(0, Unknown).step_ns, 0);
        assert_eq!(judge.problem(), None);
        // A machine that slept: the wall clock is right, as the upstream says.
        judge.wall(3_600 * SECOND, Unknown);
        let judged = judge.sample(sample(-3_600_000, 20));
        assert_eq!(judged, Judged { step_ns: 3_600 * SECOND, shuts: None });
        assert_eq!(judge.problem(), None);
        // Or the kernel says.
        assert_eq!(judge.wall(-3_600 * SECOND, Synchronised).step_ns, -3_600 * SECOND);
    }

    #[test]
    fn a_kernel_that_gets_synchronised_opens_again() {
        let mut judge = Judge::default();
        judge.wall(0, Unsynchronised);
        assert!(judge.sample(sample(5_000, 0)).shuts.is_some());
        assert!(judge.wall(0, Unsynchronised).shuts.is_some());
        assert!(judge.wall(0, Synchronised).shuts.is_none());
    }
}
