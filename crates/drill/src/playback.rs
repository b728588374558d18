//! What is on a player's screen: nothing yet, a picture that moves, or one that waits.
//!
//! Pure, and driven by what comes in: between two segments nothing has to be woken. A stall that began meanwhile is found,
//! with its exact instant, when the next segment is appended or somebody asks.

use crate::speed::Speed;
use std::time::Duration;
use tokio::time::Instant;

/// The two streams that play together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    /// With the sound in it, where that is not apart.
    Picture,
    Sound,
}

/// What a viewer sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    /// Nothing has been shown.
    Starting,
    /// It moves.
    Playing,
    /// It stands: the buffer has run out.
    Waiting,
    /// Everything has been shown.
    Over,
}

/// A player's buffer and position. Times are of the media, from where it joined.
#[derive(Debug)]
pub(crate) struct Playback {
    speed: Speed,
    screen: Screen,
    /// Where it was when the screen last changed.
    position: Duration,
    /// When that was.
    since: Instant,
    /// How far each track has been downloaded.
    ends: [Duration; 2],
    /// Nothing will be appended any more.
    finished: [bool; 2],
    started: Option<Instant>,
    stalls: u32,
    stalled: Duration,
}

/// Whether more should be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Now,
    /// Look again then.
    In(Duration),
    /// All that will be watched is there.
    Never,
}

