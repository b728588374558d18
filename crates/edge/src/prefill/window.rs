//! When a package may be fetched.

use jiff::Timestamp;
use jiff::civil::Time;
use std::str::FromStr;
use timetable::Zone;
use timetable::plan::Lane;

/// Times of day between which an owner lets his line be filled; may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    from: Time,
    until: Time,
}

/// What the plan says about when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) lane: Lane,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) needed_at: Timestamp,
    pub(crate) pin_until: Timestamp,
}

impl Times {
    /// Whether fetching may go on at `now`. What came late is fetched whenever that is; all else in the owner's window, or the
    /// plan's where he has none, and not once it runs: by then students fetch it.
    pub(crate) fn allow(&self, window: Option<Window>, zone: Zone, now: Timestamp) -> bool {
        if now < self.from.min(self.needed_at) && window.is_none() || now >= self.pin_until {
            return false;
        }
        match (self.lane, window) {
            (Lane::Express, _) => true,
            (Lane::Night, Some(window)) => now < self.needed_at && window.contains(zone.local(now).time()),
            (Lane::Night, None) => (self.from..self.until).contains(&now),
        }
    }
}

impl Window {
    pub(crate) fn contains(self, time: Time) -> bool {
        if self.from <= self.until {
            self.from <= time && time < self.until
        } else {
            time >= self.from || time < self.until
        }
    }
}

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let digits = |text: &str| (text.len() == 2).then(|| text.parse::<i8>().ok()).flatten();
            // The end of the day is the beginning of the next.
            let hour = digits(hour)?;
            Time::new(if hour == 24 { 0 } else { hour }, digits(minute)?, 0, 0).ok()
        };
        let parsed = text.split_once('-').and_then(|(from, until)| Some((time(from)?, time(until)?)));
        match parsed {
            Some((from, until)) if from != until => Ok(Self { from, until }),
            _ => Err(format!("is {text:?}; give two times of day, as \"00:00-07:00\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        format!("{text}+08:00").parse().unwrap()
    }

    fn times(lane: Lane) -> Times {
        Times {
            lane,
            from: moment("2026-09-01T00:00:00"),
            until: moment("2026-09-01T07:00:00"),
            needed_at: moment("2026-09-01T08:30:00"),
            pin_until: moment("2026-09-02T00:00:00"),
        }
    }

    #[test]
    fn the_owners_window_wins_over_the_plans_and_late_lessons_over_both() {
        let cases = [
            // now, the plan's window, an owner's 22:00 to 06:00, express
            ("2026-08-31T21:59:59", false, false, false),
            ("2026-08-31T22:00:00", false, true, false),
            ("2026-09-01T00:00:00", true, true, true),
            ("2026-09-01T06:00:00", true, false, true),
            ("2026-09-01T07:00:00", false, false, true),
            ("2026-09-01T08:29:59", false, false, true),
            ("2026-09-01T22:30:00", false, false, true),
            ("2026-09-02T00:00:00", false, false, false),
        ];
        let window: Window = "22:00-06:00".parse().unwrap();
        for (now, by_plan, by_owner, express) in cases {
            let now = moment(now);
            let allow = |lane, window| times(lane).allow(window, Zone::CHINA, now);
            assert_eq!(allow(Lane::Night, None), by_plan, "{now}");
            assert_eq!(allow(Lane::Night, Some(window)), by_owner, "{now}");
            assert_eq!(allow(Lane::Express, None), express, "{now}");
        }
    }

    #[test]
    fn windows_are_written_as_two_times() {
        for text in ["00:00-07:00", "22:00-06:30", "20:00-24:00"] {
            assert!(text.parse::<Window>().is_ok(), "{text}");
        }
        for text in ["", "7", "00:00", "0:00-7:00", "00:00-25:00", "07:00-07:00", "00:00-07:60"] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
    }
}
