//! Whether a server is fit to be asked.
//!
//! ```text
//!            3 failures or broken bodies in a row, or 10 answers that say "unwell"
//!    up ───────────────────────────────────────────────────────► down
//!     ▲ ▲                                                         │ ▲
//!     │ └── rising: a tenth of its share, ── an answer ── trial ◄─┘ │ backed off: 1 s, 2 s … 30 s
//!     │     all of it after 30 s                            └───────┘ no answer
//!     └──── two good checks in a row, where checks are made
//! ```
//! What requests meet is enough to find out; checks find out before requests do. Where checks are made they alone decide
//! when a server comes back, so that no client's request is a trial.

use std::time::{Duration, Instant};

/// Requests in a row without an answer that make a server down. One may be chance, and each costs a client a wait.
const FAILURES: u32 = 3;
/// Answers in a row of 502, 503 or 504, or that cannot be read. More than failures: an answer is a sign of life, and one page that
/// always fails must not take a server away from all others.
const UNWELL: u32 = 10;
/// Checks in a row that make a server down, or up again.
const CHECKS: u32 = 2;
/// The first wait before a server that is down is tried again.
const BACK_OFF: Duration = Duration::from_secs(1);
/// The longest: what it takes to notice that a server is back.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
/// After so long without a fall the next one counts as the first.
const STEADY: Duration = Duration::from_secs(60);
/// A trial whose end nobody reports (its client left) is forgotten after this; longer than any answer takes.
const TRIAL: Duration = Duration::from_secs(30);
/// How long a server that came back takes to get its whole share again.
const RISE: Duration = Duration::from_secs(30);
/// What it gets at first.
const FIRST_SHARE: f64 = 0.1;

/// What a request met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// An answer: its head.
    Answer,
    /// The whole of an answer's body.
    Whole,
    /// 502, 503 or 504, or what cannot be read: it is there and cannot.
    Unwell,
    /// No connection, or no answer in time.
    Failure,
    /// A body that broke off. Counted by itself: its head was an answer, and yet a server of which no body comes whole is
    /// none.
    Broken,
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is asked.
    Up,
    /// It is not, but for trials.
    Down,
}

/// Whether a server may be asked now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Admission {
    /// For this much of its share, above 0 and up to 1.
    Share(f64),
    /// By one request at a time, which finds out.
    Trial,
    /// No.
    Refused,
}

/// Who decides that a server is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judge {
    /// Requests, by trial.
    Requests,
    /// Checks of its own.
    Checks,
}

/// What is known about one server.
#[derive(Debug, Clone)]
pub struct Health {
    judge: Judge,
    phase: Phase,
    failures: u32,
    broken: u32,
    unwell: u32,
    /// Against the standing.
    checks: u32,
    /// Falls in a row, none of which was followed by a steady time.
    falls: u32,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Up {
        /// `None`: from the start.
        since: Option<Instant>,
    },
    Down {
        /// When a trial may be.
        until: Instant,
        /// When the trial began that is going on.
        trial: Option<Instant>,
    },
}

impl Health {
    /// A server of which nothing is known yet: it is up.
    pub fn new(judge: Judge) -> Self {
        let phase = Phase::Up { since: None };
        Self { judge, phase, failures: 0, broken: 0, unwell: 0, checks: 0, falls: 0 }
    }

    /// Up or down.
    pub fn standing(&self) -> Standing {
        match self.phase {
            Phase::Up { .. } => Standing::Up,
            Phase::Down { .. } => Standing::Down,
        }
    }

    /// Whether it may be asked at `now`.
    pub fn admission(&self, now: Instant) -> Admission {
        match self.phase {
            Phase::Up { since: None } => Admission::Share(1.0),
            Phase::Up { since: Some(since) } => {
                let risen = now.saturating_duration_since(since).as_secs_f64() / RISE.as_secs_f64();
                Admission::Share((FIRST_SHARE + (1.0 - FIRST_SHARE) * risen).min(1.0))
            }
            Phase::Down { until, trial } => {
                let tried = trial.is_some_and(|began| now.saturating_duration_since(began) < TRIAL);
                if self.judge == Judge::Requests && now >= until && !tried {
                    Admission::Trial
                } else {
                    Admission::Refused
                }
            }
        }
    }

