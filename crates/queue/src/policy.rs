//! How patient a queue is.

use std::time::Duration;

/// Each delay is so many times the one before.
const BACK_OFF_FACTOR: u32 = 4;
/// The longest delay between two tries: somebody who mends the cause within the hour need not do anything else.
const MAX_BACK_OFF: Duration = Duration::from_secs(3_600);
/// Beats within a lease: two may go missing.
const BEATS: u32 = 3;

/// How patient a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A worker that is not heard of for so long has lost its job. Default 60 s: longer than any pause of a healthy
    /// machine, short against a lesson's encoding.
    pub lease: Duration,
    /// So often a job is begun before it is set aside. Default 5, over some forty minutes.
    pub tries: u32,
    /// Delay after the first failure; each further one is four times the last, an hour at most. Default 30 s.
    pub back_off: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { lease: Duration::from_secs(60), tries: 5, back_off: Duration::from_secs(30) }
    }
}

impl Policy {
    /// How often a worker is to be heard of.
    pub fn beat_every(&self) -> Duration {
        self.lease / BEATS
    }

    /// Delay after so many failed tries.
    pub fn delay(&self, tries: u32) -> Duration {
        let factor = BACK_OFF_FACTOR.saturating_pow(tries.saturating_sub(1));
        self.back_off.saturating_mul(factor).min(MAX_BACK_OFF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_an_hour() {
        let policy = Policy::default();
        for (tries, seconds) in
            [(0, 30), (1, 30), (2, 120), (3, 480), (4, 1_920), (5, 3_600), (u32::MAX, 3_600)]
        {
            assert_eq!(policy.delay(tries), Duration::from_secs(seconds), "after {tries}");
        }
    }

    #[test]
    fn two_beats_may_go_missing() {
        let policy = Policy::default();
        assert!(policy.beat_every() * 2 < policy.lease);
    }
}
