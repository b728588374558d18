//! When players come after a bell.

use crate::random::Random;
use std::str::FromStr;
use std::time::Duration;
use units::Span;

/// How the players of a bell come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    /// All in one instant: the worst there is.
    AtOnce,
    /// Evenly likely at any time of a span.
    Uniform(Duration),
    /// Most of them in the middle: a normal distribution of this standard deviation, three of them to either side.
    Bell(Duration),
}

/// Text that names no curve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no arrival curve; write \"at-once\", \"uniform:60s\" or \"bell:10s\" (its standard deviation)"
)]
pub(crate) struct ParseCurveError(String);

impl Curve {
    /// The arrivals of `players` after the bell, in order.
    pub(crate) fn draw(self, players: usize, random: &mut Random) -> Vec<Duration> {
        let mut arrivals: Vec<Duration> = (0..players).map(|_| self.one(random)).collect();
        arrivals.sort_unstable();
        arrivals
    }

    fn one(self, random: &mut Random) -> Duration {
        match self {
            Self::AtOnce => Duration::ZERO,
            Self::Uniform(span) => Duration::from_micros(random.below(micros(span).saturating_add(1))),
            Self::Bell(deviation) => {
                // The sum of twelve even draws has variance 1 and is as good as normal within three deviations.
                let sum: u128 = (0..12).map(|_| u128::from(random.bits() >> 32)).sum();
                let deviation = u128::from(micros(deviation));
                let from_begin = ((sum * deviation) >> 32).saturating_sub(3 * deviation).min(6 * deviation);
                Duration::from_micros(u64::try_from(from_begin).unwrap_or(u64::MAX))
            }
        }
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

impl FromStr for Curve {
    type Err = ParseCurveError;

    fn from_str(text: &str) -> Result<Self, ParseCurveError> {
        let bad = || ParseCurveError(text.to_owned());
        let (name, span) = text.split_once(':').unwrap_or((text, ""));
        let span = || span.parse::<Span>().map(|span| span.0).map_err(|_| bad());
        match name {
            "at-once" if !text.contains(':') => Ok(Self::AtOnce),
            "uniform" => span().map(Self::Uniform),
            "bell" => span().map(Self::Bell),
            _ => Err(bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn curves_are_read() {
        for (text, curve) in [
            ("at-once", Curve::AtOnce),
            ("uniform:60s", Curve::Uniform(Duration::from_secs(60))),
            ("bell:500ms", Curve::Bell(Duration::from_millis(500))),
        ] {
            assert_eq!(text.parse(), Ok(curve));
        }
        for text in ["", "uniform", "uniform:", "uniform:60", "at-once:1s", "bell:-1s", "poisson:1s"] {
            assert!(text.parse::<Curve>().is_err(), "{text}");
        }
    }

    #[test]
    fn two_thirds_come_within_one_deviation_of_the_middle() {
        let arrivals = Curve::Bell(Duration::from_secs(10)).draw(20_000, &mut Random::new(7));
        let within = |from: u64, to: u64| {
            let seconds = Duration::from_secs(from)..Duration::from_secs(to);
            arrivals.iter().filter(|at| seconds.contains(at)).count()
        };
        assert!((13_250..14_050).contains(&within(20, 40)), "{}", within(20, 40));
        assert!(within(10, 50) > 18_900, "{}", within(10, 50));
    }

    proptest! {
        #[test]
        fn everybody_comes_in_order_and_in_time(seed: u64, players in 0usize..500, ms in 0u64..100_000, which in 0..3) {
            let span = Duration::from_millis(ms);
            let (curve, end) = match which {
                0 => (Curve::AtOnce, Duration::ZERO),
                1 => (Curve::Uniform(span), span),
                _ => (Curve::Bell(span), span * 6),
            };
            let arrivals = curve.draw(players, &mut Random::new(seed));
            prop_assert_eq!(arrivals.len(), players);
            prop_assert!(arrivals.is_sorted());
            prop_assert!(arrivals.iter().all(|&at| at <= end));
            prop_assert_eq!(arrivals, curve.draw(players, &mut Random::new(seed)));
        }
    }
}