/// How long a full buffer that does not drain is left alone: it waits for the other track. hls.js looks as often.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Playback {
    /// A player that has just come.
    pub(crate) fn new(now: Instant, speed: Speed) -> Self {
        Self {
            speed,
            screen: Screen::Starting,
            position: Duration::ZERO,
            since: now,
            ends: [Duration::ZERO; 2],
            finished: [false; 2],
            started: None,
            stalls: 0,
            stalled: Duration::ZERO,
        }
    }

    /// A segment of `duration` is there. Plays from the first segment of both tracks on.
    pub(crate) fn append(&mut self, track: Track, now: Instant, duration: Duration) {
        self.settle(now);
        self.ends[track as usize] += duration;
        self.go_on(now);
    }

    /// Nothing will be appended to `track` any more.
    pub(crate) fn finish(&mut self, track: Track, now: Instant) {
        self.settle(now);
        self.finished[track as usize] = true;
        self.go_on(now);
    }

    /// Lets time pass until `now`.
    pub(crate) fn settle(&mut self, now: Instant) {
        let Screen::Playing = self.screen else { return };
        let playable = self.playable();
        let position = self.position_at(now);
        if position < playable {
            return;
        }
        let ran_out = self.since + self.speed.wall(playable.saturating_sub(self.position));
        self.position = playable;
        self.since = ran_out.min(now);
        if self.finished == [true; 2] {
            self.screen = Screen::Over;
        } else {
            self.screen = Screen::Waiting;
            self.stalls += 1;
        }
    }

    fn go_on(&mut self, now: Instant) {
        if matches!(self.screen, Screen::Starting | Screen::Waiting) && self.playable() > self.position {
            if self.screen == Screen::Waiting {
                self.stalled += now.saturating_duration_since(self.since);
            }
            self.started.get_or_insert(now);
            self.screen = Screen::Playing;
            self.since = now;
        } else if self.finished == [true; 2] && self.playable() <= self.position {
            if self.screen == Screen::Waiting {
                self.stalled += now.saturating_duration_since(self.since);
            }
            self.screen = Screen::Over;
            self.since = now;
        }
    }

    /// How far both tracks reach.
    fn playable(&self) -> Duration {
        match self.finished {
            [true, true] => self.ends[0].max(self.ends[1]),
            [true, false] => self.ends[1],
            [false, true] => self.ends[0],
            [false, false] => self.ends[0].min(self.ends[1]),
        }
    }

    fn position_at(&self, now: Instant) -> Duration {
        match self.screen {
            Screen::Playing => self.position + self.speed.media(now.saturating_duration_since(self.since)),
            _ => self.position,
        }
    }

    /// Whether `track` should download on: while less than `ahead` lies before the position, and less than `until` in all.
    pub(crate) fn room(&mut self, track: Track, now: Instant, ahead: Duration, until: Duration) -> Room {
        self.settle(now);
        let end = self.ends[track as usize];
        if end >= until {
            return Room::Never;
        }
        let held = end.saturating_sub(self.position_at(now));
        if held < ahead {
            Room::Now
        } else if self.screen == Screen::Playing {
            Room::In(self.speed.wall(held - ahead + Duration::from_millis(1)))
        } else {
            Room::In(LOOK_AGAIN)
        }
    }

    /// What of `track` lies before the position.
    pub(crate) fn ahead(&self, track: Track, now: Instant) -> Duration {
        self.ends[track as usize].saturating_sub(self.position_at(now))
    }

    /// How long it will be until everything that is there has been shown.
    pub(crate) fn rest(&self, now: Instant) -> Duration {
        self.speed.wall(self.playable().saturating_sub(self.position_at(now)))
    }

    pub(crate) fn screen(&self) -> Screen {
        self.screen
    }

    /// When the first picture was shown.
    pub(crate) fn started(&self) -> Option<Instant> {
        self.started
    }

    /// How often it stood still, and how long in all, by the clock on the wall. One that lasts counts up to `now`.
    pub(crate) fn stalls(&self, now: Instant) -> (u32, Duration) {
        let lasting = match self.screen {
            Screen::Waiting => now.saturating_duration_since(self.since),
            _ => Duration::ZERO,
        };
        (self.stalls, self.stalled + lasting)
    }

    /// How much has been watched.
    pub(crate) fn watched(&self, now: Instant) -> Duration {
        self.position_at(now).min(self.playable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Track::{Picture, Sound};
    use proptest::prelude::*;

    const SEGMENT: Duration = Duration::from_millis(4_800);

    fn seconds(seconds: f64) -> Duration {
        Duration::from_millis((seconds * 1e3) as u64)
    }

    #[tokio::test(start_paused = true)]
    async fn it_starts_with_the_first_segment_of_both() {
        let begin = Instant::now();
        let mut playback = Playback::new(begin, Speed::REAL);
        playback.append(Picture, begin + seconds(0.2), SEGMENT);
        assert_eq!(playback.screen(), Screen::Starting);
        playback.append(Sound, begin + seconds(0.3), SEGMENT);
        assert_eq!((playback.screen(), playback.started()), (Screen::Playing, Some(begin + seconds(0.3))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_segment_is_a_stall_of_just_so_long() {
        let begin = Instant::now();
        let mut playback = Playback::new(begin, Speed::REAL);
        for track in [Picture, Sound, Sound] {
            playback.append(track, begin, SEGMENT);
        }
        // The picture runs out at 4.8 s; the sound goes further.
        playback.append(Picture, begin + seconds(6.0), SEGMENT);
        assert_eq!(playback.stalls(begin + seconds(6.0)), (1, seconds(1.2)));
        assert_eq!(playback.screen(), Screen::Playing);
        assert_eq!(playback.watched(begin + seconds(7.0)), seconds(5.8));
        // And at 10.8 s both.
        playback.settle(begin + seconds(11.0));
        assert_eq!(playback.screen(), Screen::Waiting);
        assert_eq!(playback.stalls(begin + seconds(12.0)), (2, seconds(2.4)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_is_no_stall() {
        let begin = Instant::now();
        let mut playback = Playback::new(begin, "10".parse().unwrap());
        for track in [Picture, Sound] {
            playback.append(track, begin, SEGMENT);
            playback.finish(track, begin);
        }
        assert_eq!(playback.rest(begin), seconds(0.48));
        playback.settle(begin + seconds(60.0));
        assert_eq!(
            (playback.screen(), playback.stalls(begin + seconds(60.0))),
            (Screen::Over, (0, Duration::ZERO))
        );
        assert_eq!(playback.watched(begin + seconds(60.0)), SEGMENT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_picture_with_its_sound_inside_plays_alone() {
        let begin = Instant::now();
        let mut playback = Playback::new(begin, Speed::REAL);
        playback.finish(Sound, begin);
        playback.append(Picture, begin, SEGMENT);
        assert_eq!(playback.screen(), Screen::Playing);
    }

    #[tokio::test(start_paused = true)]
    async fn downloading_pauses_while_enough_lies_ahead() {
        let begin = Instant::now();
        let mut playback = Playback::new(begin, Speed::REAL);
        let (ahead, until) = (seconds(9.0), seconds(60.0));
        assert_eq!(playback.room(Picture, begin, ahead, until), Room::Now);
        playback.append(Picture, begin, SEGMENT * 2);
        // Nothing drains yet: the sound is not there.
        assert_eq!(playback.room(Picture, begin, ahead, until), Room::In(LOOK_AGAIN));
        playback.append(Sound, begin, SEGMENT);
        let Room::In(wait) = playback.room(Picture, begin, ahead, until) else { panic!("it is full") };
        assert_eq!(playback.room(Picture, begin + wait, ahead, until), Room::Now);
        assert_eq!(playback.room(Picture, begin, ahead, SEGMENT * 2), Room::Never);
    }

    proptest! {
        /// Whatever comes when: time is either watched, waited or before the start, and nothing is watched that is not there.
        #[test]
        fn all_time_is_accounted_for(
            steps in proptest::collection::vec((0u64..20_000, any::<bool>()), 1..60),
            speed in 1u32..20,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let begin = runtime.block_on(async { Instant::now() });
            let speed: Speed = speed.to_string().parse().unwrap();
            let mut playback = Playback::new(begin, speed);
            let mut now = begin;
            let mut appended = [Duration::ZERO; 2];
            for (ms, picture) in steps {
                now += Duration::from_millis(ms);
                let track = if picture { Picture } else { Sound };
                appended[track as usize] += SEGMENT;
                playback.append(track, now, SEGMENT);
                let watched = playback.watched(now);
                prop_assert!(watched <= appended[0].min(appended[1]));
                if let Some(started) = playback.started() {
                    let (_, stalled) = playback.stalls(now);
                    let wall = now - started;
                    let lost = wall.abs_diff(stalled + speed.wall(watched));
                    prop_assert!(lost <= Duration::from_micros(200), "{lost:?} of {wall:?} unaccounted");
                }
            }
        }
    }
}
