//! What orders mean on the disks, looked for in rounds: how much it was is told to who has given them.
//!
//! ```text
//! order ─► stands: nobody is given what it means ─┬─ by the keys of its URL ─► a barrier ─► answer
//!                                                 └─ written down ─► a round, two seconds of it ─► answer
//!                                                                      └─► rounds, until one has met nothing
//! ```
//! A walk goes round all disks, a few objects at a time, for as long as an order stands; each order begins wherever the walk
//! is just then. Its last round is the proof that the one before has missed nothing, since what was found is gone by then.

use super::metrics::PurgeMetrics;
use super::sweep::{CarriedOut, OnDisk};
use crate::edge::Settings;
use crate::store::{DiskTier, Met, Walked};
use ::purge::{Mode, Report};
use diskstore::Walk;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

/// How long an answer waits for the first round. What is found later is counted in metrics alone.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// The longest pause between two steps that nobody waits for. They take turns: half of one of a disk's readers, no more.
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// How often orders are written down that have met all at once: only that they were given is news to the next process.
const NOTED_EACH: Duration = Duration::from_secs(1);
/// The longest until orders that a disk did not take are given to it again; one that comes back is told at once.
const WRITE_AGAIN: Duration = Duration::from_secs(30);
/// Until a disk that was away is looked at again, and without orders until it is looked whether a disk has brought some.
const AWAY_PAUSE: Duration = Duration::from_secs(1);

/// Who waits for an answer.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) answer: oneshot::Sender<Report>,
    /// By the clock of who gave the order.
    pub(super) given_at: Timestamp,
    pub(super) began: Instant,
}

impl Asker {
    /// Tells what an order has done. Who has asked may have gone; it is done all the same.
    pub(super) fn tell(self, mut report: Report, metrics: &PurgeMetrics) {
        report.duration_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        metrics.carried_out(&report, self.given_at);
        tracing::info!(
            id = %report.id,
            mode = report.mode.as_str(),
            memory = report.removed.memory + report.softened.memory,
            disk = report.removed.disk + report.softened.disk,
            disk_objects_left = report.disk_objects_left,
            lasting = report.lasting,
            fills_overtaken = report.fills_overtaken,
            duration_us = report.duration_us,
            "purged"
        );
        let _ = self.answer.send(report);
    }
}

/// An order on its rounds.
#[derive(Debug)]
struct OnRound {
    number: u64,
    /// Whether every disk has it written down.
    lasting: bool,
    /// The part from which on its round counts.
    since: u64,
    has_met: bool,
    asked: Option<(Asker, Report)>,
}

/// The orders that look for what they mean.
pub(super) struct Rounds {
    disk: Arc<DiskTier>,
    settings: watch::Receiver<Settings>,
    metrics: Arc<PurgeMetrics>,
    walk: Walk,
    /// Parts that the walk has been through.
    parts: u64,
    orders: Vec<OnRound>,
    pause: Duration,
    /// The disks that miss something.
    owed: Vec<String>,
    refused: Refused,
    /// When orders were written down last.
    noted: Option<Instant>,
}

/// What a disk has not taken.
#[derive(Debug, Default)]
struct Refused {
    /// As of this change.
    change: u64,
    wait: Duration,
    again: Option<Instant>,
}

impl Rounds {
    pub(super) fn new(
        disk: Arc<DiskTier>,
        settings: watch::Receiver<Settings>,
        metrics: Arc<PurgeMetrics>,
    ) -> Self {
        Self {
            disk,
            settings,
            metrics,
            walk: Walk::default(),
            parts: 0,
            orders: Vec::new(),
            pause: Duration::ZERO,
            owed: Vec::new(),
            refused: Refused::default(),
            noted: None,
        }
    }

    /// Until the next step is due.
    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    /// Takes orders on that have been carried out in memory. Those that can be are ended here, between two barriers for
    /// all; one note is for all of the rest.
    pub(super) async fn take_on(&mut self, given: Vec<(CarriedOut, Asker)>) {
        let (mut ended, mut open) = (Vec::new(), Vec::new());
        let by_keys = |(done, _): &(CarriedOut, Asker)| {
            done.standing.as_ref().is_some_and(|order| !order.keys.is_empty())
        };
        // What was put before the order may still be on its way to the disk.
        let is_there = !given.iter().any(by_keys) || self.disk.is_settled().await;
        let groups = Arc::clone(&self.settings.borrow().groups);
        for (CarriedOut { mut report, standing }, asker) in given {
            let Some(OnDisk { number, mode, keys }) = standing else {
                asker.tell(report, &self.metrics);
                continue;
            };
            let (met, is_all) = self.disk.purge_keys(&keys, mode, number, &groups).await;
            met.iter().for_each(|met| count(&mut report, met));
            let list = if is_all && is_there && !keys.is_empty() { &mut ended } else { &mut open };
            list.push((number, report, asker));
        }
        if !ended.is_empty() && self.disk.is_settled().await {
            for (number, report, asker) in ended.drain(..) {
                self.disk.drop_order(number);
                asker.tell(report, &self.metrics);
            }
        }
        open.append(&mut ended);
        if open.is_empty() {
            // Nobody waits for it; in a storm of orders once in a while.
            if self.noted.is_none_or(|noted| noted.elapsed() >= NOTED_EACH) {
                self.write_orders().await;
            }
            return;
        }
        let lasting = self.disk.write_orders().await;
        self.noted = Some(Instant::now());
        let since = self.next_part();
        self.orders.extend(open.into_iter().map(|(number, report, asker)| OnRound {
            number,
            lasting,
            since,
            has_met: false,
            asked: Some((asker, report)),
        }));
        self.pause = Duration::ZERO;
    }

