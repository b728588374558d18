//! One core's connections to one server: kept for reuse, and never more than a bound.

use super::UpstreamError;
use super::connect::Dial;
use super::parent::Parent;
use super::sender::Sender;
use crate::metrics::Metrics;
use crate::options::UpstreamLimits;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Unused connections kept on one core.
const MAX_IDLE: usize = 32;
/// How long an unused connection is kept: less than what servers commonly allow, so that we rarely meet one that is
/// just being closed.
const IDLE_FOR: Duration = Duration::from_secs(20);

/// One core's connections.
pub(super) struct Pool {
    parent: Arc<Parent>,
    dial: Dial,
    idle: RefCell<Vec<Idle>>,
    places: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

struct Idle {
    sender: Sender,
    place: Place,
    since: Instant,
}

/// The right to hold one connection.
struct Place {
    _permit: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.upstream_connections.dec();
    }
}

/// A connection in use.
pub(super) struct Lease {
    pub(super) sender: Sender,
    /// Whether it has carried an exchange before: the upstream may have closed it without our knowing.
    pub(super) reused: bool,
    place: Place,
}

impl Pool {
    pub(super) fn new(
        parent: Arc<Parent>,
        dial: Dial,
        limits: &UpstreamLimits,
        metrics: Arc<Metrics>,
    ) -> Rc<Self> {
        let places = Arc::new(Semaphore::new(limits.connections_per_core.min(Semaphore::MAX_PERMITS)));
        Rc::new(Self { parent, dial, idle: RefCell::default(), places, metrics })
    }

    /// An idle connection, the last used first.
    pub(super) fn idle(&self) -> Option<Lease> {
        let now = Instant::now();
        let mut idle = self.idle.borrow_mut();
        while let Some(Idle { sender, place, since }) = idle.pop() {
            if sender.is_ready() && now.duration_since(since) < IDLE_FOR {
                return Some(Lease { sender, reused: true, place });
            }
        }
        None
    }

    /// A new connection. Waits for a place where all are taken.
    pub(super) async fn connect(&self, limit: Duration) -> Result<Lease, UpstreamError> {
        let started = Instant::now();
        let permit = timeout(limit, Arc::clone(&self.places).acquire_owned())
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(UpstreamError::Busy)?;
        self.metrics.upstream_connections.inc();
        let place = Place { _permit: permit, metrics: Arc::clone(&self.metrics) };
        let left = limit.saturating_sub(started.elapsed()).max(Duration::from_millis(1));
        let sender = self.dial.connect(&self.parent, left).await?;
        Ok(Lease { sender, reused: false, place })
    }

    /// Takes a connection back as soon as its exchange is over; one that cannot be used again is closed.
    pub(super) fn give_back(self: &Rc<Self>, lease: Lease) {
        let pool = Rc::clone(self);
        let Lease { mut sender, place, .. } = lease;
        drop(tokio::task::spawn_local(async move {
            if sender.ready().await.is_err() {
                return;
            }
            let mut idle = pool.idle.borrow_mut();
            if idle.len() < MAX_IDLE {
                idle.push(Idle { sender, place, since: Instant::now() });
            }
        }));
    }
}