    /// A request that finds out is on its way.
    pub fn begin_trial(&mut self, now: Instant) {
        if let Phase::Down { trial, .. } = &mut self.phase {
            *trial = Some(now);
        }
    }

    /// Notes what a request met. Gives the new standing when it changes.
    pub fn met(&mut self, now: Instant, met: Met) -> Option<Standing> {
        match met {
            Met::Answer => {
                (self.failures, self.unwell) = (0, 0);
                // Also an answer that nobody hoped for: with all servers down the likeliest is asked.
                (self.judge == Judge::Requests).then(|| self.rise(now)).flatten()
            }
            Met::Whole => {
                self.broken = 0;
                None
            }
            Met::Broken => {
                self.broken = self.broken.saturating_add(1);
                (self.broken >= FAILURES).then(|| self.fall(now)).flatten()
            }
            Met::Unwell => {
                self.failures = 0;
                self.unwell = self.unwell.saturating_add(1);
                let trying = matches!(self.phase, Phase::Down { .. });
                (self.unwell >= UNWELL || trying).then(|| self.fall(now)).flatten()
            }
            Met::Failure => {
                self.failures = self.failures.saturating_add(1);
                let trying = matches!(self.phase, Phase::Down { .. });
                (self.failures >= FAILURES || trying).then(|| self.fall(now)).flatten()
            }
        }
    }

    /// Notes what a check found. Gives the new standing when it changes.
    pub fn checked(&mut self, now: Instant, good: bool) -> Option<Standing> {
        let standing = if good { Standing::Up } else { Standing::Down };
        if standing == self.standing() {
            self.checks = 0;
            return None;
        }
        self.checks += 1;
        if self.checks < CHECKS {
            return None;
        }
        (self.failures, self.unwell) = (0, 0);
        if good { self.rise(now) } else { self.fall(now) }
    }

    fn rise(&mut self, now: Instant) -> Option<Standing> {
        if self.standing() == Standing::Up {
            return None;
        }
        self.phase = Phase::Up { since: Some(now) };
        // It has another chance, not the last one.
        (self.broken, self.checks) = (0, 0);
        Some(Standing::Up)
    }

    fn fall(&mut self, now: Instant) -> Option<Standing> {
        match self.phase {
            Phase::Up { since } => {
                let steady = since.is_none_or(|since| now.saturating_duration_since(since) >= STEADY);
                self.falls = if steady { 1 } else { self.falls.saturating_add(1) };
                self.phase = Phase::Down { until: now + back_off(self.falls), trial: None };
                // Bad ones so far are not good ones from now on.
                self.checks = 0;
                Some(Standing::Down)
            }
            // What was asked in need before its time says nothing new, and is over: the trial is still to come.
            Phase::Down { until, .. } if now < until => {
                self.phase = Phase::Down { until, trial: None };
                None
            }
            Phase::Down { .. } => {
                self.falls = self.falls.saturating_add(1);
                self.phase = Phase::Down { until: now + back_off(self.falls), trial: None };
                None
            }
        }
    }
}

