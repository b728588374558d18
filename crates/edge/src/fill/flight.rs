//! The fills going on now, and waiting for one's head.

use crate::key::CacheKey;
use crate::outcome;
use crate::store::Object;
use crate::upstream::UpstreamError;
use httpcache::freshness::State;
use httpcache::storable::NotStored;
use httpcache::vary::VaryNames;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio::time::Instant;

/// How a fill's head came in.
#[derive(Debug, Clone)]
pub(crate) enum Landed {
    /// A response for everybody, fetched by this fill; its body may still grow.
    Fetched {
        /// What to serve.
        object: Arc<Object>,
        /// Where it varies: a follower that asked with other values must look again.
        variant: Option<Arc<Variant>>,
    },
    /// The stored response still holds; this is it, freshened.
    Revalidated(Arc<Object>),
    /// The upstream failed; this stale response may stand in.
    StaleOnError(Arc<Object>),
    /// Answered, but not for everybody: each asks for himself.
    NotShared(Unshared),
    /// No answer, and nothing to stand in.
    Failed(UpstreamError),
    /// The fill's task is gone without a word; only a panic or a shutdown does that.
    Abandoned,
}

/// By what a response varies, and which of its variants it is.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) names: Arc<VaryNames>,
    pub(crate) secondary: String,
}

/// Why an answer is for one client alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unshared {
    /// RFC 9111 says so.
    Rule(NotStored),
    /// It would take too much of the cache.
    TooLarge,
}

impl Unshared {
    /// As Cache-Status says it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Rule(reason) => outcome::not_stored(reason),
            Self::TooLarge => "too-large",
        }
    }
}

/// One fill.
#[derive(Debug)]
pub(crate) struct Flight {
    landed: watch::Sender<Option<Landed>>,
}

impl Flight {
    /// Whether its head has come and may not serve a request that comes only now: one that must be asked about each
    /// time answers those that were waiting for it (RFC 9111 §4), nobody after them.
    pub(crate) fn is_too_late(&self, now: Instant) -> bool {
        matches!(&*self.landed.borrow(), Some(Landed::Fetched { object, .. }) if object.state(now) == State::Stale)
    }

    /// Waits for the head. At once when it has come already.
    pub(crate) async fn landed(&self) -> Landed {
        let mut landed = self.landed.subscribe();
        landed
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|landed| landed.clone())
            .unwrap_or(Landed::Abandoned)
    }
}

/// All fills of the node, over all cores.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flights(Arc<Mutex<HashMap<CacheKey, Arc<Flight>>>>);

/// What a request is to the fill of its key.
pub(crate) enum Role {
    /// The first: must start the fill and hold on to this.
    Lead(Arc<Flight>, Guard),
    /// One of the others.
    Follow(Arc<Flight>),
}

impl Flights {
    /// Joins the fill of `key`, or begins one unless `stored` finds that it has just ended.
    ///
    /// A fill is stored before it is taken out here, and `stored` looks under the same lock: between two fills there
    /// is no gap that a request could slip through to the upstream.
    pub(crate) fn join<T>(&self, key: &CacheKey, stored: impl FnOnce() -> Option<T>) -> Result<Role, T> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(key) {
            return Ok(Role::Follow(Arc::clone(flight)));
        }
        if let Some(found) = stored() {
            return Err(found);
        }
        let flight = Arc::new(Flight { landed: watch::Sender::new(None) });
        flights.insert(key.clone(), Arc::clone(&flight));
        let guard =
            Guard { flights: self.clone(), key: key.clone(), flight: Arc::clone(&flight), listed: true };
        Ok(Role::Lead(flight, guard))
    }
}

/// The leader's hold on its fill. Dropped, the fill is over.
#[derive(Debug)]
pub(crate) struct Guard {
    flights: Flights,
    key: CacheKey,
    flight: Arc<Flight>,
    listed: bool,
}

impl Guard {
    /// Under which the fill is known.
    pub(crate) fn key(&self) -> &CacheKey {
        &self.key
    }

    /// Tells everybody how the head came in.
    pub(crate) fn land(&self, landed: Landed) {
        self.flight.landed.send_replace(Some(landed));
    }

    /// Takes the fill off the list; who has joined keeps it.
    fn unlist(&mut self) {
        if std::mem::take(&mut self.listed) {
            self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.unlist();
        self.flight.landed.send_if_modified(|landed| {
            let abandoned = landed.is_none();
            if abandoned {
                *landed = Some(Landed::Abandoned);
            }
            abandoned
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> CacheKey {
        CacheKey::primary("http", "a", "/x")
    }

    fn nothing() -> Option<()> {
        None
    }

    #[tokio::test]
    async fn a_leader_that_vanishes_leaves_nobody_waiting() {
        let flights = Flights::default();
        let Ok(Role::Lead(_, guard)) = flights.join(&key(), nothing) else { panic!("the first leads") };
        let Ok(Role::Follow(flight)) = flights.join(&key(), nothing) else { panic!("the second follows") };
        let waiting = tokio::spawn(async move { flight.landed().await });
        drop(guard);
        assert!(matches!(waiting.await.unwrap(), Landed::Abandoned));
        assert!(matches!(flights.join(&key(), nothing), Ok(Role::Lead(..))));
    }

    #[tokio::test]
    async fn what_has_just_been_stored_is_not_fetched_again() {
        let flights = Flights::default();
        assert!(matches!(flights.join(&key(), || Some("stored")), Err("stored")));
        assert!(matches!(flights.join(&key(), nothing), Ok(Role::Lead(..))));
    }
}
