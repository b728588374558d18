//! What an answer to HEAD says of what is stored (RFC 9111 §4.3.5).

use super::keep::Arrived;
use super::leader::freshened;
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::store::Object;
use http::StatusCode;
use httpcache::validation;
use std::sync::Arc;

/// Brings `stored` up to date where the answer speaks of it, and takes it out where it speaks of something else. An
/// answer to HEAD itself is never kept (attack 52). `orders`: the latest order to purge when it was asked for.
pub(crate) fn learn_from_head(
    edge: &Edge,
    key: &CacheKey,
    stored: &Arc<Object>,
    arrived: &Arrived,
    orders: u64,
) {
    if arrived.head.status != StatusCode::OK || stored.status != StatusCode::OK {
        return;
    }
    let headers = &arrived.head.headers;
    if validation::head_selects(&stored.headers, headers, stored.body.length()) {
        let fresh = Arc::new(freshened(edge, key, stored, headers, arrived));
        edge.freshen_on_disk(key, &fresh, orders);
        edge.memory.replace(key, stored, fresh);
    } else {
        edge.memory.drop_object(key, stored);
        edge.remove_from_disk(key);
    }
}
