//! What orders mean on the disks, looked for in rounds: how much it was is told to who has given them.
//!
//! ```text
//! order ─► stands: nobody is given what it means ─┬─ by the keys of its URL ─► a barrier ─► answer
//!                                                 └─ written down ─► a round, two seconds of it ─► answer
//!                                                                      └─► rounds, until one has met nothing
//! ```
//! Each disk has a walk of its own, a few objects at a time, that goes round it for as long as an order looks for something there;
//! each order begins wherever the walk is just then (`course`). A disk that is away holds nobody up: an order that is through with
//! the others rests, and looks on that one alone when it is back.

mod course;
#[cfg(test)]
mod tests;
mod writing;

use super::asker::Asker;
use super::metrics::PurgeMetrics;
use super::sweep::{CarriedOut, OnDisk};
use crate::edge::Settings;
use crate::store::{DiskTier, Met, Walked};
use ::purge::{Mode, Report};
use course::{Course, Ended};
use diskstore::{Opening, Walk};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use writing::Refused;

/// How long an answer waits for the first round. What is found later is counted in metrics alone.
pub(super) const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// Until it is looked again for what an answer waits for, where there is nothing to walk over just now.
const LOOKED_FOR_EACH: Duration = Duration::from_millis(250);
/// The longest pause between two steps that nobody waits for. They take turns: half of one of a disk's readers, no more.
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// How often orders are written down that have met all at once: only that they were given is news to the next process.
const NOTED_EACH: Duration = Duration::from_secs(1);
/// Until it is looked again whether a disk is back, and a disk that was busy is gone on with.
const AWAY_PAUSE: Duration = Duration::from_secs(1);

/// An order on its rounds.
#[derive(Debug)]
struct OnRound {
    /// One for each disk.
    courses: Vec<Course>,
    asked: Option<(Asker, Report)>,
}

impl OnRound {
    /// Whether every disk has it written down.
    fn is_lasting(&self) -> bool {
        self.courses.iter().all(Course::is_written)
    }

    /// Answers who waits for it.
    fn tell(&mut self, disk_objects_left: u64, metrics: &PurgeMetrics) {
        let lasting = self.is_lasting();
        if let Some((asker, report)) = self.asked.take() {
            asker.tell(Report { lasting, disk_objects_left, ..report }, metrics);
        }
    }
}

/// The orders that look for what they mean.
pub(super) struct Rounds {
    disk: Arc<DiskTier>,
    settings: watch::Receiver<Settings>,
    metrics: Arc<PurgeMetrics>,
    /// One for each disk.
    walks: Vec<Walk>,
    /// The disks as they were when it was looked last.
    there: Vec<Option<Opening>>,
    /// The disk whose turn it is.
    turn: usize,
    /// By their numbers.
    orders: BTreeMap<u64, OnRound>,
    /// When the next step is due.
    next: Instant,
    /// The disks that miss something.
    owed: Vec<String>,
    /// The change of the orders that each disk has written down; `None`: it has to write them whatever it has.
    written: Vec<Option<u64>>,
    refused: Refused,
    /// The disks that did not write in time and have not answered since.
    hanging: Vec<bool>,
    /// When orders were written down last.
    noted: Option<Instant>,
    /// As [`TOLD_WITHIN`].
    told_within: Duration,
}

impl Rounds {
    pub(super) fn new(
        disk: Arc<DiskTier>,
        settings: watch::Receiver<Settings>,
        metrics: Arc<PurgeMetrics>,
        told_within: Duration,
    ) -> Self {
        let there = disk.openings();
        Self {
            disk,
            settings,
            metrics,
            walks: (0..there.len()).map(Walk::over).collect(),
            turn: 0,
            orders: BTreeMap::new(),
            next: Instant::now(),
            owed: Vec::new(),
            written: vec![None; there.len()],
            refused: Refused::default(),
            hanging: vec![false; there.len()],
            noted: None,
            told_within,
            there,
        }
    }

