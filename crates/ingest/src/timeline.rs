//! Source time as integers on one axis, and the packets of a transport stream brought onto it.

use serde::{Deserialize, Serialize};

/// Ticks a second: 24, 25, 30, 50, 60, 48,000 and 90,000 divide it, and so does every 1001 rate times its numerator.
pub const FLICKS_PER_SECOND: i64 = 705_600_000;

/// A point or length in source time: 1/705,600,000 s.
///
/// Covers ±150 days, so sums of two plausible times cannot overflow; implausible ones saturate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
pub struct Flicks(pub i64);

impl Flicks {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `ticks` of `num/den` seconds, to the nearest flick. A nonsensical base counts as 1/90,000.
    pub fn from_ticks(ticks: i64, (num, den): (i32, i32)) -> Self {
        let (num, den) = if num > 0 && den > 0 { (num, den) } else { (1, 90_000) };
        let exact = i128::from(ticks) * i128::from(num) * i128::from(FLICKS_PER_SECOND);
        let den = i128::from(den);
        Self(clamp((exact + den / 2).div_euclid(den)))
    }

    /// Whole milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(FLICKS_PER_SECOND / 1_000))
    }

    /// Whole microseconds.
    pub fn from_micros(micros: i64) -> Self {
        Self::from_ticks(micros, (1, 1_000_000))
    }

    /// In units of 1/`rate` s, to the nearest.
    pub fn in_ticks_of(self, rate: u32) -> i64 {
        let exact = i128::from(self.0) * i128::from(rate);
        let second = i128::from(FLICKS_PER_SECOND);
        clamp((exact + second / 2).div_euclid(second))
    }

    /// `self + other`, saturating.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self − other`, saturating.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// As a duration; negative times are zero.
    pub fn to_duration(self) -> std::time::Duration {
        let nanos = i128::from(self.0.max(0)) * 1_000_000_000 / i128::from(FLICKS_PER_SECOND);
        std::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

fn clamp(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// Mends a transport stream's clock where it was cut.
///
/// An edited or re-recorded transport stream jumps in time, pictures and sound together. Taken at its word it would
/// freeze for hours. A jump of more than [`Continuity::JUMP`] is taken out for all streams at once, so that pictures
/// and sound keep their relation. Other containers state gaps on purpose and are not mended.
#[derive(Debug, Default)]
pub struct Continuity {
    correction: Flicks,
    /// Where the last packet of any stream ended, corrected.
    expected: Option<Flicks>,
    jumps: u64,
}

impl Continuity {
    /// More than this from one packet to the next is a cut. FFmpeg's own tool uses the same.
    pub const JUMP: Flicks = Flicks::from_millis(10_000);

    /// What to add to the time stamps of a packet decoded at `decode_time` for `duration`.
    pub fn correction(&mut self, decode_time: Flicks, duration: Flicks) -> Flicks {
        let mut corrected = decode_time.plus(self.correction);
        if let Some(expected) = self.expected {
            let jump = corrected.minus(expected);
            if jump > Self::JUMP || jump < Flicks(-Self::JUMP.0) {
                self.correction = self.correction.minus(jump);
                self.jumps += 1;
                corrected = expected;
            }
        }
        self.expected = Some(corrected.plus(duration));
        self.correction
    }

    /// Cuts mended so far.
    pub fn jumps(&self) -> u64 {
        self.jumps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_time_bases_are_exact() {
        for (ticks, base, flicks) in [
            (1, (1, 25), 28_224_000),
            (1, (1_001, 30_000), 23_543_520),
            (1, (1, 90_000), 7_840),
            (1, (1, 48_000), 14_700),
            (-1_024, (1, 48_000), -15_052_800),
            (1, (0, 0), 7_840),
        ] {
            assert_eq!(Flicks::from_ticks(ticks, base), Flicks(flicks));
        }
        assert_eq!(Flicks::from_ticks(i64::MAX, (1, 1)), Flicks(i64::MAX));
        assert_eq!(Flicks(28_224_000).in_ticks_of(48_000), 1_920);
    }

    #[test]
    fn a_jump_is_taken_out_once_for_all_streams() {
        let second = Flicks::from_millis(1_000);
        let mut clock = Continuity::default();
        assert_eq!(clock.correction(Flicks::ZERO, second), Flicks::ZERO);
        // Sound beside pictures, half a second behind: no jump.
        assert_eq!(clock.correction(Flicks::from_millis(500), Flicks::ZERO), Flicks::ZERO);
        let hour = Flicks::from_millis(3_600_000);
        let correction = clock.correction(hour, second);
        assert_eq!(hour.plus(correction), Flicks::from_millis(500));
        assert_eq!(clock.correction(hour.plus(second), second), correction);
        assert_eq!(clock.jumps(), 1);
    }
}
