//! When a second server is asked beside a slow one: after the time in which 95 of 100 answers come.
//!
//! A histogram of fixed size, halved when it is full, so that it follows what servers do now and forgets what they did.

use std::time::Duration;

/// Steps of the histogram: each a fifth longer than the one before, from a millisecond to a minute and a half.
const STEPS: usize = 64;
const FIRST: Duration = Duration::from_millis(1);
const GROWTH: f64 = 1.2;
/// Before so many answers nothing is known about the 95th in a hundred.
const ENOUGH: u32 = 50;
/// Answers that are remembered; beyond, all counts are halved.
const FULL: u32 = 1_000;
/// The share of answers that come in time.
const IN_TIME: f64 = 0.95;
/// Never sooner: below it the wait is our own scheduler's, and a second question helps nobody.
const LEAST: Duration = Duration::from_millis(20);

/// How long the answers of a tier's servers take.
#[derive(Debug, Clone)]
pub struct Latencies {
    counts: [u32; STEPS],
    total: u32,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: [0; STEPS], total: 0 }
    }
}

impl Latencies {
    /// Notes an answer that took this long, or one given up after so long.
    pub fn note(&mut self, took: Duration) {
        if self.total >= FULL {
            for count in &mut self.counts {
                *count /= 2;
            }
            self.total = self.counts.iter().sum();
        }
        self.counts[step(took)] += 1;
        self.total += 1;
    }

    /// How long to wait before a second server is asked; `None` while too little is known.
    pub fn patience(&self) -> Option<Duration> {
        if self.total < ENOUGH {
            return None;
        }
        let wanted = (f64::from(self.total) * IN_TIME).ceil();
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += count;
            f64::from(seen) >= wanted
        })?;
        Some(upper_bound(at).max(LEAST))
    }
}

fn step(took: Duration) -> usize {
    let steps = (took.as_secs_f64() / FIRST.as_secs_f64()).max(1.0).log(GROWTH).ceil();
    // Small and not negative; what is longer than the last step is in the last step.
    (steps as usize).min(STEPS - 1)
}

fn upper_bound(step: usize) -> Duration {
    let step = i32::try_from(step).unwrap_or(i32::MAX);
    FIRST.mul_f64(GROWTH.powi(step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn nothing_is_known_before_fifty_answers() {
        let mut latencies = Latencies::default();
        for _ in 1..ENOUGH {
            latencies.note(40 * MS);
            assert_eq!(latencies.patience(), None);
        }
        latencies.note(40 * MS);
        let patience = latencies.patience().unwrap();
        assert!(patience >= 40 * MS && patience < 48 * MS, "{patience:?}");
    }

    #[test]
    fn the_slow_five_in_a_hundred_do_not_count_and_six_do() {
        for (slow, patient) in [(5, false), (6, true)] {
            let mut latencies = Latencies::default();
            for n in 0..100 {
                latencies.note(if n < slow { 3_000 * MS } else { 50 * MS });
            }
            assert_eq!(latencies.patience().unwrap() >= 3_000 * MS, patient, "{slow}");
        }
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut latencies = Latencies::default();
        for _ in 0..5_000 {
            latencies.note(900 * MS);
        }
        for _ in 0..20_000 {
            latencies.note(30 * MS);
        }
        assert!(latencies.patience().unwrap() < 40 * MS);
    }

    proptest! {
        #[test]
        fn a_step_holds_what_is_put_into_it(took_us in 0_u64..200_000_000) {
            let took = Duration::from_micros(took_us);
            let at = step(took);
            prop_assert!(at == STEPS - 1 || took <= upper_bound(at) + Duration::from_micros(1));
            prop_assert!(at == 0 || took > upper_bound(at - 1) - Duration::from_micros(1));
        }
    }
}
