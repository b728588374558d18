//! How many players there are, without knowing any: linear counting (Whang, Vander-Zanden and Taylor, 1990).

use prometheus::IntGauge;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Bits. With as many sessions a third of them stays clear, and the estimate is right to half a percent; at ten times as many it stops
/// growing.
const BITS: u64 = 1 << 16;
const WORDS: usize = (BITS / 64) as usize;
/// How long a bit is kept.
const ROUND: Duration = Duration::from_secs(60);

/// Which places were met in this round.
#[derive(Debug)]
pub(super) struct Sessions {
    bits: Box<[AtomicU64]>,
    /// Random, of this process. With the round's number it says which bit a name sets: nobody can tell a name from it.
    key: RandomState,
    began: Instant,
    round: AtomicU64,
    gauge: IntGauge,
}

impl Sessions {
    pub(super) fn new(gauge: IntGauge) -> Self {
        let bits = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        Self { bits, key: RandomState::new(), began: Instant::now(), round: AtomicU64::new(0), gauge }
    }

    pub(super) fn note(&self, name: &[u8], now: Instant) {
        let round = self.look(now);
        let place = self.key.hash_one((round, name)) % BITS;
        let (word, bit) = (&self.bits[usize::try_from(place / 64).unwrap_or(0)], 1 << (place % 64));
        // Read first: a session asks many times a minute, and all cores share the line.
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Counts and clears the bits when a round is over; the number of the one that runs.
    pub(super) fn look(&self, now: Instant) -> u64 {
        let round = now.saturating_duration_since(self.began).as_secs() / ROUND.as_secs();
        let before = self.round.load(Ordering::Relaxed);
        let turns = before < round
            && self.round.compare_exchange(before, round, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if turns {
            let clear: u64 =
                self.bits.iter().map(|word| u64::from(word.swap(0, Ordering::Relaxed).count_zeros())).sum();
            self.gauge.set(if round == before + 1 { estimate(clear) } else { 0 });
        }
        round
    }
}

/// How many different names leave so many bits clear.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "both are far below what a double holds exactly"
)]
fn estimate(clear: u64) -> i64 {
    let (bits, clear) = (BITS as f64, clear.max(1) as f64);
    (bits * (bits / clear).ln()).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions() -> Sessions {
        Sessions::new(IntGauge::new("a", "b").unwrap())
    }

    #[test]
    fn different_sessions_are_counted_once_each() {
        let sessions = sessions();
        for _ in 0..3 {
            for name in 0..10_000_u32 {
                sessions.note(&name.to_le_bytes(), sessions.began);
            }
        }
        assert_eq!(sessions.gauge.get(), 0, "not before the minute is over");
        sessions.look(sessions.began + ROUND);
        let counted = sessions.gauge.get();
        assert!((9_700..=10_300).contains(&counted), "{counted}");
    }

    #[test]
    fn a_minute_without_any_counts_none() {
        let sessions = sessions();
        sessions.note(b"a", sessions.began);
        sessions.look(sessions.began + ROUND);
        assert_eq!(sessions.gauge.get(), 1);
        assert!(sessions.bits.iter().all(|word| word.load(Ordering::Relaxed) == 0), "nothing is left of it");
        sessions.look(sessions.began + 2 * ROUND);
        assert_eq!(sessions.gauge.get(), 0);
    }

    #[test]
    fn a_name_sets_another_bit_in_another_minute_and_process() {
        let (one, other) = (sessions(), sessions());
        let place = |sessions: &Sessions, round: u64| sessions.key.hash_one((round, &b"name"[..])) % BITS;
        let places: std::collections::BTreeSet<_> =
            [place(&one, 0), place(&one, 1), place(&one, 2), place(&other, 0)].into();
        assert!(places.len() >= 3);
    }

    #[test]
    fn a_full_map_does_not_overflow() {
        assert!(estimate(0) > 700_000);
        assert_eq!(estimate(BITS), 0);
    }
}
