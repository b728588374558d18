//! Tomorrow's lessons, fetched in the night: what the day plan names is here before the bell.
//!
//! ```text
//! plan ─► ledger ─► next ─► pace ─► bring ─┬─ here already? ─► proved ─► pinned
//!         what is   window, the owner's    └─ peers, parents, origin ──┘
//!         missing   lane    rate
//! ```
//! Beside it `front`: the page, the catalogue and the guides, which no plan names.
//!
//! One task on one core. Live traffic wins: under pressure nothing new is begun. What is here is not fetched again, whenever
//! it came; what came late is fetched first. When it is no time for fetching, a node that has just begun still looks for what its
//! disks kept: it is as ready as before. It ends when the process begins to, or gives way to another one that has its disks then. The
//! rules are in `ledger`, `window`, `list` and `pace`, which know no clock.

mod bring;
mod front;
mod ledger;
mod list;
mod metrics;
mod options;
mod pace;
mod proof;
mod report;
mod window;

pub use options::{FillConfig, FillOptions};
pub(crate) use report::BellReport;
pub(crate) use window::Window;

use crate::service::EdgeService;
use bring::{Paper, Porter};
use dayplan::Plans;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use ledger::{Job, Ledger, Reach};
use metrics::{Brought, FillMetrics};
use pace::Pace;
use package::Manifest;
use report::Report;
use serve::{Drain, Level};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use telemetry::{Readiness, Telemetry};
use tokio::time::{Instant, interval};

/// Things on their way at once: enough to hide the way to a parent, few beside the questions of students.
const AT_ONCE: usize = 8;
/// Things looked after in a second: a millisecond of the core.
const CHECKED_AT_ONCE: usize = 500;
/// How often the fill looks whether it may go on, and tells how far it is.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What all that ask for it see of the fill.
#[derive(Clone)]
pub(crate) struct Told {
    metrics: Arc<FillMetrics>,
    report: Arc<Mutex<Report>>,
    readiness: Arc<Readiness>,
}

impl Told {
    /// Has `/fill` answered on the admin listener.
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        let report = Arc::<Mutex<Report>>::default();
        let page = Arc::clone(&report);
        telemetry.pages.route("/fill", move || page.lock().unwrap_or_else(PoisonError::into_inner).to_json());
        let metrics = Arc::new(FillMetrics::register(telemetry));
        Self { metrics, report, readiness: Arc::clone(&telemetry.readiness) }
    }

    /// How far it is with each bell.
    pub(crate) fn bells(&self) -> Vec<BellReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).bells().to_vec()
    }
}

/// Fills until the process begins to end, or gives way to another, which has the disks then and goes on from what lies there. To be
/// run once, on one core.
///
/// What is on its way is dropped between two pieces of its body: only what has come whole and was proved is ever kept.
pub(crate) async fn fill(service: EdgeService, hosts: Arc<[String]>, told: Told, drain: Drain) {
    tokio::select! {
        biased;
        () = drain.begun() => tracing::debug!("nothing is filled any more: the process is ending"),
        () = until_plans_end(service, hosts, told) => {}
    }
}

async fn until_plans_end(service: EdgeService, hosts: Arc<[String]>, told: Told) {
    let edge = service.edge();
    let Some(plans) = edge.release.plans().cloned() else { return };
    let config = edge.config.fill.clone();
    let porter = Porter {
        hosts,
        pace: RefCell::new(Pace::new(config.rate, Instant::now())),
        metrics: Arc::clone(&told.metrics),
        service: service.clone(),
        plans: plans.clone(),
    };
    let ledger = Ledger::new(config.rungs.clone(), plans.now());
    let porter = Rc::new(porter);
    let front = front::Front::new(Rc::clone(&porter)).run();
    let fill = Fill {
        service,
        plans,
        config,
        porter,
        ledger,
        told,
        turn: 0,
        checking: VecDeque::new(),
        leaving: VecDeque::new(),
    };
    tokio::join!(fill.run(), front);
}

struct Fill {
    service: EdgeService,
    plans: Plans,
    config: FillConfig,
    porter: Rc<Porter>,
    ledger: Ledger,
    told: Told,
    /// Which package is looked after next.
    turn: usize,
    /// What of it is still to be looked after.
    checking: VecDeque<Job>,
    /// What nobody plans any more and the disk is still to be told of: at most what the plans before had.
    leaving: VecDeque<(Job, Option<Arc<Manifest>>)>,
}

type Bringing = Pin<Box<dyn Future<Output = (Job, Result<Paper, Brought>)>>>;

