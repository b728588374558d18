//! What a 304 makes of what is stored (RFC 9111 §4.3.4, §3.2).
//!
//! What it adds is judged as if the response had come with it: one that is one person's now is nobody else's.

use super::arrived::Arrived;
use super::flight::{Guard, Landed, Unshared};
use super::leader::{Own, remember_pass};
use super::{place, storable};
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::outcome::FillOutcome;
use crate::request::Asked;
use crate::store::{Body, Entry, Object, Sparse};
use crate::upstream::Way;
use http::{HeaderMap, header};
use httpcache::directives::ResponseDirectives;
use httpcache::freshness::Freshness;
use httpcache::policy::SetCookie;
use httpcache::{hop, validation, vary};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Ends a fill for `asked` that has brought a 304 about `stale`.
pub(super) fn renew(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    stale: &Object,
    arrived: &Arrived,
    mut guard: Guard,
    alone: Option<oneshot::Sender<Own>>,
) -> FillOutcome {
    let object = Arc::new(freshened(edge, asked, guard.key(), stale, &arrived.head.headers, arrived));
    if let Err(reason) = storable::still_storable(edge, asked, &object) {
        let reason = Unshared::by_rule(reason, asked);
        remember_pass(edge, &guard, arrived.now, reason);
        if let Some(alone) = alone {
            // Gone clients get nothing.
            let _ = alone.send(Own::Held(object));
        }
        guard.land(Landed::NotShared(reason));
        return FillOutcome::NotStored;
    }
    if vary::names(&stale.headers) != vary::names(&object.headers) {
        // Under its old key it would answer requests that it is not for.
        guard.store(|| edge.remove(guard.key()));
        let variant = place::variant(edge, asked, primary, &object.headers, &mut guard);
        let key = variant.as_ref().map_or(primary, |variant| &variant.key);
        let object = moved(object, key);
        guard.store(|| place::store(edge, asked, primary, Arc::clone(&object), variant.as_deref()));
        let (way, said) = (Way::of(&arrived.head), arrived.said);
        guard.land(Landed::Fetched { object, variant, way, kept: true, said });
        return FillOutcome::NotModified;
    }
    guard.store(|| {
        // An order that came meanwhile has overtaken this fill.
        edge.freshen_on_disk(guard.key(), &object, edge.latest_order());
        edge.memory.insert(guard.key().clone(), Entry::Object(Arc::clone(&object)));
    });
    guard.land(Landed::Revalidated(object));
    FillOutcome::NotModified
}

/// The same under `key`. Blocks stand where their head was to: those of one that has moved come again.
fn moved(object: Arc<Object>, key: &CacheKey) -> Arc<Object> {
    match &object.body {
        Body::Sparse(sparse) => {
            let sparse = Sparse::new(key.clone(), sparse.length(), sparse.etag().clone());
            Arc::new(object.with_body(Body::Sparse(Arc::new(sparse))))
        }
        _ => object,
    }
}

/// The stored response with what a 304, or an answer to HEAD, says of it now.
pub(super) fn freshened(
    edge: &Edge,
    asked: &Asked,
    key: &CacheKey,
    stale: &Object,
    fresh: &HeaderMap,
    arrived: &Arrived,
) -> Object {
    let mut headers = validation::freshen(&stale.headers, fresh);
    hop::strip_unstored(&mut headers);
    let rules = &edge.policy(asked).rules;
    if rules.set_cookie == SetCookie::Refuse {
        // Whose it is, whoever is answered next is not.
        headers.remove(header::SET_COOKIE);
    }
    let directives = ResponseDirectives::targeted(&headers, &rules.targets);
    let freshness = Freshness::of(stale.status, &headers, &directives, arrived.at, arrived.delay, rules);
    let age = fresh.get(header::AGE);
    let freshness = edge.recent.judge(edge.upstream.groups(), key, &headers, age, freshness, arrived.now);
    let object = Object::new(stale.status, headers, freshness, arrived.now, stale.body.clone());
    let object = object.with_date(stale.strong_date);
    if let Some(generation) = stale.on_disk() {
        object.note_on_disk(generation);
    }
    object
}
