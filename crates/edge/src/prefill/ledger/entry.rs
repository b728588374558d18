//! One package of the ledger: what it needs, what of it is here, what is still to be done.

use super::{Job, Reach, SMALL, What};
use crate::prefill::window::{Times, Window};
use jiff::Timestamp;
use package::{LessonId, Manifest, PackageId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use timetable::Zone;
use timetable::plan::Lane;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) package: PackageId,
    /// As each plan that wants it says; never none.
    pub(super) days: Vec<Times>,
    /// With how many lessons each.
    pub(super) bells: BTreeMap<Timestamp, usize>,
    pub(super) lessons: BTreeSet<LessonId>,
    /// As the plan says, until the manifest has come.
    pub(super) estimate: u64,
    pub(super) manifest: Option<Arc<Manifest>>,
    pub(super) things: Vec<Thing>,
    pub(super) waiting: VecDeque<usize>,
    pub(super) later: Vec<(Instant, usize)>,
    /// What may be here from before this process began: looked for when it is no time for fetching.
    pub(super) unseen: VecDeque<usize>,
    /// What is here, kept for a shorter time than is wanted now.
    pub(super) short: VecDeque<usize>,
}

#[derive(Debug)]
pub(super) struct Thing {
    pub(super) what: What,
    pub(super) bytes: u64,
    pub(super) held: bool,
    /// Until when, where it is held.
    pub(super) kept_until: Timestamp,
    pub(super) failures: u32,
}

impl Entry {
    pub(super) fn held(&self) -> Vec<Job> {
        let held = self.things.iter().enumerate().filter(|(_, thing)| thing.held);
        held.map(|(place, thing)| {
            let (what, pin_until) = (thing.what.clone(), self.pin_until());
            Job { package: self.package, what, reach: Reach::Here, pin_until, place }
        })
        .collect()
    }

    /// What is to be fetched next: what failed when its pause is over, then what was never asked for.
    pub(super) fn due(&mut self, at: Instant) -> Option<usize> {
        if let Some(due) = self.later.iter().position(|(when, _)| *when <= at) {
            return Some(self.later.swap_remove(due).1);
        }
        // Some of it was found here meanwhile.
        while let Some(place) = self.waiting.pop_front() {
            if !self.things[place].held {
                return Some(place);
            }
        }
        None
    }

    /// Another day wants it too.
    pub(super) fn join(
        &mut self,
        times: Times,
        bells: BTreeMap<Timestamp, usize>,
        lessons: BTreeSet<LessonId>,
    ) {
        self.bells.extend(bells);
        self.lessons.extend(lessons);
        self.days.push(times);
    }

    /// Until the last day that wants it is over.
    pub(super) fn pin_until(&self) -> Timestamp {
        self.days.iter().map(|times| times.pin_until).max().unwrap_or(Timestamp::MIN)
    }

    /// Whether it came late, for one of its days.
    pub(super) fn is_express(&self) -> bool {
        self.days.iter().any(|times| times.lane == Lane::Express)
    }

    /// Whether fetching may go on at `now`, for one of its days: what was not there today is fetched for tomorrow.
    pub(super) fn may_fetch(&self, window: Option<Window>, zone: Zone, now: Timestamp) -> bool {
        self.days.iter().any(|times| times.allow(window, zone, now))
    }

    /// Begins with what was known before.
    pub(super) fn begin(&mut self, old: Option<Self>) {
        let mut heads = vec![What::Manifest];
        for lesson in &self.lessons {
            heads.extend([What::Pointer(lesson.clone()), What::Description(lesson.clone())]);
        }
        let Self { manifest, things: mut known, .. } = match old {
            Some(old) => old,
            None => {
                self.things = heads.into_iter().map(Thing::new).collect();
                self.waiting = (0..self.things.len()).collect();
                self.unseen.clone_from(&self.waiting);
                return;
            }
        };
        self.manifest = manifest;
        let at_head = known.iter().take_while(|thing| !matches!(thing.what, What::Object(_))).count();
        let objects = known.split_off(at_head);
        let mut kept = |what: What| match known.iter().position(|thing| thing.what == what) {
            Some(place) => known.swap_remove(place),
            None => Thing::new(what),
        };
        self.things = heads.into_iter().map(&mut kept).collect();
        self.things.extend(objects);
        let places = 0..self.things.len();
        self.waiting = places.clone().filter(|&at| !self.things[at].held).collect();
        self.unseen.clone_from(&self.waiting);
        let pin_until = self.pin_until();
        let is_short = |thing: &Thing| thing.held && thing.kept_until < pin_until;
        self.short = places.filter(|&at| is_short(&self.things[at])).collect();
    }

    /// Bytes that are wanted, bytes that are held, and whether nothing is missing.
    pub(super) fn progress(&self) -> (u64, u64, bool) {
        let held = self.things.iter().filter(|thing| thing.held).map(|thing| thing.bytes).sum();
        match &self.manifest {
            None => (self.estimate, held, false),
            Some(_) => {
                let wanted = self.things.iter().map(|thing| thing.bytes).sum();
                (wanted, held, self.things.iter().all(|thing| thing.held))
            }
        }
    }
}

impl Thing {
    pub(super) fn new(what: What) -> Self {
        Self { what, bytes: SMALL, held: false, kept_until: Timestamp::MIN, failures: 0 }
    }
}
