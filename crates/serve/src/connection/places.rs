//! How many connections there may be at once, over all cores.

use crate::metrics::{End, Metrics};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of one server, shared by its cores.
#[derive(Clone)]
pub(crate) struct Connections {
    places: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// The right to hold one connection. Dropping it gives the place back.
pub(crate) struct Place {
    metrics: Arc<Metrics>,
    permit: Option<OwnedSemaphorePermit>,
    counted: bool,
}

impl Connections {
    pub(crate) fn new(most: usize, metrics: Arc<Metrics>) -> Self {
        Self { places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))), metrics }
    }

    /// Waits until there is a place.
    pub(crate) async fn place(&self) -> Place {
        let permit = Arc::clone(&self.places).acquire_owned().await.ok();
        Place { metrics: Arc::clone(&self.metrics), permit, counted: false }
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
        self.counted = true;
        self
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
        if self.counted {
            self.metrics.connections.dec();
        }
        self.permit.take();
    }
}
