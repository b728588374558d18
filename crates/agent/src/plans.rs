//! The folder that the edge takes its plans from.
//!
//! ```text
//! DATE.json        the plan that was ordered last: this is what the edge reads
//! DATE.json.1, .2  those before it, the oldest first, until the edge has judged that one
//! .heard           touched while the control is heard
//! ```
//! Whether a plan counts the edge knows alone. One that it refuses must not be all that the next process finds: the one before takes
//! its place again. A plan for a day that is not near yet is judged when that comes, and the ones before wait as long; what comes of it
//! then is told as if it had come at once.

use crate::clock;
use crate::home::replace;
use crate::local::{Local, Unheard};
use crate::obey::Obeyed;
use bytes::Bytes;
use fleet::Effect;
use http::StatusCode;
use jiff::civil::Date;
use package::Digest;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use timetable::SignedPlan;
use tokio::time::{Instant, sleep};

/// How long an edge may take to look at a plan that lies in its folder.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is asked whether it has.
const LOOK: Duration = Duration::from_millis(100);
/// How many plans of a day are kept that the edge has not judged, beside the last one; the oldest of all always is.
const MOST_BEFORE: usize = 4;
/// Plans are for every node to read that serves them.
const PUBLIC: u32 = 0o644;

/// The folder.
#[derive(Debug)]
pub(crate) struct Plans(PathBuf);

/// What an edge says of a day's plan, at `/plans`.
#[derive(Debug, Default, Deserialize)]
struct Planned {
    /// The text that is followed.
    #[serde(default)]
    followed: Option<Digest>,
    /// The envelope that is refused, and why.
    #[serde(default)]
    refused: Option<(Digest, String)>,
}

/// What came of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    Followed,
    Refused(String),
}

/// A plan that the edge has judged since it was ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) date: Date,
    /// The envelope's.
    pub(crate) body: Digest,
    pub(crate) judged: Judged,
}

impl Planned {
    /// Of this envelope; `None`: the edge has not looked at it.
    fn of(&self, envelope: &[u8]) -> Option<Judged> {
        if let Some((_, why)) = self.refused.as_ref().filter(|(refused, _)| *refused == Digest::of(envelope))
        {
            return Some(Judged::Refused(why.clone()));
        }
        let text = SignedPlan::parse(envelope).map(|signed| Digest::of(signed.plan.as_bytes()));
        (text.is_some() && self.followed == text).then_some(Judged::Followed)
    }
}

impl Plans {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// The edge cannot know that the control is heard: a mark tells it.
    pub(crate) fn mark_heard(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        replace(&self.0.join(timetable::HEARD), PUBLIC, b"")
    }

    /// Has the edge follow a plan, or says why it does not.
    ///
    /// # Errors
    /// When the edge gives no answer: to be tried again.
    pub(crate) async fn obey(&self, edge: Local, date: Date, envelope: &Bytes) -> Result<Obeyed, Unheard> {
        let refused = |why: &str| Ok(Obeyed::Ended(Effect::Refused(why.to_owned())));
        if SignedPlan::parse(envelope).is_none() {
            return refused("malformed");
        }
        self.put(date, envelope).map_err(|error| self.unheard(&error))?;
        let until = Instant::now() + PATIENCE;
        loop {
            let Some(days) = ask(edge).await? else {
                return refused("the edge follows no plans: see its `plan.keys`");
            };
            let Some(planned) = days.get(&date) else {
                // It is judged when its day comes near.
                return Ok(Obeyed::Kept(Effect::Done));
            };
            match planned.of(envelope) {
                Some(judged) => {
                    self.judged(date, &judged).map_err(|error| self.unheard(&error))?;
                    return Ok(Obeyed::Ended(match judged {
                        Judged::Followed => Effect::Done,
                        Judged::Refused(why) => Effect::Refused(why),
                    }));
                }
                None if Instant::now() > until => {
                    let why =
                        "the edge does not look at it: see that its `plan.source` is the agent's `plans`";
                    return Ok(Obeyed::Kept(Effect::Refused(why.to_owned())));
                }
                None => sleep(LOOK).await,
            }
        }
    }

    /// What the edge says by now of plans that it had not judged, beside those of `days`; it says so until that is [done](Self::settle).
    pub(crate) async fn judgements(&self, edge: Local, days: BTreeSet<Date>) -> Vec<Settled> {
        let before = self.before().map(BTreeMap::into_keys).into_iter().flatten();
        let open: BTreeSet<Date> = days.into_iter().chain(before).filter(|date| !is_over(*date)).collect();
        if open.is_empty() {
            return Vec::new();
        }
        let Ok(Some(days)) = ask(edge).await else { return Vec::new() };
        let settled = open.into_iter().filter_map(|date| {
            let envelope = match read(&self.file(date)) {
                Ok(envelope) => envelope?,
                Err(error) => {
                    tracing::warn!(%error, %date, folder = %self.0.display(), "the plan that was kept cannot be read");
                    return None;
                }
            };
            let judged = days.get(&date)?.of(&envelope)?;
            Some(Settled { date, body: Digest::of(&envelope), judged })
        });
        settled.collect()
    }

