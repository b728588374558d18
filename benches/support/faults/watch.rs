//! Somebody who asks at a steady pace while something happens, each time over a connection of its own, and notes what came.

use crate::clock;
use crate::load::{Connection, Question, SMALL, Target, Verdict};
use anyhow::{Result, bail};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// An answer later than this is none.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Questions that wait for their answers at the same time.
const MOST: usize = 1_000;
/// Failures that are printed.
const WORTH_TELLING: usize = 5;

/// One who asks.
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Record>>,
}

impl Watch {
    /// Asks `rate` times a second for what `question` makes of the number of the question, from now on.
    pub(super) fn start(
        target: Target,
        rate: u32,
        question: impl Fn(usize) -> Question + Send + 'static,
    ) -> Result<Self> {
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || runtime.block_on(ask(target, rate, question, &stopped)))?;
        Ok(Self { stop, thread })
    }

    /// Ends it with the answers that are on their way.
    pub(super) fn end(self) -> Result<Record> {
        self.stop.store(true, Ordering::Relaxed);
        let Ok(record) = self.thread.join() else { bail!("who asks has panicked") };
        record
    }
}

async fn ask(
    target: Target,
    rate: u32,
    question: impl Fn(usize) -> Question,
    stopped: &AtomicBool,
) -> Result<Record> {
    let mut pace = interval(Duration::from_secs(1) / rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut asking, mut record, mut number) = (JoinSet::new(), Vec::new(), 0);
    while !stopped.load(Ordering::Relaxed) {
        pace.tick().await;
        while asking.len() >= MOST {
            record.extend(asking.join_next().await.transpose()?);
        }
        let (target, question) = (target.clone(), question(number));
        number += 1;
        asking.spawn(async move {
            let began = clock::now();
            let answer = timeout(ANSWER_WITHIN, ask_once(&target, &question)).await;
            let failed = match answer {
                Ok(Ok(failed)) => failed,
                Ok(Err(error)) => Some(format!("{}: {error:#}", question.path)),
                Err(_) => Some(format!("{}: no answer within {ANSWER_WITHIN:?}", question.path)),
            };
            Asked { began, ended: clock::now(), failed }
        });
        while let Some(asked) = asking.try_join_next() {
            record.push(asked?);
        }
    }
    while let Some(asked) = asking.join_next().await {
        record.push(asked?);
    }
    record.sort_by_key(|asked| asked.began);
    Ok(Record(record))
}

/// Why it failed, if it did.
async fn ask_once(target: &Target, question: &Question) -> Result<Option<String>> {
    let mut connection = Connection::open(target, SMALL).await?;
    Ok(match connection.judge(question).await? {
        Verdict::Right(_) => None,
        Verdict::Wrong(how) => Some(how),
        Verdict::Refused(head) => {
            let why = head.field("cache-status").unwrap_or_default();
            Some(format!("{} answered {} {why}", question.path, head.status))
        }
    })
}

/// One question.
#[derive(Debug)]
struct Asked {
    began: Instant,
    ended: Instant,
    failed: Option<String>,
}

/// Everything that was asked, in the order in which it was.
#[derive(Debug)]
pub(super) struct Record(Vec<Asked>);

impl Record {
    pub(super) fn asked(&self) -> usize {
        self.0.len()
    }

    /// How many failed.
    pub(super) fn failed(&self) -> usize {
        self.failures().count()
    }

    /// The same where none should have: says what the first ones were.
    pub(super) fn failed_unexpectedly(&self) -> usize {
        for why in self.failures().take(WORTH_TELLING) {
            eprintln!("bench: failed: {why}");
        }
        self.failed()
    }

    fn failures(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|asked| asked.failed.as_deref())
    }

    /// How many failed of those that began and ended in this time.
    pub(super) fn failed_within(&self, from: Instant, until: Instant) -> usize {
        self.within(from, until).filter(|asked| asked.failed.is_some()).count()
    }

    /// From an event's end to the beginning of the first question after which none failed until `until`. `None`: there was none.
    pub(super) fn recovered(&self, from: Instant, until: Instant) -> Option<Duration> {
        let mut since = None;
        for asked in self.within(from, until) {
            since = if asked.failed.is_some() { None } else { since.or(Some(asked.began)) };
        }
        since.map(|since| since - from)
    }

    /// As [`Self::recovered`] in seconds; where nothing has, all the time that there was.
    pub(super) fn seconds_to_recover(&self, from: Instant, until: Instant) -> f64 {
        self.recovered(from, until).unwrap_or(until - from).as_secs_f64()
    }

    fn within(&self, from: Instant, until: Instant) -> impl Iterator<Item = &Asked> {
        self.0.iter().filter(move |asked| asked.began >= from && asked.ended <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Questions a second apart, answered in half of one; `x` is one that failed.
    fn record(start: Instant, answers: &str) -> Record {
        let asked = (0..).zip(answers.chars()).map(|(second, answer)| {
            let began = start + Duration::from_secs(second);
            let failed = (answer == 'x').then(|| "why".to_owned());
            Asked { began, ended: began + Duration::from_millis(500), failed }
        });
        Record(asked.collect())
    }

    #[test]
    fn it_has_recovered_with_the_first_success_that_no_failure_follows() {
        let start = clock::now();
        let after = |answers: &str, from: u64, until: u64| {
            let at = |second| start + Duration::from_secs(second);
            record(start, answers).recovered(at(from), at(until)).map(|span| span.as_secs())
        };
        assert_eq!(after("....", 0, 4), Some(0));
        assert_eq!(after("xx..", 0, 4), Some(2));
        assert_eq!(after("xx.x..", 0, 6), Some(4));
        assert_eq!(after("xx.x..", 0, 3), Some(2));
        assert_eq!(after("xx.x..", 4, 6), Some(0));
        assert_eq!(after(".xxx", 0, 4), None);
        assert_eq!(after("", 0, 4), None);
    }

    #[test]
    fn what_began_before_or_ended_after_is_not_counted() {
        let start = clock::now();
        let record = record(start, "xx.x");
        let at = |second| start + Duration::from_secs(second);
        assert_eq!((record.asked(), record.failed()), (4, 3));
        assert_eq!(record.failed_within(at(1), at(3)), 1);
    }
}
