//! Time stamps of one stream, as its decoder gives them out: in the order in which frames are shown, so they rise. Pure.

use crate::timeline::{Continuity, Flicks};
use std::collections::VecDeque;

/// A frame and when it is shown.
pub(crate) type Timed<T> = (T, Flicks);

/// How many frames may have wrong stamps one behind the other. More are a gap; so many decoded pictures are held for it.
const MOST_STRAYS: usize = 8;

/// Tells wrong time stamps, one or some in a row, from a gap.
///
/// Screen recorders leave gaps on purpose: a slide that stands for ten minutes is one picture, and what comes after it comes
/// later still. Behind wrong stamps frames go on where they were. So a frame that leaps ahead waits for those after it.
#[derive(Debug)]
pub(crate) struct Steady<T> {
    /// When the last frame that was given on is shown; `None` before the first.
    last: Option<Flicks>,
    /// When a frame right behind it would be.
    due: Flicks,
    /// One that has leapt and those behind it, and how long each lasts.
    held: VecDeque<(Timed<T>, Flicks)>,
    strays: Strays,
}

/// Wrong time stamps that were passed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Strays {
    /// How many.
    pub(crate) count: u64,
    /// The latest of them.
    pub(crate) farthest: Flicks,
}

impl Strays {
    /// Those of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { count: self.count + other.count, farthest: self.farthest.max(other.farthest) }
    }
}

impl<T> Default for Steady<T> {
    fn default() -> Self {
        Self { last: None, due: Flicks::ZERO, held: VecDeque::new(), strays: Strays::default() }
    }
}

impl<T> Steady<T> {
    /// Takes a frame that the file says is shown at `time` (`None`: right behind the one before it), and that takes `lasts`
    /// at least; gives on those whose time is known.
    pub(crate) fn push(&mut self, frame: T, time: Option<Flicks>, lasts: Flicks) -> Vec<Timed<T>> {
        let time =
            time.unwrap_or_else(|| self.held.back().map_or(self.due, |((_, at), lasts)| at.plus(*lasts)));
        // Where a stream begins nobody knows: of what comes first one frame alone may be wrong.
        let most = if self.last.is_some() { MOST_STRAYS } else { 1 };
        let mut given = Vec::new();
        match self.first_stray(time) {
            Some(first) => {
                for place in 0..self.held.len() {
                    given.extend(self.give_held(place >= first));
                }
            }
            None if self.held.len() == most => given.extend(self.finish()),
            None => {}
        }
        if !self.held.is_empty() || time.minus(self.due) > Continuity::JUMP {
            self.held.push_back(((frame, time), lasts));
        } else {
            given.push(self.give(frame, time, lasts));
        }
        given
    }

    /// Nothing follows: what is still held has no one to speak against it.
    pub(crate) fn finish(&mut self) -> Vec<Timed<T>> {
        (0..self.held.len()).filter_map(|_| self.give_held(false)).collect()
    }

    /// What was passed over so far.
    pub(crate) fn strays(&self) -> Strays {
        self.strays
    }

    /// The first of those held that a frame at `time` speaks against, with all behind it: it has leapt, and the stream is nearer to
    /// where it was before than to there.
    fn first_stray(&self, time: Flicks) -> Option<usize> {
        let (mut last, mut due) = (self.last.unwrap_or(Flicks::ZERO), self.due);
        self.held.iter().position(|((_, at), lasts)| {
            let is_stray = at.minus(due) > Continuity::JUMP && at.minus(time) > time.minus(last);
            (last, due) = (*at, at.plus(*lasts));
            is_stray
        })
    }

    /// The first of those held, where it says it is or, as a stray, right behind the one before it.
    fn give_held(&mut self, is_stray: bool) -> Option<Timed<T>> {
        let ((frame, at), lasts) = self.held.pop_front()?;
        if is_stray {
            self.strays.count += 1;
            self.strays.farthest = self.strays.farthest.max(at);
        }
        Some(self.give(frame, if is_stray { self.due } else { at }, lasts))
    }

