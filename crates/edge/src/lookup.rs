//! What the cache knows about a request at this moment.

use crate::key::CacheKey;
use crate::outcome::Forwarded;
use crate::store::{Entry, Memory, Object};
use http::HeaderMap;
use httpcache::freshness::State;
use std::sync::Arc;
use tokio::time::Instant;

/// The answer of [`look_up`], with the key it was found under (or would be stored under).
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) key: CacheKey,
    pub(crate) found: Found,
}

/// What stands under a key.
#[derive(Debug)]
pub(crate) enum Found {
    /// May be served as it is (RFC 9111 §4.2).
    Fresh(Arc<Object>),
    /// May be served while a refresh runs (RFC 5861 §3).
    StaleWhileRevalidate(Arc<Object>),
    /// Must be asked about first; may help when the upstream fails.
    Stale(Arc<Object>),
    /// The last answer was not to be shared; nobody waits for anybody.
    Pass,
    /// Nothing usable.
    Miss(Forwarded),
}

/// Looks in the RAM tier. Two steps at most: the URL, and where the response varies, the variant.
pub(crate) fn look_up(memory: &Memory, primary: CacheKey, headers: &HeaderMap, now: Instant) -> Lookup {
    match memory.get(&primary) {
        None => Lookup { key: primary, found: Found::Miss(Forwarded::UriMiss) },
        Some(Entry::Object(object)) => Lookup { key: primary, found: judge(object, now) },
        Some(Entry::Pass(until)) if now < until => Lookup { key: primary, found: Found::Pass },
        Some(Entry::Pass(_)) => Lookup { key: primary, found: Found::Miss(Forwarded::UriMiss) },
        Some(Entry::Varies(names)) => {
            let key = primary.variant(&names.secondary_key(headers));
            match memory.get(&key) {
                Some(Entry::Object(object)) => Lookup { key, found: judge(object, now) },
                Some(Entry::Pass(until)) if now < until => Lookup { key, found: Found::Pass },
                _ => Lookup { key, found: Found::Miss(Forwarded::VaryMiss) },
            }
        }
    }
}

fn judge(object: Arc<Object>, now: Instant) -> Found {
    match object.state(now) {
        State::Fresh => Found::Fresh(object),
        State::StaleWhileRevalidate => Found::StaleWhileRevalidate(object),
        State::Stale => Found::Stale(object),
    }
}
