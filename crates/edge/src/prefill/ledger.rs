//! What is to be fetched and what is there: the state of the fill, without a clock or network of its own.

mod entry;

use super::list;
use super::window::{Times, Window};
use entry::{Entry, Thing};
use jiff::Timestamp;
use package::{LessonId, Manifest, PackageId, Slot};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use timetable::plan::Fill;
use timetable::{Plan, Zone};
use tokio::time::Instant;

/// What has gone wrong is tried again after so long, doubled with each time.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// What there is no room for, and after [`FULL`] of those in a row everything, is tried again after so long: plans that change and
/// days that end give room back, and that is written down by and by.
const FULL_PAUSE: Duration = Duration::from_secs(600);
/// So many things in a row that there is no room for: there is none.
const FULL: u32 = 8;
/// What pointers and descriptions are counted as before they have come.
const SMALL: u64 = 2_048;

/// One thing to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// The paper that lists the others.
    Manifest,
    /// `/lessons/<lesson>/main.m3u8`.
    Pointer(LessonId),
    /// `/lessons/<lesson>/lesson.json`.
    Description(LessonId),
    /// One of the manifest's objects, by its place.
    Object(u32),
}

/// From where a thing is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// From what is here, or from an upstream.
    Anywhere,
    /// Only from what is here: it is no time for fetching, or it only has to be kept longer.
    Here,
}

/// A thing of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) package: PackageId,
    pub(crate) what: What,
    pub(crate) reach: Reach,
    pub(crate) pin_until: Timestamp,
    /// Where it stands in the ledger; elsewhere once another plan is followed.
    place: usize,
}

/// All packages of the plans.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rungs: Option<Vec<Slot>>,
    /// When filling began.
    began: Timestamp,
    /// The most urgent first.
    entries: Vec<Entry>,
    zone: Option<Zone>,
    /// Things in a row that there was no room for.
    refused: u32,
    /// Until when nothing is fetched, since there is no room for it.
    full_until: Option<Instant>,
}

/// A package that no plan wants any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) package: PackageId,
    pub(crate) manifest: Option<Arc<Manifest>>,
    /// What of it is here and belongs to nothing that is still wanted.
    pub(crate) held: Vec<Job>,
}

/// How far a bell's lessons are here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) lessons: usize,
    pub(crate) packages: usize,
    pub(crate) wanted: u64,
    pub(crate) held: u64,
    /// Nothing is missing.
    pub(crate) covered: bool,
}

impl Ready {
    /// 0 to 1, and 1 only when nothing is missing.
    #[expect(clippy::cast_precision_loss, reason = "a share for people and graphs")]
    pub(crate) fn ratio(&self) -> f64 {
        if self.covered { 1.0 } else { (self.held as f64 / self.wanted.max(1) as f64).min(0.999_999) }
    }
}

impl Ledger {
    /// Of a node whose filling has begun at `began`, and which wants these rungs, or all.
    pub(crate) fn new(rungs: Option<Vec<Slot>>, began: Timestamp) -> Self {
        Self { rungs, began, ..Self::default() }
    }