    fn give(&mut self, frame: T, time: Flicks, lasts: Flicks) -> Timed<T> {
        (self.last, self.due) = (Some(time), time.plus(lasts));
        (frame, time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures of 40 ms at these times, in milliseconds (`None`: not told), to where they are put.
    fn put(times: &[Option<i64>]) -> (Vec<i64>, Strays) {
        let mut steady = Steady::default();
        let lasts = Flicks::from_millis(40);
        let mut out: Vec<_> =
            times.iter().flat_map(|time| steady.push((), time.map(Flicks::from_millis), lasts)).collect();
        out.extend(steady.finish());
        (out.into_iter().map(|((), time)| time.in_ticks_of(1_000)).collect(), steady.strays())
    }

    #[test]
    fn what_is_shown_when_by_table() {
        let hours = 3 * 3_600_000;
        for (case, times, shown, count) in [
            ("as it should be", vec![0, 40, 80], vec![0, 40, 80], 0),
            ("one leaps by hours and back", vec![0, 40, hours, 120, 160], vec![0, 40, 80, 120, 160], 1),
            (
                "three in a row",
                vec![0, 40, hours, hours + 40, hours + 80, 200],
                vec![0, 40, 80, 120, 160, 200],
                3,
            ),
            (
                "each goes elsewhere",
                vec![0, 40, hours, 2 * hours, hours / 3, 200],
                vec![0, 40, 80, 120, 160, 200],
                3,
            ),
            ("behind a slide", vec![0, 60_000, hours, 60_080], vec![0, 60_000, 60_040, 60_080], 1),
            ("one between slides", vec![0, hours, 20_000, 40_000], vec![0, 40, 20_000, 40_000], 1),
            ("a slide that stands", vec![0, 40, 600_000, 600_040], vec![0, 40, 600_000, 600_040], 0),
            ("slides, each for minutes", vec![0, 60_000, 180_000], vec![0, 60_000, 180_000], 0),
            ("a slide, and stamps that jitter", vec![0, 15_000, 14_960], vec![0, 15_000, 14_960], 0),
            (
                "one goes back",
                vec![20_000, 20_040, 0, 20_120, 20_160],
                vec![20_000, 20_040, 0, 20_120, 20_160],
                0,
            ),
            ("the last stays", vec![0, 40, 600_000], vec![0, 40, 600_000], 0),
        ] {
            let (put, strays) = put(&times.into_iter().map(Some).collect::<Vec<_>>());
            assert_eq!((put, strays.count), (shown, count), "{case}");
        }
    }

    #[test]
    fn what_goes_on_where_it_leapt_to_is_a_gap_and_waits_for_no_more_than_some_frames() {
        let hours = 3 * 3_600_000;
        let mut steady = Steady::default();
        let times = [0].into_iter().chain((0..20).map(|n| hours + n * 40));
        let mut waiting = 0_usize;
        for time in times.clone() {
            let given = steady.push((), Some(Flicks::from_millis(time)), Flicks::from_millis(40));
            waiting = waiting + 1 - given.len();
            assert!(waiting <= MOST_STRAYS);
        }
        assert_eq!(waiting, 0);
        let slides: Vec<i64> = (0..30).map(|n| n * 60_000).collect();
        assert_eq!(put(&slides.iter().copied().map(Some).collect::<Vec<_>>()), (slides, Strays::default()));
    }

    #[test]
    fn frames_without_a_stamp_follow_the_one_before_them() {
        assert_eq!(put(&[Some(0), None, None]).0, [0, 40, 80]);
        assert_eq!(put(&[Some(0), Some(60_000), None]).0, [0, 60_000, 60_040], "behind a slide");
    }

    #[test]
    fn it_is_known_how_far_they_went() {
        let hour = Flicks::from_millis(3_600_000);
        let (_, strays) = put(&[0, 3_600_000, 80, 120, 60_000, 200].map(Some));
        assert_eq!(strays, Strays { count: 2, farthest: hour });
    }
}