    /// The next part that an order sees all of.
    fn next_part(&self) -> u64 {
        self.parts + u64::from(self.walk.is_inside())
    }

    /// One step: a few objects, where an order stands.
    pub(super) async fn step(&mut self) {
        let began = Instant::now();
        self.join_standing();
        self.disk.note_absences(&mut self.owed);
        self.write_orders().await;
        self.metrics.standing.set(i64::try_from(self.orders.len()).unwrap_or(i64::MAX));
        if self.orders.is_empty() {
            self.pause = AWAY_PAUSE;
            return;
        }
        let groups = Arc::clone(&self.settings.borrow().groups);
        let walked = self.disk.walk_on(&mut self.walk, &groups).await;
        self.pause = began.elapsed().min(MAX_PAUSE);
        let is_away = matches!(walked, Walked::Away);
        match walked {
            Walked::Met(met) => met.iter().for_each(|met| self.met(met)),
            Walked::PartEnds => {
                self.parts += 1;
                self.end_rounds();
            }
            Walked::Away => {
                self.parts += 1;
                // Nobody knows what lies there: no round is one without it.
                let since = self.next_part();
                self.orders.iter_mut().for_each(|order| order.since = since);
                self.pause = AWAY_PAUSE;
            }
        }
        self.tell_in_time();
        if self.orders.iter().any(|order| order.asked.is_some()) {
            self.pause = if is_away { TOLD_WITHIN / 8 } else { Duration::ZERO };
        }
    }

    /// Has written down what is not. A disk that is away for days is not written to each second for it.
    async fn write_orders(&mut self) {
        let (now, change) = (Instant::now(), self.disk.changes_of_orders());
        let is_new = change != self.refused.change;
        if !self.disk.has_unwritten_orders()
            || (!is_new && self.refused.again.is_some_and(|again| now < again))
        {
            return;
        }
        self.noted = Some(now);
        if self.disk.write_orders().await {
            self.orders.iter_mut().for_each(|order| order.lasting = true);
            self.refused = Refused::default();
        } else {
            let wait =
                if is_new { AWAY_PAUSE } else { (self.refused.wait * 2).clamp(AWAY_PAUSE, WRITE_AGAIN) };
            self.refused = Refused { change, wait, again: Some(now + wait) };
        }
    }

    /// Orders of an earlier process, as disks tell them when they are opened.
    fn join_standing(&mut self) {
        let since = self.next_part();
        for number in self.disk.standing_orders() {
            if !self.orders.iter().any(|order| order.number == number) {
                self.orders.push(OnRound { number, lasting: false, since, has_met: false, asked: None });
            }
        }
    }

    fn met(&mut self, met: &Met) {
        let order = self.orders.iter_mut().find(|order| order.number == met.number);
        let Some(order) = order else { return };
        order.has_met = true;
        match &mut order.asked {
            Some((_, report)) => count(report, met),
            None => self.metrics.met_later(met.mode, u64::from(met.counts)),
        }
    }

    fn end_rounds(&mut self) {
        let round = self.disk.parts() as u64;
        for order in &mut self.orders {
            if self.parts.saturating_sub(order.since) < round {
                continue;
            }
            if let Some((asker, report)) = order.asked.take() {
                asker.tell(Report { lasting: order.lasting, ..report }, &self.metrics);
            }
            if order.has_met || !order.lasting {
                (order.has_met, order.since) = (false, self.parts);
            } else {
                self.disk.drop_order(order.number);
                tracing::info!(number = order.number, "an order to purge has met all that lies on disks");
            }
        }
        let standing = self.disk.standing_orders();
        self.orders.retain(|order| order.asked.is_some() || standing.contains(&order.number));
    }

    fn tell_in_time(&mut self) {
        let (parts, objects) = (self.disk.parts() as u64, self.disk.objects());
        for order in &mut self.orders {
            let late = |(asker, _): &mut (Asker, Report)| asker.began.elapsed() >= TOLD_WITHIN;
            if let Some((asker, report)) = order.asked.take_if(late) {
                let left = parts.saturating_sub(self.parts.saturating_sub(order.since));
                let disk_objects_left = objects * left / parts.max(1);
                asker.tell(Report { lasting: order.lasting, disk_objects_left, ..report }, &self.metrics);
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
