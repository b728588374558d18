//! Where sound belongs: the file's time stamps against the count of its samples. Pure.
//!
//! The two never agree. Containers round (Matroska to milliseconds), sound cards count a little fast or slow, packets
//! are lost, recordings are joined. Taken at their word, time stamps make sound stutter; taken by the count, it drifts
//! away from the mouth. Three kinds of disagreement are told apart:
//!
//! - **Jitter** around the count is ignored.
//! - **Drift** is followed by a slow loop that knows offset and rate, so that a steady drift leaves no error behind.
//!   The resampler then stretches sound by a few parts in ten thousand, which nobody hears.
//! - **A step** (a gap, an overlap, a cut) is taken exactly where it is, at once. To know it from a single wrong stamp,
//!   the sounds behind it are held back and asked: if one of them is on time again, it was none.

use crate::timeline::Flicks;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Nearer to where it is expected, sound is on time; farther off, it is a step or a wrong stamp.
///
/// What is promised: sound within 5 ms of where its stamp says. Below a fifth of a picture, half the distance at which
/// trained listeners notice (ITU-R BT.1359 puts that at 45 ms early and 125 ms late).
const ON_TIME: Flicks = Flicks::from_millis(5);
/// How much sound behind a suspect is asked.
const LOOK_AHEAD: Flicks = Flicks::from_millis(500);
/// At the end of the stream, so many sounds that agree make a step.
const ENOUGH: usize = 4;
/// Sounds held back at most, however short they are.
const MAX_HELD: usize = 256;
/// How long the loop takes to believe an offset.
const SETTLES: Flicks = Flicks::from_millis(1_400);
/// The most that sound is stretched: 3 in a thousand, a twentieth of a semitone.
const MAX_RATE: i64 = RATE_UNIT * 3 / 1_000;
/// One as a rate: stretch is counted in billionths.
const RATE_UNIT: i64 = 1_000_000_000;

/// What the clock did to a whole lesson. Source times against counted samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReport {
    /// Sound that was taken in, in milliseconds by its samples.
    pub sound_ms: u64,
    /// How much it was stretched (positive) or squeezed to stay with its time stamps.
    pub stretched_ms: i64,
    /// Holes that were filled with silence, those in front of the first sound left out.
    pub gaps: u32,
    /// Their length together.
    pub gap_ms: u64,
    /// Places where sound lay over sound, which was cut.
    pub overlaps: u32,
    /// Their length together.
    pub overlap_ms: u64,
}

struct Held<T> {
    time: Flicks,
    length: Flicks,
    sound: T,
}

/// Follows the time stamps of one stream of sounds.
pub struct Clock<T> {
    /// Where the next sound is expected, once there was one.
    next: Option<Flicks>,
    /// How much longer than its count sound lasts, in billionths.
    rate: i64,
    held: VecDeque<Held<T>>,
    counted: Flicks,
    stretched: Flicks,
    gaps: (u32, Flicks),
    overlaps: (u32, Flicks),
}

impl<T> Default for Clock<T> {
    fn default() -> Self {
        Self {
            next: None,
            rate: 0,
            held: VecDeque::new(),
            counted: Flicks::ZERO,
            stretched: Flicks::ZERO,
            gaps: (0, Flicks::ZERO),
            overlaps: (0, Flicks::ZERO),
        }
    }
}

impl<T> Clock<T> {
    /// Takes a sound that the file says starts at `time`, and that lasts `length` by its samples.
    pub fn put(&mut self, time: Flicks, length: Flicks, sound: T) {
        self.held.push_back(Held { time, length, sound });
    }

    /// The next sound whose place is known, and where it starts. With `ended`, all that is left has a place.
    pub fn take(&mut self, ended: bool) -> Option<(Flicks, T)> {
        let stamp = self.held.front()?.time;
        let at = match self.next {
            None => stamp,
            Some(expected) => match self.judge(expected, ended)? {
                Verdict::OnTime(off) => self.follow(expected, off),
                Verdict::Jitter => expected,
                Verdict::Step(off) => {
                    self.count_step(off);
                    stamp
                }
            },
        };
        let held = self.held.pop_front()?;
        let stretch = Flicks(scale(held.length.0, self.rate, RATE_UNIT));
        self.stretched = self.stretched.plus(stretch);
        self.counted = self.counted.plus(held.length);
        self.next = Some(at.plus(held.length).plus(stretch));
        Some((at, held.sound))
    }

    /// What became of the stamps so far.
    pub fn report(&self) -> ClockReport {
        let millis = |flicks: Flicks| u64::try_from(flicks.to_duration().as_millis()).unwrap_or(u64::MAX);
        ClockReport {
            sound_ms: millis(self.counted),
            stretched_ms: self.stretched.0 / Flicks::from_millis(1).0,
            gaps: self.gaps.0,
            gap_ms: millis(self.gaps.1),
            overlaps: self.overlaps.0,
            overlap_ms: millis(self.overlaps.1),
        }
    }

    /// What the first held sound's stamp means, or `None` while those behind it are not there to be asked.
    fn judge(&self, expected: Flicks, ended: bool) -> Option<Verdict> {
        let mut due = expected;
        let mut asked = Flicks::ZERO;
        let mut suspect = Flicks::ZERO;
        for (index, held) in self.held.iter().enumerate() {
            let off = held.time.minus(due);
            let on_time = off <= ON_TIME && off >= Flicks(-ON_TIME.0);
            match index {
                0 if on_time => return Some(Verdict::OnTime(off)),
                0 => suspect = off,
                // Back in time, or off to the other side: the first one's stamp was not to be trusted.
                _ if on_time || (off.0 < 0) != (suspect.0 < 0) => return Some(Verdict::Jitter),
                _ => asked = asked.plus(held.length),
            }
            due = due.plus(held.length);
        }
        if asked >= LOOK_AHEAD || self.held.len() >= MAX_HELD {
            return Some(Verdict::Step(suspect));
        }
        // At the end there are fewer to be asked.
        ended.then_some(if self.held.len() >= ENOUGH { Verdict::Step(suspect) } else { Verdict::Jitter })
    }

    /// Moves a little towards the stamp, and learns from it how fast the file's clock runs.
    fn follow(&mut self, expected: Flicks, off: Flicks) -> Flicks {
        // A critically damped second-order loop whose gains belong to this sound's length: offset by g, rate by g²/4.
        let length = self.held.front().map_or(1, |held| held.length.0).clamp(1, SETTLES.0 / 2);
        let pull = scale(off.0, length, SETTLES.0);
        let learnt = scale(scale(pull, RATE_UNIT, 4), 1, SETTLES.0);
        self.rate = (self.rate + learnt).clamp(-MAX_RATE, MAX_RATE);
        self.stretched = self.stretched.plus(Flicks(pull));
        expected.plus(Flicks(pull))
    }

    fn count_step(&mut self, off: Flicks) {
        let (count, length) = if off.0 > 0 { &mut self.gaps } else { &mut self.overlaps };
        *count = count.saturating_add(1);
        *length = length.plus(Flicks(off.0.saturating_abs()));
    }
}

enum Verdict {
    OnTime(Flicks),
    Jitter,
    Step(Flicks),
}

/// `value` × `up` / `down`, to the nearest, without overflow on the way.
fn scale(value: i64, up: i64, down: i64) -> i64 {
    let exact = i128::from(value) * i128::from(up);
    let down = i128::from(down);
    let nearest = (exact + down / 2).div_euclid(down);
    i64::try_from(nearest).unwrap_or(if nearest < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests;