    /// What came of a plan is written down: those before are needed no more, or the newest of them is needed again.
    pub(crate) fn settle(&self, Settled { date, judged, .. }: &Settled) {
        if let Judged::Refused(why) = judged {
            tracing::error!(%date, why, "the edge refuses a plan that was kept for it; the one before counts again");
        }
        if let Err(error) = self.judged(*date, judged) {
            tracing::warn!(%error, %date, folder = %self.0.display(), "the plan before cannot be dealt with");
        }
    }

    /// Puts a plan where the edge reads it; the one that is there is kept until this one has been judged.
    fn put(&self, date: Date, envelope: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        self.clear()?;
        let file = self.file(date);
        match read(&file)? {
            // It was put there, and nobody has written down what came of it.
            Some(there) if there == envelope => return Ok(()),
            Some(there) => self.keep(date, &there)?,
            None => {}
        }
        replace(&file, PUBLIC, envelope)
    }

    /// Keeps what is there as the newest of those before.
    fn keep(&self, date: Date, there: &[u8]) -> io::Result<()> {
        let before = self.before()?.remove(&date).unwrap_or_default();
        let newest = before.last().copied().unwrap_or_default();
        if newest > 0 && read(&self.one_before(date, newest))?.is_some_and(|before| before == there) {
            return Ok(());
        }
        // The oldest is the one that the edge is most likely to follow.
        for number in before.iter().skip(1).take((before.len() + 1).saturating_sub(MOST_BEFORE)) {
            fs::remove_file(self.one_before(date, *number))?;
        }
        replace(&self.one_before(date, newest + 1), PUBLIC, there)
    }

    /// What is there was judged: those before are needed no more, or the newest of them is needed again.
    fn judged(&self, date: Date, judged: &Judged) -> io::Result<()> {
        let mut before = self.before()?.remove(&date).unwrap_or_default();
        match judged {
            Judged::Followed => {
                before.iter().try_for_each(|number| fs::remove_file(self.one_before(date, *number)))
            }
            Judged::Refused(_) => match before.pop() {
                Some(newest) => fs::rename(self.one_before(date, newest), self.file(date)),
                // Without another one it stays: a node that has a day's plan and cannot follow it says that it is not ready.
                None => Ok(()),
            },
        }
    }

    /// Days that are over are nobody's.
    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            if entry.file_name().to_str().and_then(day_of).is_some_and(|(date, _)| is_over(date)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// The numbers of those before, by day, in order.
    fn before(&self) -> io::Result<BTreeMap<Date, Vec<u32>>> {
        let mut before = BTreeMap::<_, Vec<u32>>::new();
        for entry in fs::read_dir(&self.0)? {
            if let Some((date, Some(number))) = entry?.file_name().to_str().and_then(day_of) {
                before.entry(date).or_default().push(number);
            }
        }
        before.values_mut().for_each(|numbers| numbers.sort_unstable());
        Ok(before)
    }

    fn file(&self, date: Date) -> PathBuf {
        self.0.join(format!("{date}.json"))
    }

    fn one_before(&self, date: Date, number: u32) -> PathBuf {
        self.0.join(format!("{date}.json.{number}"))
    }

    fn unheard(&self, error: &io::Error) -> Unheard {
        Unheard(format!("{}: {error}", self.0.display()))
    }
}

/// What is there; `None` where nothing is, or what is longer than a plan can be and so none of ours.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match settings::small_file(path, timetable::MAX_ENVELOPE_BYTES as u64) {
        Ok(envelope) => Ok(Some(envelope)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::FileTooLarge) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What the edge says of its days; `None`: it follows no plans.
async fn ask(edge: Local) -> Result<Option<BTreeMap<Date, Planned>>, Unheard> {
    let (status, answer) = edge.get("/plans").await?;
    Ok((status == StatusCode::OK).then(|| serde_json::from_slice(&answer).unwrap_or_default()))
}

/// The day that a file is for, and its number where it is one of those before.
fn day_of(name: &str) -> Option<(Date, Option<u32>)> {
    let (day, number) = name.split_once(".json")?;
    let number = match number.strip_prefix('.') {
        Some(number) => Some(number.parse().ok()?),
        None if number.is_empty() => None,
        None => return None,
    };
    Some((day.parse().ok()?, number))
}

/// Whether a plan's day is over, everywhere it may be followed.
pub(crate) fn is_over(date: Date) -> bool {
    let today = jiff::tz::TimeZone::UTC.to_datetime(clock::now()).date();
    fleet::is_over(date, today)
}

#[cfg(test)]
mod tests;
