//! Which rung to fetch next: the rule of hls.js over the measured line and the buffer.

use std::time::Duration;

/// The line as it was measured: two averages, of which the lower counts, so that a drop is believed at once and a rise
/// only when it lasts. Weights halve every 3 and 9 seconds of downloading (hls.js: `abrEwmaFastVoD`, `abrEwmaSlowVoD`).
#[derive(Debug, Clone)]
pub(crate) struct Throughput {
    fast: Average,
    slow: Average,
    /// Before anything is measured.
    guess: u64,
}

const FAST_S: f64 = 3.0;
const SLOW_S: f64 = 9.0;
/// A download is taken to last at least so long: what comes from a near cache within a packet's time says little.
const SHORTEST: Duration = Duration::from_millis(50);
/// Measurements below this weight, in seconds, do not replace the guess (hls.js: `minWeight_`, a thousandth).
const LEAST_WEIGHT: f64 = 0.001;

impl Throughput {
    /// `guess` in bits a second.
    pub(crate) fn new(guess: u64) -> Self {
        Self { fast: Average::new(FAST_S), slow: Average::new(SLOW_S), guess }
    }

    /// `bytes` have come in `took`.
    pub(crate) fn sample(&mut self, bytes: u64, took: Duration) {
        let seconds = took.max(SHORTEST).as_secs_f64();
        let bits_a_second = bytes as f64 * 8.0 / seconds;
        self.fast.sample(seconds, bits_a_second);
        self.slow.sample(seconds, bits_a_second);
    }

    /// Bits a second.
    pub(crate) fn estimate(&self) -> u64 {
        if self.fast.weight < LEAST_WEIGHT {
            self.guess
        } else {
            self.fast.value().min(self.slow.value()) as u64
        }
    }
}

/// An exponentially weighted average that begins without a past.
#[derive(Debug, Clone)]
struct Average {
    half_life_s: f64,
    value: f64,
    weight: f64,
}

impl Average {
    const fn new(half_life_s: f64) -> Self {
        Self { half_life_s, value: 0.0, weight: 0.0 }
    }

    fn sample(&mut self, weight: f64, value: f64) {
        let kept = 0.5_f64.powf(weight / self.half_life_s);
        self.value = value * (1.0 - kept) + self.value * kept;
        self.weight += weight;
    }

    /// Corrected for the past it does not have.
    fn value(&self) -> f64 {
        self.value / (1.0 - 0.5_f64.powf(self.weight / self.half_life_s))
    }
}

/// What the next segment is chosen by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// The rung that plays.
    pub(crate) current: usize,
    /// Bits a second.
    pub(crate) estimate: u64,
    /// What lies ahead lasts so long, by the clock on the wall; [`STARVATION`] while nothing plays.
    pub(crate) ahead: Duration,
    /// A segment lasts so long, by the clock on the wall.
    pub(crate) segment: Duration,
}

/// Of the measured line a rung may take so many hundredths, or fewer when it would be a step up (hls.js:
/// `abrBandWidthFactor`, `abrBandWidthUpFactor`).
const STAY: u64 = 95;
const STEP_UP: u64 = 70;
/// Who has nothing to watch may wait so long for a segment (hls.js: `maxStarvationDelay`).
pub(crate) const STARVATION: Duration = Duration::from_secs(4);

/// The rung to fetch next out of `rates`, bits a second by the clock on the wall, lowest first: the highest that the line
/// carries and whose segment comes before the buffer has run out, or the lowest.
pub(crate) fn choose(rates: &[u64], moment: Moment) -> usize {
    let carried = |&rung: &usize| {
        let share = if rung > moment.current { STEP_UP } else { STAY };
        let (rate, line) = (u128::from(rates[rung]) * 100, u128::from(moment.estimate) * u128::from(share));
        rate <= line && rate * moment.segment.as_micros() <= line * moment.ahead.as_micros()
    };
    (0..rates.len()).rev().find(carried).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATES: [u64; 4] = [100_000, 300_000, 700_000, 2_000_000];

    fn chosen(current: usize, estimate: u64, ahead_s: u64) -> usize {
        let segment = Duration::from_millis(4_800);
        choose(&RATES, Moment { current, estimate, ahead: Duration::from_secs(ahead_s), segment })
    }

    #[test]
    fn the_line_and_the_buffer_decide() {
        for (what, current, estimate, ahead_s, rung) in [
            ("a step up wants the rate at 70 hundredths", 0, 999_999, 30, 1),
            ("and is made with it", 0, 1_000_000, 30, 2),
            ("staying wants 95 hundredths", 2, 736_843, 30, 2),
            ("below that it goes down", 2, 736_841, 30, 1),
            ("several steps at once", 0, 50_000_000, 30, 3),
            ("nothing fits: the lowest", 3, 50_000, 30, 0),
            ("a short buffer wants a segment that comes soon", 2, 1_000_000, 3, 1),
            ("an empty one the lowest", 3, 50_000_000, 0, 0),
        ] {
            assert_eq!(chosen(current, estimate, ahead_s), rung, "{what}");
        }
        let nothing = Moment { current: 0, estimate: 1, ahead: Duration::ZERO, segment: Duration::ZERO };
        assert_eq!(choose(&[], nothing), 0);
    }

    #[test]
    fn a_drop_is_believed_at_once_and_a_rise_when_it_lasts() {
        let mut line = Throughput::new(400_000);
        assert_eq!(line.estimate(), 400_000);
        for _ in 0..10 {
            line.sample(1_000_000, Duration::from_secs(1));
        }
        assert!((7_900_000..=8_000_000).contains(&line.estimate()), "{}", line.estimate());
        for _ in 0..5 {
            line.sample(125_000, Duration::from_secs(1));
        }
        let low = line.estimate();
        assert!(low < 3_700_000, "{low}");
        line.sample(1_000_000, Duration::from_secs(1));
        assert!(line.estimate() < 5_500_000, "{}", line.estimate());
    }

    proptest! {
        #[test]
        fn more_line_or_more_buffer_never_means_a_lower_rung(
            current in 0usize..4, ahead_s in 0u64..100, longer in 0u64..100, low in 0u64..5_000_000, more in 0u64..5_000_000,
        ) {
            prop_assert!(chosen(current, low + more, ahead_s + longer) >= chosen(current, low, ahead_s));
        }

        #[test]
        fn no_rung_takes_more_than_its_share(current in 0usize..4, ahead_s in 0u64..100, estimate in 0u64..5_000_000) {
            let rung = chosen(current, estimate, ahead_s);
            let share = if rung > current { 70 } else { 95 };
            prop_assert!(rung == 0 || RATES[rung] * 100 <= estimate * share);
        }

        #[test]
        fn an_estimate_lies_between_what_was_measured(samples in proptest::collection::vec((1u64..10_000_000, 50u64..5_000), 1..50)) {
            let mut line = Throughput::new(1);
            let rates: Vec<f64> = samples.iter().map(|&(bytes, ms)| bytes as f64 * 8e3 / ms as f64).collect();
            for (bytes, ms) in samples {
                line.sample(bytes, Duration::from_millis(ms));
            }
            let (least, most) = rates.iter().fold((f64::MAX, 0.0_f64), |(l, m), &r| (l.min(r), m.max(r)));
            let estimate = line.estimate() as f64;
            prop_assert!(estimate >= least * 0.999 - 1.0 && estimate <= most * 1.001 + 1.0);
        }
    }
}
