//! What the day plan has to say to a request: the plan itself for nodes, no to what is not open yet, and how what it names
//! is looked after.

use crate::admission::Waiting;
use crate::feedback::Received;
use crate::lookup::Found;
use crate::outcome::Forwarded;
use crate::request::Asked;
use bytes::Bytes;
use dayplan::{AtDoor, Closed, Gated, Plans, Television};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The plan's part in a request. Without a plan it has none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Release {
    plans: Option<Plans>,
    /// Under which students ask for the plan's lessons.
    hosts: Arc<[String]>,
}

/// An answer because of the plan.
pub(crate) enum Said {
    /// To a question for a plan.
    Plan(AtDoor),
    /// To one for something that is not open yet.
    Closed(Closed),
    /// To one for a channel.
    OnAir(Response<Bytes>),
    /// To a new session before its turn.
    Waiting(Waiting),
    /// To a word about what a class has seen.
    Counted(StatusCode),
    /// To a report of a page.
    Reported(Received),
    /// To the question which groups can be reached.
    Standing(HeaderMap, Vec<u8>),
    /// To one over a listener that sends on to HTTPS: where to.
    Moved(HeaderValue),
}

impl Release {
    pub(crate) fn new(plans: Plans, hosts: &[String]) -> Self {
        Self { plans: Some(plans), hosts: hosts.into() }
    }

    /// What is followed; `None`: nothing.
    pub(crate) fn plans(&self) -> Option<&Plans> {
        self.plans.as_ref()
    }

    /// Before anything is looked up. `None`: the request goes on.
    ///
    /// A node shows its word for what others do not get yet. It is taken off here, so that the answer is kept as any, and
    /// ours is shown in its place further up.
    pub(crate) fn judge(&self, asked: &mut Asked) -> Option<Said> {
        let plans = self.plans.as_ref()?;
        let path = asked.target.path();
        if let Some(at_door) = dayplan::served(plans, path, &asked.headers) {
            return Some(Said::Plan(at_door));
        }
        let target = asked.target.path_and_query().map_or(path, |target| target.as_str());
        match plans.on_air(&asked.method, target, &asked.headers) {
            Some(Television::Playlist(playlist)) => return Some(Said::OnAir(playlist)),
            Some(Television::Ahead(closed)) => return Some(Said::Closed(closed)),
            None => {}
        }
        let current = plans.current();
        let gated = current.gate().look(path, plans.clock().opens_by());
        if asked.headers.contains_key(header::AUTHORIZATION)
            && current.gate().is_planned(path)
            && plans.tokens().accept(&asked.headers)
        {
            asked.headers.remove(header::AUTHORIZATION);
            asked.planned = true;
            return None;
        }
        match gated {
            // A browser's question whether it may ask, and not for anything.
            Gated::Shut(_) if asked.method == Method::OPTIONS => None,
            Gated::Shut(shut) => Some(Said::Closed(Closed::new(&shut, &asked.headers, plans.now()))),
            Gated::Open | Gated::Unplanned => None,
        }
    }

    /// Where the cache has no fresh answer.
    ///
    /// The pointer of a lesson is fresh for seconds, was fetched in the night, and is wanted by thousands in one second: what
    /// the plan names is answered with as it is, as long as it might stand in for a failing origin, and asked about behind.
    /// Nobody waits for an origin that is slow or gone, and a correction is everywhere a question later.
    pub(crate) fn look_after(&self, asked: &mut Asked, found: Found, limit: Duration, now: Instant) -> Found {
        let Some(plans) = &self.plans else { return found };
        if matches!(found, Found::Fresh(_)) || !plans.current().gate().is_planned(asked.target.path()) {
            return found;
        }
        asked.planned |= self.hosts.contains(&asked.host);
        match found {
            Found::Stale(object, Forwarded::Stale)
                if object.status == StatusCode::OK
                    && object.freshness.may_serve_on_error(object.resident(now), limit) =>
            {
                Found::StaleWhileRevalidate(object)
            }
            found => found,
        }
    }

    /// What is shown upstream with what the plan names; `None` where this node has no word.
    pub(super) fn word(&self) -> Option<HeaderValue> {
        self.plans.as_ref()?.tokens().shown().cloned()
    }
}
