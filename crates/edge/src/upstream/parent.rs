//! One server, as all cores see it.

use super::config::{ServerConfig, Tls};
use super::metrics::{Asked, ParentMetrics};
use super::resolve::Resolver;
use super::{Address, metrics};
use parents::health::{Admission, Health, Judge, Met, Standing};
use parents::preference::{self, Candidate};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use telemetry::Label;
use tokio::time::Instant;

/// A server and what is known about it.
#[derive(Debug)]
pub(crate) struct Parent {
    /// No other server of this process has had it.
    pub(super) number: usize,
    pub(super) group: Arc<str>,
    pub(super) name: Box<str>,
    pub(super) address: Address,
    pub(super) resolver: Arc<Resolver>,
    pub(super) tls: Option<Tls>,
    config: ServerConfig,
    judge: Judge,
    identity: u64,
    load: AtomicUsize,
    /// Touched once or twice a question that goes upstream, never by a hit.
    health: Mutex<Health>,
    /// What was wrong with it the last time, in the words of who found it out.
    trouble: Mutex<String>,
    /// No group has it any more; what was asked of it may still go on.
    gone: AtomicBool,
    metrics: ParentMetrics,
}

/// What a server on trial may have of its share: one question, whose end is waited for.
const TRIAL_SHARE: f64 = 1e-6;

impl Parent {
    pub(super) fn new(
        config: &ServerConfig,
        number: usize,
        group: &Arc<str>,
        judge: Judge,
        families: &metrics::Families,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
            group: Arc::clone(group),
            name: config.name.as_str().into(),
            address: config.address.clone(),
            resolver: Resolver::new(&config.address),
            tls: config.tls.clone(),
            config: config.clone(),
            judge,
            identity: preference::hash(&config.name),
            load: AtomicUsize::new(0),
            health: Mutex::new(Health::new(judge)),
            trouble: Mutex::default(),
            gone: AtomicBool::new(false),
            metrics: families.parent(group, &config.name),
        })
    }

    /// Whether it is the same server, judged by the same, so that what is known about it still holds.
    pub(super) fn is(&self, group: &str, config: &ServerConfig, judge: Judge) -> bool {
        *self.group == *group && self.config == *config && self.judge == judge
    }

    /// As far as choosing goes. With `on_trial`, one that is down may be asked if it is time to find out.
    pub(super) fn candidate(&self, now: Instant, on_trial: bool) -> Candidate {
        let candidate = self.candidate_in_need();
        match self.health().admission(now.into_std()) {
            Admission::Share(share) => Candidate { share, ..candidate },
            // What still comes of questions before its fall is no reason to leave it alone.
            Admission::Trial if on_trial => Candidate { share: TRIAL_SHARE, load: 0, ..candidate },
            Admission::Trial | Admission::Refused => Candidate { share: 0.0, ..candidate },
        }
    }

    /// The same, its health not looked at.
    pub(super) fn candidate_in_need(&self) -> Candidate {
        let load = self.load.load(Ordering::Relaxed);
        Candidate { identity: self.identity, weight: self.config.weight, load, share: 1.0 }
    }

    /// A question goes to it. It counts until what is given back is dropped, at the end of the body.
    pub(super) fn begin(self: &Arc<Self>, now: Instant) -> Load {
        self.health().begin_trial(now.into_std());
        self.load.fetch_add(1, Ordering::Relaxed);
        self.metrics.load.inc();
        Load { parent: Arc::clone(self), begun: now }
    }

    /// Notes what was wrong, for who is told that it is down: of a hundred reasons for "unreached" one is to be mended.
    pub(super) fn trouble(&self, what: &dyn fmt::Display) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = what.to_string();
    }

    /// What was wrong with it the last time.
    pub(super) fn last_trouble(&self) -> String {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what became of a question.
    pub(super) fn heard(&self, asked: Asked) {
        self.metrics.asked(asked);
        let met = match asked {
            Asked::Answer => Met::Answer,
            Asked::Unwell | Asked::Unreadable => Met::Unwell,
            Asked::Unreached | Asked::Unanswered => Met::Failure,
            Asked::Broken => Met::Broken,
        };
        let change = self.health().met(Instant::now().into_std(), met);
        self.changed(change, asked.as_str());
    }

    /// Notes that a body came whole.
    pub(super) fn came_whole(&self) {
        self.health().met(Instant::now().into_std(), Met::Whole);
    }

    /// Notes what a check found.
    pub(super) fn checked(&self, good: bool) {
        let change = self.health().checked(Instant::now().into_std(), good);
        self.changed(change, "check");
    }

    fn changed(&self, change: Option<Standing>, why: &'static str) {
        let (group, parent) = (&*self.group, &*self.name);
        // Another may have its name.
        if change.is_none() || self.gone.load(Ordering::Relaxed) {
            return;
        }
        self.show();
        match change {
            None => {}
            Some(Standing::Up) => tracing::info!(group, parent, why, "parent up"),
            Some(Standing::Down) => {
                tracing::warn!(group, parent, why, error = self.last_trouble(), "parent down");
            }
        }
    }

    /// No group has it any more: what still comes of it says nothing of who has its name now.
    pub(super) fn leave(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    /// Shows in metrics whether it is up.
    pub(super) fn show(&self) {
        self.metrics.up.set(i64::from(self.health().standing() == Standing::Up));
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        // Nothing that holds the lock can panic half way through a change.
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is going on.
#[derive(Debug)]
pub(super) struct Load {
    parent: Arc<Parent>,
    begun: Instant,
}

impl Load {
    pub(super) fn parent(&self) -> &Arc<Parent> {
        &self.parent
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.parent.load.fetch_sub(1, Ordering::Relaxed);
        self.parent.metrics.load.dec();
        self.parent.metrics.seconds.observe(self.begun.elapsed().as_secs_f64());
    }
}
