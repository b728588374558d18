//! What an answer to HEAD says of what is stored (RFC 9111 §4.3.5).

use super::arrived::Arrived;
use super::flight::{Unshared, Watch};
use super::renew::freshened;
use super::storable;
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::request::Asked;
use crate::store::Object;
use http::StatusCode;
use httpcache::{validation, vary};
use std::sync::Arc;

/// Brings `stored` up to date where the answer speaks of it, and takes it out where it speaks of something else. An
/// answer to HEAD itself is never kept (attack 52). `orders`: the latest order to purge when it was asked for; `watch`: over the URL, from
/// that moment on.
pub(crate) fn learn_from_head(
    edge: &Edge,
    asked: &Asked,
    key: &CacheKey,
    stored: &Arc<Object>,
    arrived: &Arrived,
    orders: u64,
    watch: &Watch,
) {
    if arrived.head.status != StatusCode::OK || stored.status != StatusCode::OK {
        return;
    }
    let headers = &arrived.head.headers;
    let fresh = validation::head_selects(&stored.headers, headers, stored.body.length())
        .then(|| Arc::new(freshened(edge, asked, key, stored, headers, arrived)))
        // One that differs by other things than it did is not what stands under this key.
        .filter(|fresh| vary::names(&stored.headers) == vary::names(&fresh.headers));
    let judged = match &fresh {
        Some(fresh) => storable::still_storable(edge, asked, fresh),
        None => storable::storable(edge, asked, arrived, false),
    };
    match (fresh, judged) {
        // What it says to this client, it does not say of what others get; nor is another response theirs.
        (_, Err(reason)) if Unshared::by_rule(reason, asked).is_of_request() => {}
        (Some(fresh), Ok(())) => {
            // What was changed or purged meanwhile is not what it says it is still.
            watch.store(|| {
                edge.freshen_on_disk(key, &fresh, orders);
                edge.memory.replace(key, stored, fresh);
            });
        }
        _ => edge.flights.store(|| {
            // What has been stored since is not what the answer speaks of.
            if edge.memory.drop_object(key, stored) {
                edge.remove_from_disk(key);
            }
        }),
    }
}