    /// Takes in other plans: what they still want keeps its state. Gives what is wanted no more.
    pub(crate) fn follow<'a>(&mut self, plans: impl Iterator<Item = &'a Plan>, now: Timestamp) -> Vec<Gone> {
        let mut old: HashMap<_, _> = self.entries.drain(..).map(|entry| (entry.package, entry)).collect();
        let mut new: Vec<Entry> = Vec::new();
        for plan in plans {
            self.zone = Some(plan.zone);
            for fill in plan.fill.iter().filter(|fill| fill.pin_until > now) {
                let times = Times {
                    lane: fill.lane,
                    from: fill.from,
                    until: night(fill, self.began),
                    needed_at: fill.needed_at,
                    pin_until: fill.pin_until,
                };
                let lessons = plan.lessons_of(fill.package).map(|lesson| lesson.lesson.clone());
                // What nothing names any more has no pointer to be kept.
                let clips = plan.clips.iter().filter(|clip| !clip.is_earlier());
                let clips = clips.filter(|clip| clip.media.package == fill.package);
                let lessons = lessons.chain(clips.map(|clip| clip.clip.clone())).collect();
                let mut bells = BTreeMap::new();
                for lesson in plan.lessons_of(fill.package) {
                    *bells.entry(lesson.bell).or_default() += 1;
                }
                match new.iter_mut().find(|entry| entry.package == fill.package) {
                    Some(entry) => entry.join(times, bells, lessons),
                    None => new.push(Entry {
                        package: fill.package,
                        days: vec![times],
                        bells,
                        lessons,
                        estimate: fill.bytes,
                        manifest: None,
                        things: Vec::new(),
                        waiting: VecDeque::new(),
                        later: Vec::new(),
                        unseen: VecDeque::new(),
                        short: VecDeque::new(),
                    }),
                }
            }
        }
        for entry in &mut new {
            entry.begin(old.remove(&entry.package));
        }
        // What came late first, then as the plans have it: days in order, each by its own order.
        new.sort_by_key(|entry| !entry.is_express());
        self.entries = new;
        (self.refused, self.full_until) = (0, None);
        old.into_values().map(|entry| self.gone(entry)).collect()
    }

    /// A lesson may have got another package: its pointer stays.
    fn gone(&self, entry: Entry) -> Gone {
        let stays = |lesson: &LessonId| self.entries.iter().any(|other| other.lessons.contains(lesson));
        let mut held = entry.held();
        held.retain(|job| match &job.what {
            What::Pointer(lesson) | What::Description(lesson) => !stays(lesson),
            What::Manifest | What::Object(_) => true,
        });
        Gone { package: entry.package, manifest: entry.manifest, held }
    }

    /// Whether a plan wants the package.
    pub(crate) fn wants(&self, package: PackageId) -> bool {
        self.entries.iter().any(|entry| entry.package == package)
    }

    /// Whether the time of something that is kept is over.
    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        self.entries.iter().flat_map(|entry| &entry.days).any(|times| times.pin_until <= now)
    }

    /// The next thing to be fetched; it is at work until [`Ledger::done`] or [`Ledger::failed`].
    pub(crate) fn next(&mut self, window: Option<Window>, now: Timestamp, at: Instant) -> Option<Job> {
        let zone = self.zone?;
        let is_full = self.full_until.is_some_and(|until| at < until);
        self.entries.iter_mut().find_map(|entry| {
            let (place, reach) = if let Some(place) = entry.short.pop_front() {
                (place, Reach::Here)
            } else if !is_full && entry.may_fetch(window, zone, now) {
                (entry.due(at)?, Reach::Anywhere)
            } else {
                (entry.unseen.pop_front()?, Reach::Here)
            };
            let what = entry.things[place].what.clone();
            Some(Job { package: entry.package, what, reach, pin_until: entry.pin_until(), place })
        })
    }

    /// The manifest of a package has come: what it lists is wanted from now on.
    pub(crate) fn list(&mut self, package: PackageId, manifest: Manifest) {
        let rungs = self.rungs.as_deref();
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.package == package) else { return };
        if entry.manifest.is_some() {
            return;
        }
        for at in list::wanted(&manifest, rungs) {
            let bytes = manifest.objects[at as usize].bytes;
            entry.waiting.push_back(entry.things.len());
            entry.unseen.push_back(entry.things.len());
            entry.things.push(Thing { bytes, ..Thing::new(What::Object(at)) });
        }
        entry.manifest = Some(Arc::new(manifest));
    }

    /// The manifest of a package, once it has come.
    pub(crate) fn manifest(&self, package: PackageId) -> Option<Arc<Manifest>> {
        self.entries.iter().find(|entry| entry.package == package)?.manifest.clone()
    }

    /// It is here.
    pub(crate) fn done(&mut self, job: &Job) {
        self.change(job, |thing| {
            (thing.held, thing.kept_until, thing.failures) = (true, job.pin_until, 0);
        });
        self.refused = 0;
    }

    /// There is no room to keep it. What is fetched in vain costs the upstream's line and what others have in memory.
    pub(crate) fn no_room(&mut self, job: &Job, at: Instant) {
        if let Some((entry, place)) = self.find(job) {
            entry.later.push((at + FULL_PAUSE, place));
        }
        self.refused += 1;
        if self.refused >= FULL {
            (self.refused, self.full_until) = (0, Some(at + FULL_PAUSE));
        }
    }

    /// It is not, and will be tried again.
    pub(crate) fn failed(&mut self, job: &Job, at: Instant) {
        let Some((entry, place)) = self.find(job) else { return };
        let thing = &mut entry.things[place];
        let pause = FIRST_PAUSE.saturating_mul(1 << thing.failures.min(10)).min(LONGEST_PAUSE);
        thing.failures += 1;
        entry.later.push((at + pause, place));
    }

    /// It was here, and is gone.
    pub(crate) fn lost(&mut self, job: &Job) {
        let Some((entry, place)) = self.find(job) else { return };
        if std::mem::take(&mut entry.things[place].held) && !entry.waiting.contains(&place) {
            entry.waiting.push_front(place);
        }
    }

    fn change(&mut self, job: &Job, change: impl FnOnce(&mut Thing)) {
        if let Some((entry, place)) = self.find(job) {
            change(&mut entry.things[place]);
        }
    }

    fn find(&mut self, job: &Job) -> Option<(&mut Entry, usize)> {
        let entry = self.entries.iter_mut().find(|entry| entry.package == job.package)?;
        let there = entry.things.get(job.place).is_some_and(|thing| thing.what == job.what);
        let place =
            if there { job.place } else { entry.things.iter().position(|thing| thing.what == job.what)? };
        Some((entry, place))
    }

    /// What is here of the package at `turn`, counted round, to be looked after.
    pub(crate) fn held(&self, turn: usize) -> Vec<Job> {
        let Some(turn) = turn.checked_rem(self.entries.len()) else { return Vec::new() };
        self.entries[turn].held()
    }

    /// How far the lessons of each bell are here.
    pub(crate) fn ready(&self) -> BTreeMap<Timestamp, Ready> {
        let mut bells: BTreeMap<Timestamp, Ready> = BTreeMap::new();
        for entry in &self.entries {
            let (wanted, held, covered) = entry.progress();
            for (bell, lessons) in &entry.bells {
                let first = !bells.contains_key(bell);
                let ready = bells.entry(*bell).or_default();
                ready.covered = covered && (first || ready.covered);
                ready.lessons += lessons;
                ready.packages += 1;
                ready.wanted += wanted;
                ready.held += held;
            }
        }
        bells
    }

    /// Where the plans are for.
    pub(crate) fn zone(&self) -> Zone {
        self.zone.unwrap_or(Zone::CHINA)
    }
}

/// Until when the night goes that is there for fetching. Who begins within it or behind it, a new node or one whose memory went with its
/// process, has one as long, as far as that ends before the bell: what is not here by then the bell's first students fetch.
fn night(fill: &Fill, began: Timestamp) -> Timestamp {
    let own = began.saturating_add(fill.until.duration_since(fill.from));
    fill.until.max(own.unwrap_or(began).min(fill.needed_at))
}

#[cfg(test)]
mod tests;