    /// Until the next step is due.
    pub(super) fn pause(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Takes orders on that have been carried out in memory. What can be is carried out by key between two barriers for all, and ends
    /// here where no disk is away; one note is for all of the rest.
    pub(super) async fn take_on(&mut self, given: Vec<(CarriedOut, Asker)>) {
        self.look();
        let before = self.there.clone();
        let by_keys = |(done, _): &(CarriedOut, Asker)| {
            done.standing.as_ref().is_some_and(|order| !order.keys.is_empty())
        };
        // What was put before the order may still be on its way to the disk.
        let mut through = if given.iter().any(by_keys) { self.disk.settled().await } else { Vec::new() };
        let (mut met_all, mut open) = (Vec::new(), Vec::new());
        let groups = Arc::clone(&self.settings.borrow().groups);
        for (CarriedOut { mut report, standing }, asker) in given {
            let Some(OnDisk { number, mode, keys }) = standing else {
                asker.tell(report, &self.metrics);
                continue;
            };
            let (met, is_all) = self.disk.purge_keys(&keys, mode, number, &groups).await;
            met.iter().for_each(|met| count(&mut report, met));
            let list = if is_all && !keys.is_empty() { &mut met_all } else { &mut open };
            list.push((number, report, asker));
        }
        if !met_all.is_empty() {
            let settled = self.disk.settled().await;
            self.look();
            for (at, through) in through.iter_mut().enumerate() {
                *through &= settled[at] && before[at].is_some() && before[at] == self.there[at];
            }
        }
        let are_all_through = !through.contains(&false);
        let is_open = !open.is_empty() || !(met_all.is_empty() || are_all_through);
        for (number, report, asker) in met_all {
            if are_all_through {
                self.disk.drop_order(number);
                asker.tell(report, &self.metrics);
            } else {
                self.begin(number, Some((asker, report)), &through);
            }
        }
        for (number, report, asker) in open {
            self.begin(number, Some((asker, report)), &[]);
        }
        if !is_open {
            // Nobody waits for it; in a storm of orders once in a while.
            if self.noted.is_none_or(|noted| noted.elapsed() >= NOTED_EACH) {
                self.write_orders().await;
            }
            return;
        }
        self.write_now().await;
        self.next = Instant::now();
    }

    /// Begins an order that is `through` with some disks.
    fn begin(&mut self, number: u64, asked: Option<(Asker, Report)>, through: &[bool]) {
        let course = |at: usize| match &self.there[at] {
            _ if through.get(at) == Some(&true) => Course::through(),
            Some(_) => Course::from(self.walks[at].next_part()),
            None => Course::default(),
        };
        let order = OnRound { courses: (0..self.walks.len()).map(course).collect(), asked };
        self.rest(number, &order);
        // In place of itself where it has joined those of an earlier process in the moment before.
        self.orders.insert(number, order);
    }

    /// Looks which disks have gone or come: what was seen on them counts no more, and those that are there have to write first.
    fn look(&mut self) {
        let now = self.disk.openings();
        for (at, (was, is)) in self.there.iter().zip(&now).enumerate() {
            if was == is {
                continue;
            }
            self.orders.values_mut().for_each(|order| order.courses[at].breaks_off());
            self.written[at] = None;
            if is.is_some() {
                self.refused = Refused::default();
            }
        }
        if self.there != now {
            self.there = now;
            self.orders.iter().for_each(|(&number, order)| self.rest(number, order));
        }
    }

    /// Tells where an order is through that looks for nothing any more.
    fn rest(&self, number: u64, order: &OnRound) {
        let courses = order.courses.iter().zip(&self.there);
        let through =
            courses.filter(|(course, _)| course.is_through()).filter_map(|(_, there)| there.as_ref());
        let through: Vec<_> = through.map(Opening::store).collect();
        if !through.is_empty() && !order.courses.iter().any(Course::walks) {
            self.disk.rest_order(number, through);
        }
    }

    /// One step: a few objects, where an order looks for something.
    pub(super) async fn step(&mut self) {
        let began = Instant::now();
        self.look();
        self.join_standing();
        self.disk.note_absences(&mut self.owed);
        self.write_orders().await;
        self.metrics.standing.set(i64::try_from(self.orders.len()).unwrap_or(i64::MAX));
        let walked = match self.next_disk() {
            Some(at) => {
                let groups = Arc::clone(&self.settings.borrow().groups);
                Some((at, self.disk.walk_on(&mut self.walks[at], &groups).await))
            }
            None => None,
        };
        let took = began.elapsed();
        let is_idle = matches!(walked, None | Some((_, Walked::Away)));
        match walked {
            Some((at, Walked::Met { met, lost_some })) => {
                met.iter().for_each(|met| self.met(at, met));
                if lost_some {
                    // Behind the next note it is gone for good.
                    self.orders.values_mut().for_each(|order| order.courses[at].meets());
                }
            }
            Some((at, Walked::PartEnds)) => self.end_rounds(at),
            Some((at, Walked::Away)) => {
                let next = self.walks[at].next_part();
                self.orders.values_mut().for_each(|order| order.courses[at].misses(next));
            }
            None => {}
        }
        self.tell_in_time();
        let is_waited_for = self.orders.values().any(|order| order.asked.is_some());
        let pause = match (is_idle, is_waited_for) {
            (true, true) => LOOKED_FOR_EACH,
            (true, false) => AWAY_PAUSE,
            (false, true) => Duration::ZERO,
            (false, false) => took.min(MAX_PAUSE),
        };
        self.next = Instant::now() + pause;
    }

    /// The disk whose walk goes on next; `None` while nothing is looked for.
    fn next_disk(&mut self) -> Option<usize> {
        let disks = self.walks.len();
        let is_walked = |&at: &usize| self.orders.values().any(|order| order.courses[at].walks());
        let at = (self.turn..self.turn + disks).map(|at| at % disks).find(is_walked)?;
        self.turn = at + 1;
        Some(at)
    }

    /// Orders of an earlier process, as disks tell them when they are opened; and no more those that stand no more.
    fn join_standing(&mut self) {
        let standing = self.disk.standing_orders();
        self.orders.retain(|number, order| order.asked.is_some() || standing.binary_search(number).is_ok());
        for number in standing {
            if !self.orders.contains_key(&number) {
                self.begin(number, None, &[]);
            }
        }
    }

    fn met(&mut self, at: usize, met: &Met) {
        let Some(order) = self.orders.get_mut(&met.number) else { return };
        order.courses[at].meets();
        match &mut order.asked {
            Some((_, report)) => count(report, met),
            None => self.metrics.met_later(met.mode, u64::from(met.counts)),
        }
    }

    fn end_rounds(&mut self, at: usize) {
        // A disk that went and came back meanwhile proves nothing.
        self.look();
        let (passed, mut resting) = (self.walks[at].passed(), Vec::new());
        for (&number, order) in &mut self.orders {
            let Some(ended) = order.courses[at].has_passed(passed) else { continue };
            if order.courses.iter().all(Course::has_been_round) {
                order.tell(0, &self.metrics);
            }
            if ended == Ended::Unproved {
                // At once: that another disk has not taken the last note is no reason to wait.
                self.refused = Refused::default();
                self.written[at] = None;
            }
            if order.courses.iter().all(Course::is_through) {
                self.disk.drop_order(number);
                tracing::info!(number, "an order to purge has met all that lies on disks");
            } else {
                resting.push(number);
            }
        }
        for number in resting {
            if let Some(order) = self.orders.get(&number) {
                self.rest(number, order);
            }
        }
    }

    fn tell_in_time(&mut self) {
        let objects = self.disk.objects();
        for order in self.orders.values_mut() {
            let is_late = |(asker, _): &(Asker, Report)| asker.began.elapsed() >= self.told_within;
            if order.asked.as_ref().is_some_and(is_late) {
                let left = |at: usize| objects[at] * order.courses[at].left(self.walks[at].passed());
                let disk_objects_left = (0..objects.len()).map(left).sum::<u64>() / Walk::PARTS;
                order.tell(disk_objects_left, &self.metrics);
            }
        }
    }
}

fn count(report: &mut Report, met: &Met) {
    if met.counts {
        match met.mode {
            Mode::Hard => report.removed.disk += 1,
            Mode::Soft => report.softened.disk += 1,
        }
        report.tell_again(&met.key);
    }
}