fn back_off(falls: u32) -> Duration {
    BACK_OFF.saturating_mul(1 << falls.saturating_sub(1).min(16)).min(LONGEST_BACK_OFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn now() -> Instant {
        Instant::now()
    }

    fn fallen(judge: Judge, now: Instant) -> Health {
        let mut health = Health::new(judge);
        assert_eq!(health.met(now, Met::Failure), None);
        assert_eq!(health.met(now, Met::Failure), None);
        assert_eq!(health.met(now, Met::Failure), Some(Standing::Down));
        health
    }

    #[test]
    fn three_failures_in_a_row_and_ten_apologies() {
        let now = now();
        fallen(Judge::Requests, now);
        let mut health = Health::new(Judge::Requests);
        for _ in 0..20 {
            for met in [Met::Failure, Met::Failure, Met::Answer] {
                assert_eq!(health.met(now, met), None);
            }
        }
        for _ in 1..UNWELL {
            assert_eq!(health.met(now, Met::Unwell), None);
        }
        assert_eq!(health.met(now, Met::Unwell), Some(Standing::Down));
    }

    #[test]
    fn heads_without_bodies_are_no_answers() {
        let now = now();
        let mut health = Health::new(Judge::Requests);
        for met in [Met::Broken, Met::Answer, Met::Broken, Met::Answer, Met::Whole, Met::Broken, Met::Answer]
        {
            assert_eq!(health.met(now, met), None);
        }
        assert_eq!(health.met(now, Met::Broken), None);
        assert_eq!(health.met(now, Met::Broken), Some(Standing::Down));
    }

    #[test]
    fn one_trial_at_a_time_each_later_than_the_last() {
        let start = now();
        let mut health = fallen(Judge::Requests, start);
        let mut at = start;
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(health.admission(at), Admission::Refused);
            assert_eq!(health.met(at, Met::Failure), None, "asked in need: nothing new");
            assert_eq!(health.admission(at + wait * SECOND - SECOND / 2), Admission::Refused, "{wait}");
            at += wait * SECOND;
            assert_eq!(health.admission(at), Admission::Trial, "{wait}");
            health.begin_trial(at);
            assert_eq!(health.admission(at), Admission::Refused);
            assert_eq!(health.met(at, Met::Failure), None);
        }
        // A trial that nobody ends is not the last one.
        health.begin_trial(at + LONGEST_BACK_OFF);
        assert_eq!(health.admission(at + LONGEST_BACK_OFF + TRIAL), Admission::Trial);
    }

    #[test]
    fn a_question_in_need_that_fails_before_its_time_is_no_trial_that_goes_on() {
        let start = now();
        for met in [Met::Failure, Met::Unwell] {
            let mut health = fallen(Judge::Requests, start);
            let early = start + SECOND / 2;
            health.begin_trial(early);
            assert_eq!(health.met(early, met), None);
            assert_eq!(health.admission(early), Admission::Refused);
            assert_eq!(health.admission(start + SECOND), Admission::Trial);
        }
    }

    #[test]
    fn who_comes_back_rises_and_who_falls_again_soon_waits_longer() {
        let start = now();
        let mut health = fallen(Judge::Requests, start);
        let back = start + SECOND;
        assert_eq!(health.met(back, Met::Answer), Some(Standing::Up));
        assert_eq!(health.admission(back), Admission::Share(FIRST_SHARE));
        assert_eq!(health.admission(back + RISE / 2), Admission::Share(0.55));
        assert_eq!(health.admission(back + RISE), Admission::Share(1.0));
        for _ in 0..3 {
            health.met(back, Met::Failure);
        }
        assert_eq!(health.admission(back + SECOND), Admission::Refused);
        let again = back + 2 * SECOND;
        assert_eq!(health.admission(again), Admission::Trial);
        health.met(again, Met::Answer);
        for _ in 0..3 {
            health.met(again + STEADY, Met::Failure);
        }
        assert_eq!(health.admission(again + STEADY + SECOND), Admission::Trial, "long ago is forgotten");
    }

    #[test]
    fn where_checks_are_made_they_decide_the_return() {
        let start = now();
        let mut health = fallen(Judge::Checks, start);
        let later = start + 100 * SECOND;
        assert_eq!(health.admission(later), Admission::Refused);
        assert_eq!(health.met(later, Met::Answer), None);
        assert_eq!(health.checked(later, true), None);
        assert_eq!(health.checked(later, false), None);
        assert_eq!(health.checked(later, true), None);
        assert_eq!(health.checked(later, true), Some(Standing::Up));
        assert_eq!(health.checked(later, false), None);
        assert_eq!(health.checked(later, false), Some(Standing::Down));
    }

    #[test]
    fn a_bad_check_before_a_fall_is_no_good_one_after_it() {
        let now = now();
        let mut health = Health::new(Judge::Checks);
        assert_eq!(health.checked(now, false), None);
        for _ in 0..FAILURES {
            health.met(now, Met::Failure);
        }
        assert_eq!(health.standing(), Standing::Down);
        assert_eq!(health.checked(now, true), None);
        assert_eq!(health.checked(now, true), Some(Standing::Up));
    }
}
