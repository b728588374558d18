//! How many connections there may be at once, over all cores.

use super::clients::{Clients, InFlight};
use crate::metrics::{End, Metrics};
use crate::pressure::Pressure;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The places of one server, shared by its cores.
#[derive(Clone)]
pub(crate) struct Connections {
    places: Arc<Semaphore>,
    most: usize,
    open: Arc<Open>,
    metrics: Arc<Metrics>,
}

/// How many connections are open, and who waits for the last to end.
#[derive(Default)]
struct Open {
    count: AtomicUsize,
    /// What may still open some, or goes on beside them, which takes no place.
    accepting: AtomicUsize,
    /// Here because every connection holds this already.
    pressure: Pressure,
    /// Likewise.
    clients: Clients,
    none_left: Notify,
}

/// How many of the places are taken, to look at.
#[derive(Clone, Default)]
pub struct Load {
    open: Arc<Open>,
    most: usize,
}

impl Load {
    /// From 0 to 1.
    pub fn share(&self) -> f64 {
        self.open.count.load(Ordering::Relaxed) as f64 / self.most.max(1) as f64
    }

    /// Requests that are being answered.
    pub fn in_flight(&self) -> InFlight {
        self.open.clients.in_flight()
    }
}

/// What goes on beside connections and is to be waited for as they are.
#[derive(Clone, Default)]
pub struct Work(Arc<Open>);

/// Some of it, until dropped.
pub struct Busy {
    _counted: Accepts,
}

impl Work {
    /// Begins something: the process does not end before it has, nor before its limit.
    pub fn begin(&self) -> Busy {
        Busy { _counted: Accepts::begin(&self.0) }
    }
}

/// The right to hold one connection. Dropping it gives the place back.
pub(crate) struct Place {
    metrics: Arc<Metrics>,
    open: Arc<Open>,
    _permit: Option<OwnedSemaphorePermit>,
    taken: Option<Counted>,
}

/// One of [`Open::count`], until dropped.
pub(crate) struct Counted(Arc<Open>);

impl Counted {
    fn begin(open: &Arc<Open>) -> Self {
        open.count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}

/// One of [`Open::accepting`], until dropped.
pub(crate) struct Accepts(Arc<Open>);

impl Accepts {
    fn begin(open: &Arc<Open>) -> Self {
        open.accepting.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(open))
    }
}

impl Drop for Accepts {
    fn drop(&mut self) {
        if self.0.accepting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}

impl Connections {
    pub(crate) fn new(most: usize, metrics: Arc<Metrics>) -> Self {
        let places = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { places, most, open: Arc::default(), metrics }
    }

    /// Waits until there is a place.
    pub(crate) async fn place(&self) -> Place {
        let permit = Arc::clone(&self.places).acquire_owned().await.ok();
        Place {
            metrics: Arc::clone(&self.metrics),
            open: Arc::clone(&self.open),
            _permit: permit,
            taken: None,
        }
    }

    /// What connections look at under pressure.
    pub(crate) fn pressure(&self) -> Pressure {
        self.open.pressure.clone()
    }

    /// To look at from outside.
    pub(crate) fn load(&self) -> Load {
        Load { open: Arc::clone(&self.open), most: self.most }
    }

    /// Held by what may still open connections: [`all_gone`](Self::all_gone) waits for it, too.
    pub(crate) fn accepting(&self) -> Accepts {
        Accepts::begin(&self.open)
    }

    /// What goes on beside them.
    pub(crate) fn work(&self) -> Work {
        Work(Arc::clone(&self.open))
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.open.count.load(Ordering::Acquire)
    }

    /// Waits until none is open on any core. A core without connections may still be filling what another core's
    /// clients are reading, so cores end together.
    pub(crate) async fn all_gone(&self) {
        let mut none_left = pin!(self.open.none_left.notified());
        loop {
            none_left.as_mut().enable();
            // In this order: when nothing accepts any more, what it has accepted is counted.
            if self.open.accepting.load(Ordering::Acquire) == 0 && self.open() == 0 {
                return;
            }
            none_left.as_mut().await;
            none_left.set(self.open.none_left.notified());
        }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

impl Place {
    /// A connection has been accepted into this place.
    pub(crate) fn take(mut self) -> Self {
        self.metrics.accepted.inc();
        self.metrics.connections.inc();
        self.taken = Some(Counted::begin(&self.open));
        self
    }

    /// How hard the server is pressed.
    pub(crate) fn pressure(&self) -> &Pressure {
        &self.open.pressure
    }

    /// Whose connections are open.
    pub(crate) fn clients(&self) -> &Clients {
        &self.open.clients
    }

    /// The connection is over.
    pub(crate) fn leave(self, end: End) {
        self.metrics.ended(end);
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.taken.is_some() {
            self.metrics.connections.dec();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};
    use telemetry::Telemetry;

    #[test]
    fn who_accepts_takes_no_place_and_is_waited_for() {
        let connections = Connections::new(2, Arc::new(Metrics::register(&Telemetry::new("test"))));
        let mut gone = pin!(connections.all_gone());
        let mut poll = || gone.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let accepting: Vec<_> = (0..3).map(|_| connections.accepting()).collect();
        assert_eq!((connections.load().share(), connections.open()), (0.0, 0));
        assert_eq!(poll(), Poll::Pending);
        let Poll::Ready(place) = pin!(connections.place()).poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("there are two")
        };
        let place = place.take();
        assert_eq!((connections.load().share(), connections.open()), (0.5, 1));
        drop(accepting);
        assert_eq!(poll(), Poll::Pending);
        place.leave(End::Closed);
        assert_eq!(poll(), Poll::Ready(()));
    }
}
