//! What the cache knows about a request at this moment.

use crate::key::CacheKey;
use crate::outcome::Forwarded;
use crate::policy::ClientReload;
use crate::request::Asked;
use crate::store::{Entry, Memory, Object, Variants};
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
    /// Must be asked about first, for this reason; may help when the upstream fails.
    Stale(Arc<Object>, Forwarded),
    /// The last answer was not to be shared; nobody waits for anybody.
    Pass,
    /// Nothing usable.
    Miss(Forwarded),
}

/// Looks in the RAM tier. Two steps at most: the URL, and where the response varies, the variant. A third where it varies
/// by language and the client has one that it prefers. `told`: how variants are told apart, where that has just been said.
pub(crate) fn look_up(
    memory: &Memory,
    primary: CacheKey,
    asked: &Asked,
    reload: ClientReload,
    told: Option<&Arc<Variants>>,
    now: Instant,
) -> Lookup {
    let judged = |object| judge(object, asked, reload, now);
    match memory.get(&primary).or_else(|| told.map(|variants| Entry::Varies(Arc::clone(variants)))) {
        None => Lookup { key: primary, found: Found::Miss(Forwarded::UriMiss) },
        Some(Entry::Object(object)) => Lookup { key: primary, found: judged(object) },
        Some(Entry::Pass(until, whose)) if now < until && whose.is_of(&asked.headers) => {
            Lookup { key: primary, found: Found::Pass }
        }
        // Blocks stand under keys of their own.
        Some(Entry::Pass(..) | Entry::Block(_)) => {
            Lookup { key: primary, found: Found::Miss(Forwarded::UriMiss) }
        }
        Some(Entry::Varies(variants)) => {
            let key = variants.key(&primary, &asked.headers);
            let found = match memory.get(&key) {
                Some(Entry::Object(object)) => judged(object),
                Some(Entry::Pass(until, whose)) if now < until && whose.is_of(&asked.headers) => Found::Pass,
                _ => {
                    let own = variants.own_language_key(&primary, &asked.headers);
                    match own.and_then(|own| Some((memory.get(&own)?, own))) {
                        // By its own key: what is asked about it is said of what stands there.
                        Some((Entry::Object(object), own)) if object.state(now) == State::Fresh => {
                            return Lookup { key: own, found: judged(object) };
                        }
                        _ => Found::Miss(Forwarded::VaryMiss),
                    }
                }
            };
            Lookup { key, found }
        }
    }
}

/// What may be served as it is, without a word about what else there is: most of what is looked up is found so. What is not, is looked up
/// by [`look_up`].
pub(crate) fn find_fresh(
    memory: &Memory,
    primary: &CacheKey,
    asked: &Asked,
    reload: ClientReload,
    now: Instant,
) -> Option<Arc<Object>> {
    let entry = match memory.get(primary)? {
        Entry::Varies(variants) => memory.get(&variants.key(primary, &asked.headers))?,
        entry => entry,
    };
    match entry {
        Entry::Object(object) => match judge(object, asked, reload, now) {
            Found::Fresh(object) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

/// Whether this 206 holds what the client wants: one range inside of it, unconditionally.
pub(crate) fn answers(part: &Object, asked: &Asked) -> bool {
    asked.single_range().is_some_and(|spec| part.part_for(spec).is_some())
}

/// What a stored response is to this request.
pub(crate) fn judge(object: Arc<Object>, asked: &Asked, reload: ClientReload, now: Instant) -> Found {
    let resident = object.resident(now);
    let state = object.freshness.state(resident);
    // A part by itself answers who wants a part of it, and is of no use beyond its time.
    if object.part.is_some() && !(state == State::Fresh && answers(&object, asked)) {
        return Found::Miss(Forwarded::Partial);
    }
    let honours = reload == ClientReload::Honour;
    match state {
        State::Stale if honours && object.freshness.is_stale_enough_for(&asked.directives, resident) => {
            Found::Fresh(object)
        }
        State::Stale => Found::Stale(object, Forwarded::Stale),
        _ if honours && !object.freshness.suits(&asked.directives, resident) => {
            Found::Stale(object, Forwarded::Request)
        }
        State::Fresh => Found::Fresh(object),
        State::StaleWhileRevalidate => Found::StaleWhileRevalidate(object),
    }
}
