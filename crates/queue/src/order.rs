//! Who is next. Both back-ends keep an index by [`Place`]; what is looked for is then a range of it.
//!
//! ```text
//!  class  then                    then
//!  ┌────┬───────────────────────┬────────┐
//!  │ 0  │ when it airs          │ number │  waiting: airs next
//!  │ 1  │ 2^64-1                │ number │  waiting: new
//!  │ 2  │ 2^64-1                │ number │  waiting: re-encode
//!  │ 8  │ when the lease ends   │ number │  running
//!  │ 9  │ since when            │ number │  set aside
//!  │ 10 │ since when            │ number │  done
//!  └────┴───────────────────────┴────────┘   big-endian
//! ```

use crate::clock::Moment;
use crate::entry::{Entry, State};
use crate::job::{Job, Priority};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

/// Bytes of a place.
pub const PLACE: usize = 17;
/// How long a job that another of the same lesson stands before is passed over before somebody looks again.
pub const BLOCKED: Duration = Duration::from_secs(5);

const RUNNING: u8 = 8;
const SET_ASIDE: u8 = 9;
const DONE: u8 = 10;

/// Where an entry stands in the index. The number makes it its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub [u8; PLACE]);

impl Place {
    /// Where `entry` stands.
    pub fn of(entry: &Entry) -> Self {
        let (class, then) = match &entry.state {
            State::Waiting { .. } => {
                let (priority, airs) = entry.urgency();
                (rank(priority), airs)
            }
            State::Running { until, .. } => (RUNNING, until.0),
            State::SetAside { since } => (SET_ASIDE, since.0),
            State::Done { at } => (DONE, at.0),
        };
        Self::new(class, then, entry.number)
    }

    fn new(class: u8, then: u64, number: u64) -> Self {
        let mut place = [class; PLACE];
        place[1..9].copy_from_slice(&then.to_be_bytes());
        place[9..].copy_from_slice(&number.to_be_bytes());
        Self(place)
    }

    /// Everything that waits, in the order in which it is to run.
    pub fn waiting() -> Range<Self> {
        Self::new(0, 0, 0)..Self::new(RUNNING, 0, 0)
    }

    /// Everything that runs.
    pub fn running() -> Range<Self> {
        Self::new(RUNNING, 0, 0)..Self::new(SET_ASIDE, 0, 0)
    }

    /// What runs on a lease that ended by `now`.
    pub fn lapsed(now: Moment) -> RangeInclusive<Self> {
        Self::new(RUNNING, 0, 0)..=Self::new(RUNNING, now.0, u64::MAX)
    }

    /// What was done before `then`.
    pub fn done_before(then: Moment) -> Range<Self> {
        Self::new(DONE, 0, 0)..Self::new(DONE, then.0, 0)
    }
}

fn rank(priority: Priority) -> u8 {
    match priority {
        Priority::AirsNext => 0,
        Priority::New => 1,
        Priority::ReEncode => 2,
    }
}

/// Sorts for a reader: what runs, what waits in its order, what was set aside or done.
pub(crate) fn sort(entries: &mut [Entry]) {
    let running = |entry: &Entry| matches!(entry.state, State::Running { .. });
    entries.sort_by_key(|entry| (!running(entry), Place::of(entry)));
}

/// Who is next, if anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// This one.
    Ready(Box<Entry>),
    /// Nobody before so long.
    Later(Duration),
    /// Nobody waits.
    Nothing,
}

