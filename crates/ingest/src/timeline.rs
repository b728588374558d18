//! Source time as integers on one axis, and the packets of a transport stream brought onto it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

    /// How far from zero.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
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
/// freeze for hours, or, where it goes back, lose all until the clock has been where it was before. Such a jump is taken out for all
/// streams at once, so that pictures and sound keep their relation. Other containers state gaps on purpose and are not
/// mended.
///
/// Around a cut packets of both sides lie between each other, and a single time stamp may be wrong: a packet that goes on where
/// its own stream was stays on the old side.
#[derive(Debug, Default)]
pub struct Continuity {
    /// Behind the last cut.
    correction: Flicks,
    /// Before it.
    before: Flicks,
    /// The last packet of each stream.
    streams: BTreeMap<usize, Placed>,
    /// Where the last packet of any stream ended, corrected.
    expected: Option<Flicks>,
    jumps: u64,
}

#[derive(Debug, Clone, Copy)]
struct Placed {
    /// Decode time, corrected.
    time: Flicks,
    /// By what.
    correction: Flicks,
}

impl Continuity {
    /// More than this from one packet to the next is a cut. FFmpeg's own tool uses the same.
    pub const JUMP: Flicks = Flicks::from_millis(10_000);
    /// A stream that goes back by more than this was cut. Decode times only rise; where they are not told, those of presentation
    /// stand for them, which go back by some pictures.
    pub const BACK: Flicks = Flicks::from_millis(1_000);

    /// What to add to the time stamps of a packet of `stream`, decoded at `decode_time` for `duration`.
    pub fn correction(&mut self, stream: usize, decode_time: Flicks, duration: Flicks) -> Flicks {
        let correction = self.judge(stream, decode_time);
        let time = decode_time.plus(correction);
        self.streams.insert(stream, Placed { time, correction });
        self.expected = Some(time.plus(duration));
        correction
    }

    /// Cuts mended so far.
    pub fn jumps(&self) -> u64 {
        self.jumps
    }

    fn judge(&mut self, stream: usize, decode_time: Flicks) -> Flicks {
        let Some(expected) = self.expected else { return self.correction };
        let jump = decode_time.plus(self.correction).minus(expected);
        let goes_back = match self.streams.get(&stream) {
            None => jump < Flicks(-Self::JUMP.0),
            Some(last) => {
                let off = |correction| decode_time.plus(correction).minus(last.time);
                let (behind, before) = (off(self.correction), off(self.before));
                if before.abs() <= Self::BACK && before.abs() < behind.abs() {
                    return self.before;
                }
                // Another stream was first to cross the cut: what it found is for this one, too.
                let most = if last.correction == self.correction { Self::BACK } else { Self::JUMP };
                behind < Flicks(-most.0)
            }
        };
        if goes_back || jump > Self::JUMP {
            self.before = self.correction;
            self.correction = expected.minus(decode_time);
            self.jumps += 1;
        }
        self.correction
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

    const PICTURES: usize = 0;
    const SOUND: usize = 1;

    #[test]
    fn a_jump_is_taken_out_once_for_all_streams() {
        let second = Flicks::from_millis(1_000);
        let mut clock = Continuity::default();
        assert_eq!(clock.correction(PICTURES, Flicks::ZERO, second), Flicks::ZERO);
        // Sound beside pictures, half a second behind: no jump.
        assert_eq!(clock.correction(SOUND, Flicks::from_millis(500), Flicks::ZERO), Flicks::ZERO);
        let hour = Flicks::from_millis(3_600_000);
        let correction = clock.correction(PICTURES, hour, second);
        assert_eq!(hour.plus(correction), Flicks::from_millis(500));
        assert_eq!(clock.correction(PICTURES, hour.plus(second), second), correction);
        assert_eq!(clock.jumps(), 1);
    }

    /// Packets of 40 ms at these times, in milliseconds, to where they are put.
    fn mended(clock: &mut Continuity, packets: &[(usize, i64)]) -> Vec<i64> {
        let placed = packets.iter().map(|&(stream, at)| {
            let at = Flicks::from_millis(at);
            at.plus(clock.correction(stream, at, Flicks::from_millis(40))).in_ticks_of(1_000)
        });
        placed.collect()
    }

    /// The beginning of what came behind a short opening was lost, as long as that was.
    #[test]
    fn what_is_joined_behind_a_short_part_follows_it() {
        let mut clock = Continuity::default();
        let opening = (0..150).flat_map(|n| [(PICTURES, 1_400 + n * 40), (SOUND, 1_300 + n * 40)]);
        mended(&mut clock, &opening.collect::<Vec<_>>());
        // Its last picture comes out when the next part's first is seen, behind that one's first sound.
        let join = [(SOUND, 1_300), (PICTURES, 7_400), (PICTURES, 1_400), (SOUND, 1_340), (PICTURES, 1_440)];
        assert_eq!(mended(&mut clock, &join), [7_300, 7_400, 7_400, 7_340, 7_440]);
        assert_eq!(clock.jumps(), 1);
    }

    #[test]
    fn a_single_wrong_time_stamp_moves_nothing_behind_it() {
        for wrong in [-5_000, 30_000] {
            let mut clock = Continuity::default();
            let packets: Vec<_> = (0..250).flat_map(|n| [(PICTURES, n * 40), (SOUND, n * 40)]).collect();
            mended(&mut clock, &packets);
            mended(&mut clock, &[(PICTURES, 10_000 + wrong)]);
            let later = [(SOUND, 10_000), (PICTURES, 10_040), (SOUND, 10_040), (PICTURES, 10_080)];
            assert_eq!(mended(&mut clock, &later), later.map(|(_, at)| at), "{wrong}");
        }
    }
}
