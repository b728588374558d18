//! What a worker knows of the bucket of jobs: a copy with an index, and how far it goes. Pure.

use crate::clock::Moment;
use crate::entry::{Entry, State};
use crate::job::{Job, JobKey};
use crate::order::{self, Pick, Place};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

/// How long the marker of a job that is gone is kept: until every mirror has seen it. Workers look every second.
const MARKERS_KEPT: Duration = Duration::from_secs(24 * 3_600);

/// A copy of the bucket.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    /// Revision and entry of each job.
    jobs: BTreeMap<JobKey, (u64, Entry)>,
    places: BTreeMap<Place, JobKey>,
    /// Markers of jobs that are gone: revision, and since when.
    gone: BTreeMap<JobKey, (u64, Moment)>,
    /// The bucket's sequence up to which this is a copy.
    pub(super) position: u64,
}

impl Mirror {
    /// The bucket has this under `key` since `revision`: an entry, or a marker that there is none since then.
    pub(super) fn apply(&mut self, key: JobKey, revision: u64, now_is: Result<Entry, Moment>) {
        if self.revision(&key) > revision {
            return;
        }
        if let Some((_, before)) = self.jobs.remove(&key) {
            self.places.remove(&Place::of(&before));
        }
        self.gone.remove(&key);
        match now_is {
            Ok(entry) => {
                self.places.insert(Place::of(&entry), key);
                self.jobs.insert(key, (revision, entry));
            }
            Err(since) => {
                self.gone.insert(key, (revision, since));
            }
        }
    }

    /// A write of ours made `revision`. When it is the one that comes next, nothing was missed in between.
    pub(super) fn wrote(&mut self, revision: u64) {
        if revision == self.position + 1 {
            self.position = revision;
        }
    }

    /// What the bucket has to be at under `key` so that a write changes what was read here; 0 for nothing.
    pub(super) fn revision(&self, key: &JobKey) -> u64 {
        let job = self.jobs.get(key).map(|(revision, _)| *revision);
        job.or_else(|| self.gone.get(key).map(|(revision, _)| *revision)).unwrap_or(0)
    }

    /// The bucket refused a write under `key`. A marker may have been swept away, which leaves no trace.
    pub(super) fn doubt(&mut self, key: &JobKey) {
        self.gone.remove(key);
    }

    /// A job that is not done.
    pub(super) fn job(&self, key: &JobKey) -> Option<&Entry> {
        self.jobs.get(key).map(|(_, entry)| entry)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.jobs.values().map(|(_, entry)| entry)
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.jobs.len()
    }

    /// How many tickets there ought to be: one for each job that waits or runs.
    pub(super) fn unfinished(&self) -> usize {
        self.places.range(Place::waiting()).count() + self.places.range(Place::running()).count()
    }

    fn running(&self) -> impl Iterator<Item = &Entry> {
        self.places.range(Place::running()).filter_map(|(_, key)| self.job(key))
    }

    /// The job whose lease `ticket` is.
    pub(super) fn bound_to(&self, ticket: u64) -> Option<&Entry> {
        self.running().find(
            |entry| matches!(entry.state, State::Running { ticket: Some(bound), .. } if bound == ticket),
        )
    }

    /// A running job whose worker was last due before `then`.
    pub(super) fn overdue(&self, then: Moment) -> Option<&Entry> {
        self.running().find(|entry| matches!(entry.state, State::Running { until, .. } if until < then))
    }

    /// Who is next.
    pub(super) fn pick(&self, now: Moment) -> Pick {
        let running: Vec<Job> = self.running().map(|entry| entry.job.clone()).collect();
        let waiting = self.places.range(Place::waiting()).filter_map(|(_, key)| self.job(key));
        match order::pick(waiting.map(|entry| Ok::<_, Infallible>(entry.clone())), &running, now) {
            Ok(pick) => pick,
            Err(never) => match never {},
        }
    }

    /// Markers that everybody has seen.
    pub(super) fn old_markers(&self, now: Moment, most: usize) -> Vec<(JobKey, u64)> {
        let old = self.gone.iter().filter(|(_, (_, since))| now.since(*since) > MARKERS_KEPT);
        old.take(most).map(|(key, (revision, _))| (*key, *revision)).collect()
    }
}