/// Picks the first of `waiting` (in order) that is ready and whose lesson nobody is at.
///
/// # Errors
/// What reading `waiting` gives.
pub fn pick<E>(
    waiting: impl IntoIterator<Item = Result<Entry, E>>,
    running: &[Job],
    now: Moment,
) -> Result<Pick, E> {
    let mut soonest: Option<Duration> = None;
    for entry in waiting {
        let entry = entry?;
        let wait = match &entry.state {
            _ if running.iter().any(|job| job.same_lesson(&entry.job)) => BLOCKED,
            State::Waiting { not_before: Some(then) } => then.since(now),
            _ => Duration::ZERO,
        };
        if wait.is_zero() {
            return Ok(Pick::Ready(Box::new(entry)));
        }
        soonest = Some(soonest.map_or(wait, |soonest| soonest.min(wait)));
    }
    Ok(soonest.map_or(Pick::Nothing, Pick::Later))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Ending, Reason};
    use crate::policy::Policy;
    use package::{Description, Digest};
    use std::convert::Infallible;

    const NOW: Moment = Moment(1_000_000);

    fn entry(number: u64, priority: Priority, airs_at: Option<u64>) -> Entry {
        let name = format!("lesson-{number}");
        let job = Job {
            source: format!("/{name}.mp4").into(),
            content: Digest::of(name.as_bytes()),
            lesson: name.parse().unwrap(),
            description: Description::default(),
            store: "/store".to_owned(),
            ladder: None,
            recipe: Digest::of(b"ladder"),
            priority,
            airs_at: airs_at.map(Moment),
        };
        Entry::new(job, number, NOW)
    }

    fn picked(entries: &[Entry], running: &[Job]) -> Pick {
        let mut waiting = entries.to_vec();
        waiting.sort_by_key(Place::of);
        pick(waiting.into_iter().map(Ok::<_, Infallible>), running, NOW).unwrap()
    }

    #[test]
    fn airs_next_goes_before_new_before_re_encode_and_first_come_first_served_within() {
        use Priority::{AirsNext, New, ReEncode};
        let mut entries = [
            entry(1, ReEncode, None),
            entry(2, New, None),
            entry(3, AirsNext, None),
            entry(4, AirsNext, Some(9_000)),
            entry(5, New, Some(1)),
            entry(6, AirsNext, Some(8_000)),
            entry(7, AirsNext, Some(8_000)),
            entry(8, ReEncode, Some(1)),
        ];
        entries.sort_by_key(Place::of);
        let numbers: Vec<_> = entries.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, [6, 7, 4, 3, 2, 5, 1, 8]);
    }

    #[test]
    fn a_job_that_is_delayed_is_passed_over() {
        let policy = Policy::default();
        let mut delayed = entry(1, Priority::AirsNext, Some(1));
        delayed.take("w", None, NOW, &policy);
        let claimed = delayed.clone();
        delayed.end(&claimed, Ending::Failed(Reason::new("A", "b")), NOW, &policy).unwrap();
        let plain = entry(2, Priority::ReEncode, None);
        assert_eq!(picked(&[delayed.clone(), plain.clone()], &[]), Pick::Ready(Box::new(plain)));
        assert_eq!(picked(&[delayed], &[]), Pick::Later(policy.back_off));
        assert_eq!(picked(&[], &[]), Pick::Nothing);
    }

    #[test]
    fn two_jobs_of_one_lesson_do_not_run_at_once() {
        let (first, mut second) = (entry(1, Priority::New, None), entry(2, Priority::New, None));
        second.job.lesson = first.job.lesson.clone();
        assert_eq!(
            picked(std::slice::from_ref(&second), std::slice::from_ref(&first.job)),
            Pick::Later(BLOCKED)
        );
        second.job.store = "/other".to_owned();
        assert_eq!(picked(std::slice::from_ref(&second), &[first.job]), Pick::Ready(Box::new(second)));
    }

    #[test]
    fn ranges_hold_what_they_say() {
        let policy = Policy::default();
        let waiting = entry(1, Priority::ReEncode, None);
        assert!(Place::waiting().contains(&Place::of(&waiting)));
        let mut running = waiting.clone();
        running.take("w", None, NOW, &policy);
        let ends = NOW.after(policy.lease);
        assert!(Place::running().contains(&Place::of(&running)));
        assert!(Place::lapsed(ends).contains(&Place::of(&running)), "a lease ends with its last moment");
        assert!(!Place::lapsed(Moment(ends.0 - 1)).contains(&Place::of(&running)));
        let mut done = running.clone();
        done.end(&running, Ending::Done, NOW, &policy).unwrap();
        assert!(
            !Place::waiting().contains(&Place::of(&done)) && !Place::running().contains(&Place::of(&done))
        );
        assert!(Place::done_before(Moment(NOW.0 + 1)).contains(&Place::of(&done)));
        assert!(!Place::done_before(NOW).contains(&Place::of(&done)));
    }
}