impl Fill {
    async fn run(mut self) {
        let mut changes = self.plans.changes();
        let mut ticks = interval(LOOK_EVERY);
        let mut running: FuturesUnordered<Bringing> = FuturesUnordered::new();
        self.follow();
        loop {
            tokio::select! {
                biased;
                Some((job, result)) = running.next(), if !running.is_empty() => self.ended(&job, result),
                changed = changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.follow();
                }
                _ = ticks.tick() => {
                    if self.ledger.has_ended(self.plans.now()) {
                        self.follow();
                    }
                    self.look_after();
                    self.let_go();
                    self.tell();
                }
            }
            let room = self.room();
            self.porter.pace.borrow_mut().keep_to(self.rate());
            while running.len() < room
                && let Some(job) = self.ledger.next(self.config.window, self.plans.now(), Instant::now())
            {
                running.push(self.begin(job));
            }
        }
    }

    /// How much may be on its way: live traffic wins.
    fn room(&self) -> usize {
        let level = self.service.edge().overload.level();
        if self.service.edge().owner.stands_aside() {
            self.told.metrics.paused(true);
            return 0;
        }
        self.told.metrics.paused(level > Level::Calm);
        match level {
            Level::Calm => AT_ONCE,
            Level::Busy => 1,
            Level::High | Level::Critical => 0,
        }
    }

    /// Bytes a second, now: no more than the owner lets the node send, either.
    fn rate(&self) -> u64 {
        let allowed = self.service.edge().owner.allowed();
        allowed.map_or(self.config.rate, |allowed| self.config.rate.min(allowed.0 / 8))
    }

    fn begin(&self, job: Job) -> Bringing {
        let (porter, manifest) = (Rc::clone(&self.porter), self.ledger.manifest(job.package));
        Box::pin(async move {
            let result = porter.bring(&job, manifest).await;
            (job, result)
        })
    }

    fn ended(&mut self, job: &Job, result: Result<Paper, Brought>) {
        match result {
            Ok(paper) => {
                if let Some(manifest) = paper {
                    self.ledger.list(job.package, manifest);
                }
                self.ledger.done(job);
            }
            // It stays what it was: waiting for its time, or kept for as long as it is.
            Err(_) if job.reach == Reach::Here => {}
            Err(trouble) => {
                if trouble != Brought::Wrong {
                    self.told.metrics.brought(trouble, 0);
                }
                let now = Instant::now();
                if trouble == Brought::NoRoom {
                    self.ledger.no_room(job, now);
                } else {
                    self.ledger.failed(job, now);
                }
            }
        }
    }

    /// Takes in what is planned now. What is planned no more is not kept for it.
    fn follow(&mut self) {
        let current = self.plans.snapshot();
        for gone in self.ledger.follow(current.plans(), self.plans.now()) {
            let prefix = format!("/p/{}/", gone.package);
            let edge = self.service.edge();
            edge.memory.unpin(|key| key.site_and_target().1.starts_with(&prefix));
            if edge.disk.is_some() {
                self.leaving.extend(gone.held.into_iter().map(|job| (job, gone.manifest.clone())));
            }
        }
        self.tell();
    }

    /// Has the disks keep no longer what is planned no more, some things each second.
    fn let_go(&mut self) {
        for _ in 0..CHECKED_AT_ONCE {
            let Some((job, manifest)) = self.leaving.pop_front() else { return };
            // A plan may have thought better of it.
            if !self.ledger.wants(job.package) && !self.porter.let_go(&job, manifest.as_deref()) {
                return self.leaving.push_front((job, manifest));
            }
        }
    }

    /// Looks whether what was here still is, some things each second: orders to forget, and failing disks, take things away.
    fn look_after(&mut self) {
        self.service.edge().memory.unpin_before(self.service.edge().clock.now());
        if self.checking.is_empty() {
            self.turn = self.turn.wrapping_add(1);
            self.checking = self.ledger.held(self.turn).into();
        }
        let some = self.checking.len().min(CHECKED_AT_ONCE);
        for job in self.checking.drain(..some) {
            if !self.porter.has(&job, self.ledger.manifest(job.package)) {
                self.ledger.lost(&job);
            }
        }
    }

    fn tell(&self) {
        let (zone, ready) = (self.ledger.zone(), self.ledger.ready());
        self.told.metrics.ready(zone, &ready);
        let report = Report::new(&self.config, zone, &ready, self.told.metrics.front_standing());
        self.told.readiness.note("fill", report.words(self.plans.now()));
        *self.told.report.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }
}

#[cfg(test)]
mod tests;
