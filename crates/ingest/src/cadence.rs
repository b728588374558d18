//! Which picture is shown in which slot of the output. Pure.
//!
//! The output has a picture every 1/25 (30, 50, 60) s; sources have what they have: 24, 29.97, variable, gaps. Each
//! decoded picture gets the slot nearest to its time; a slot nobody got shows the picture before it, a picture whose
//! slot is taken is dropped. Repeats are decided before scaling, so they cost one reference, not one more scaling.

use crate::timeline::{FLICKS_PER_SECOND, Flicks};
use grid::FrameRate;
use serde::{Deserialize, Serialize};

/// How far behind the slot before it a picture must be to get the next slot although it rounds to a taken one.
///
/// A quarter: time stamps that jitter around the middle between two slots (milliseconds in Matroska) neither drop
/// nor repeat, and rates truly above ours are still thinned evenly.
const LATE_ENOUGH: i64 = 4;

/// Places pictures into slots, in order. A copy goes on where it was made: that is how a chunk in the middle of a
/// lesson places its pictures as if it had seen all before them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cadence {
    slot: i64,
    /// Added to every time so that the first picture falls exactly on a slot: at most half a slot.
    phase: Option<Flicks>,
    last: Option<u64>,
    end: Flicks,
}

impl Cadence {
    /// Slots of `rate`.
    pub fn new(rate: FrameRate) -> Self {
        Self {
            slot: FLICKS_PER_SECOND / i64::from(rate.per_second()),
            phase: None,
            last: None,
            end: Flicks::ZERO,
        }
    }

    /// The slot from which a picture is shown that the source shows at `time` for `duration` (0: not told), or
    /// `None` when it is dropped.
    ///
    /// `time` counts from the lesson's start; pictures before it share slot 0 and the last of them wins it, which
    /// cannot be known here, so they are dropped as long as a later one comes before slot 1.
    pub fn place(&mut self, time: Flicks, duration: Flicks) -> Option<u64> {
        let phase = *self.phase.get_or_insert_with(|| {
            let nearest =
                (time.0.saturating_add(self.slot / 2)).div_euclid(self.slot).saturating_mul(self.slot);
            Flicks(nearest.saturating_sub(time.0))
        });
        let time = time.plus(phase);
        let shown = Flicks(duration.0.clamp(self.slot, Self::LONGEST_LAST.0));
        self.end = self.end.max(time.plus(shown));
        let nearest = time.0.saturating_add(self.slot / 2).div_euclid(self.slot);
        let placed = match self.last {
            None => u64::try_from(nearest).unwrap_or(0),
            Some(last) => {
                let behind = time.0.saturating_sub(i64::try_from(last).ok()?.saturating_mul(self.slot));
                match u64::try_from(nearest) {
                    Ok(nearest) if nearest > last => nearest,
                    _ if behind.saturating_mul(LATE_ENOUGH) >= self.slot => last + 1,
                    _ => return None,
                }
            }
        };
        self.last = Some(placed);
        Some(placed)
    }

    /// A last picture is shown for as long as the container says, up to this: a slide at the end of a screen
    /// recording, but not a day.
    const LONGEST_LAST: Flicks = Flicks::from_millis(60_000);

    /// Slots that the pictures so far cover; 0 before the first.
    pub fn slots(&self) -> u64 {
        let by_time = (self.end.0.saturating_add(self.slot / 2)).div_euclid(self.slot);
        self.last.map_or(0, |last| (last + 1).max(u64::try_from(by_time).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_all(rate: FrameRate, times: impl IntoIterator<Item = Flicks>) -> (Vec<Option<u64>>, u64) {
        let mut cadence = Cadence::new(rate);
        let placed = times.into_iter().map(|time| cadence.place(time, Flicks::ZERO)).collect();
        (placed, cadence.slots())
    }

    fn ticks(base: (i32, i32), range: std::ops::Range<i64>) -> impl Iterator<Item = Flicks> {
        range.map(move |tick| Flicks::from_ticks(tick, base))
    }

    #[test]
    fn the_same_rate_is_one_to_one() {
        let (placed, slots) = place_all(FrameRate::Fps25, ticks((1, 25), 0..250));
        assert_eq!(placed, (0..250).map(Some).collect::<Vec<_>>());
        assert_eq!(slots, 250);
    }

    #[test]
    fn milliseconds_do_not_shake_thirty_pictures_whatever_the_offset() {
        for offset in 0..34 {
            let times = (0..900).map(|n| Flicks::from_millis(offset + (n * 1_000 + 15) / 30));
            let (placed, _) = place_all(FrameRate::Fps30, times);
            let first = placed[0].expect("the first is always placed");
            for (n, slot) in placed.iter().enumerate() {
                assert_eq!(*slot, Some(first + n as u64), "offset {offset} picture {n}");
            }
        }
    }

    #[test]
    fn twenty_four_repeats_one_in_twenty_five() {
        let (placed, slots) = place_all(FrameRate::Fps25, ticks((1, 24), 0..240));
        assert!(placed.iter().all(Option::is_some));
        assert_eq!(slots, 250);
    }

    #[test]
    fn ntsc_repeats_one_in_a_thousand() {
        let (placed, slots) = place_all(FrameRate::Fps30, ticks((1_001, 30_000), 0..3_000));
        assert!(placed.iter().all(Option::is_some));
        assert_eq!(slots, 3_003);
    }

    #[test]
    fn a_rate_above_ours_is_thinned() {
        let (placed, slots) = place_all(FrameRate::Fps60, ticks((1, 120), 0..600));
        assert_eq!(placed.iter().flatten().count(), 301);
        assert!((300..=301).contains(&slots), "{slots}");
    }

    #[test]
    fn a_late_first_picture_is_held_from_the_start() {
        let (placed, _) = place_all(FrameRate::Fps25, [Flicks::from_millis(410), Flicks::from_millis(450)]);
        assert_eq!(placed, [Some(10), Some(11)]);
    }

    #[test]
    fn pictures_before_the_start_are_dropped() {
        let (placed, _) = place_all(FrameRate::Fps25, [-80, -40, 0, 40].map(Flicks::from_millis));
        assert_eq!(placed, [Some(0), None, None, Some(1)]);
    }

    #[test]
    fn a_last_slide_lasts_as_long_as_the_container_says_within_reason() {
        let mut cadence = Cadence::new(FrameRate::Fps25);
        cadence.place(Flicks::ZERO, Flicks::from_millis(3_000));
        assert_eq!(cadence.slots(), 75);
        cadence.place(Flicks::from_millis(3_000), Flicks(i64::MAX));
        assert_eq!(cadence.slots(), 75 + 60 * 25);
    }
}
