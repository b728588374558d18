//! Time stamps of one stream, as its decoder gives them out: in the order in which frames are shown, so they rise. Pure.

use crate::timeline::{Continuity, Flicks};

/// A frame and when it is shown.
pub(crate) type Timed<T> = (T, Flicks);

/// Tells a single wrong time stamp from a gap.
///
/// Screen recorders leave gaps on purpose: a slide that stands for ten minutes is one picture, and what comes after it comes
/// later still. Behind a wrong stamp frames go on where they were. So a frame that leaps ahead waits for the one after it.
#[derive(Debug)]
pub(crate) struct Steady<T> {
    /// When the last frame that was given on is shown.
    last: Flicks,
    /// When a frame right behind it would be.
    due: Flicks,
    /// It has leapt, and how long it lasts.
    held: Option<(Timed<T>, Flicks)>,
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
        Self { last: Flicks::ZERO, due: Flicks::ZERO, held: None, strays: Strays::default() }
    }
}

impl<T> Steady<T> {
    /// Takes a frame that the file says is shown at `time` (`None`: right behind the one before it), and that takes `lasts`
    /// at least; gives on those whose time is known.
    pub(crate) fn push(&mut self, frame: T, time: Option<Flicks>, lasts: Flicks) -> [Option<Timed<T>>; 2] {
        let held = self.held.take();
        let due = held.as_ref().map_or(self.due, |((_, leapt), lasts)| leapt.plus(*lasts));
        let time = time.unwrap_or(due);
        let before = held.map(|((frame, leapt), lasts)| {
            // Nearer to where the stream was than to where one frame went.
            let stray = leapt.minus(time) > time.minus(self.last);
            if stray {
                self.strays.count += 1;
                self.strays.farthest = self.strays.farthest.max(leapt);
            }
            self.give(frame, if stray { self.due } else { leapt }, lasts)
        });
        if time.minus(self.due) > Continuity::JUMP {
            self.held = Some(((frame, time), lasts));
            return [before, None];
        }
        [before, Some(self.give(frame, time, lasts))]
    }

    /// Nothing follows: what is still held has no one to speak against it.
    pub(crate) fn finish(&mut self) -> Option<Timed<T>> {
        let ((frame, time), lasts) = self.held.take()?;
        Some(self.give(frame, time, lasts))
    }

    /// What was passed over so far.
    pub(crate) fn strays(&self) -> Strays {
        self.strays
    }

    fn give(&mut self, frame: T, time: Flicks, lasts: Flicks) -> Timed<T> {
        (self.last, self.due) = (time, time.plus(lasts));
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
        out.push(steady.finish());
        (out.into_iter().flatten().map(|((), time)| time.in_ticks_of(1_000)).collect(), steady.strays())
    }

    #[test]
    fn what_is_shown_when_by_table() {
        let hours = 3 * 3_600_000;
        for (case, times, shown, count) in [
            ("as it should be", vec![0, 40, 80], vec![0, 40, 80], 0),
            ("one leaps by hours and back", vec![0, 40, hours, 120, 160], vec![0, 40, 80, 120, 160], 1),
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
