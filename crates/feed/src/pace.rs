//! When each packet leaves: as its number says, by the monotonic clock, which follows the wall clock slowly.

use multiplex::Rate;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Nanoseconds of a period.
const PERIOD_NS: u128 = grid::SEGMENT_MS as u128 * 1_000_000;
/// The clock a receiver sees may be off by 30 parts in a million (EN 300 468 and DVB's modulators; 2.4.2.2), and the oscillator of
/// this machine needs some of it. Corrections change it by no more than this.
const MAX_SLEW: u32 = 20;
/// What is later than this is counted.
pub(crate) const LATE: Duration = Duration::from_millis(20);
/// What is later than this is not sent any more: a receiver has nothing of it.
const TOO_LATE: Duration = Duration::from_secs(1);
/// Behind by more than this, packets leave at twice the rate until they are not.
const BURST: Duration = Duration::from_millis(4);

/// What to do with a packet now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Wait until then.
    Wait(Instant),
    /// Send it; it is so late.
    Send(Duration),
    /// Leave it out: its time is long past.
    Skip,
}

/// The feed's own time: the wall clock's at the start, and from then on the monotonic clock's. Clones are the same: what is made by another
/// time than it is sent by comes too early or too late.
#[derive(Debug, Clone)]
pub(crate) struct Time(Arc<Mutex<Anchor>>);

/// At this instant the feed's time since 1970 was that.
type Anchor = (Instant, Duration);

/// A pace: which packet leaves when.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    rate: Rate,
    time: Time,
    /// Since when it is behind, and the time of the packet that was due then.
    catching_up: Option<(Instant, Duration)>,
}

impl Time {
    /// `now` is `wall` since 1970.
    pub(crate) fn new(now: Instant, wall: Duration) -> Self {
        Self(Arc::new(Mutex::new((now, wall))))
    }

    /// Since 1970, at `now`.
    pub(crate) fn at(&self, now: Instant) -> Duration {
        let (then, time) = self.anchor();
        time + now.saturating_duration_since(then)
    }

    fn anchor(&self) -> Anchor {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings it nearer to `wall`, the wall clock at `now`, by as much as receivers bear; how far it was off, in microseconds.
    pub(crate) fn correct(&self, now: Instant, wall: Duration) -> i64 {
        let (then, before) = self.anchor();
        let passed = now.saturating_duration_since(then);
        let mine = before + passed;
        let most = passed * MAX_SLEW / 1_000_000;
        let (off, mine) = if wall >= mine {
            let ahead = wall - mine;
            (i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX), mine + ahead.min(most))
        } else {
            let back = mine - wall;
            (-i64::try_from(back.as_micros()).unwrap_or(i64::MAX), mine - back.min(most))
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (now, mine);
        off
    }
}

impl Pace {
    pub(crate) fn new(rate: Rate, time: Time) -> Self {
        Self { rate, time, catching_up: None }
    }

    /// When packet `place` of period `number` leaves, since 1970.
    fn time_of(&self, number: u64, place: u32) -> Duration {
        let nanos =
            u128::from(number) * PERIOD_NS + u128::from(place) * PERIOD_NS / u128::from(self.rate.packets());
        // 64 bits of nanoseconds last until 2554.
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// What to do with packet `place` of period `number` at `now`.
    pub(crate) fn step(&mut self, number: u64, place: u32, now: Instant) -> Step {
        let (then, wall) = self.time.anchor();
        let time = self.time_of(number, place);
        let due = match time.checked_sub(wall) {
            Some(ahead) => then + ahead,
            None => then.checked_sub(wall - time).unwrap_or(then),
        };
        if now < due {
            self.catching_up = None;
            return Step::Wait(due);
        }
        let behind = now - due;
        if behind > TOO_LATE {
            return Step::Skip;
        }
        if behind > BURST {
            // A schedule of its own, twice as fast, from where it fell behind.
            let (since, first) = *self.catching_up.get_or_insert((now, time));
            let allowed = since + time.saturating_sub(first) / 2;
            if now < allowed {
                return Step::Wait(allowed);
            }
        } else {
            self.catching_up = None;
        }
        Step::Send(behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(now: Instant) -> Pace {
        Pace::new(Rate::nearest(4_000_000).unwrap(), Time::new(now, Duration::from_millis(4_800 * 10)))
    }

    #[tokio::test(start_paused = true)]
    async fn packets_leave_when_their_number_says() {
        let now = Instant::now();
        let mut pace = pace(now);
        let packets = pace.rate.packets();
        for (number, place, after_us) in
            [(10, 0, 0), (11, 0, 4_800_000), (10, packets / 2, 2_400_000), (10, 7, 2_631)]
        {
            match pace.step(number, place, now) {
                Step::Wait(due) => assert_eq!((due - now).as_micros(), after_us, "{number} {place}"),
                Step::Send(behind) => assert_eq!((behind, after_us), (Duration::ZERO, 0)),
                Step::Skip => panic!("skipped"),
            }
        }
        assert_eq!(pace.step(10, 0, now + Duration::from_millis(3)), Step::Send(Duration::from_millis(3)));
        assert_eq!(pace.step(9, 0, now), Step::Skip);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_behind_is_caught_up_with_at_twice_the_rate() {
        let begin = Instant::now();
        let mut pace = pace(begin);
        // Half a second behind: each datagram takes 10 µs to send.
        let (mut now, mut place) = (begin + Duration::from_millis(500), 0);
        let caught_up = loop {
            match pace.step(10, place, now) {
                Step::Wait(until) => now = until,
                Step::Send(behind) if behind <= BURST => break now,
                Step::Send(_) => {
                    place += 7;
                    now += Duration::from_micros(10);
                }
                Step::Skip => panic!("skipped"),
            }
        };
        // Half a second behind takes half a second at twice the rate.
        let took = (caught_up - begin).as_millis() - 500;
        assert!((450..550).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wall_clock_that_jumps_is_followed_slowly() {
        let begin = Instant::now();
        let time = Time::new(begin, Duration::from_millis(48_000));
        let wall = |after_ms: u64, off_us: i64| {
            let exact = Duration::from_millis(48_000 + after_ms);
            let off = Duration::from_micros(off_us.unsigned_abs());
            if off_us < 0 { exact - off } else { exact + off }
        };
        let at = |after_ms| begin + Duration::from_millis(after_ms);
        assert_eq!(time.correct(at(4_800), wall(4_800, 0)), 0);
        assert_eq!(
            time.correct(at(9_600), wall(9_600, 50)),
            50,
            "less than 20 in a million of 4.8 s: taken at once"
        );
        assert_eq!(time.correct(at(14_400), wall(14_400, 50)), 0);
        assert_eq!(time.correct(at(19_200), wall(19_200, -2_000_000)), -2_000_050);
        assert_eq!(time.correct(at(24_000), wall(24_000, -2_000_000)), -2_000_050 + 96);
        assert_eq!(time.at(at(24_000)), wall(24_000, 50 - 2 * 96));
    }
}
