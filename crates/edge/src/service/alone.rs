//! Questions for one client alone: what the cache neither answers nor keeps.

use crate::edge::Edge;
use crate::fill::{self, Arrived};
use crate::key::CacheKey;
use crate::outcome::Forwarded;
use crate::policy;
use crate::request::Asked;
use crate::response::{self, Answer, CacheStatus};
use crate::store::Object;
use crate::upstream::{RequestBody, UpstreamError, UpstreamResponse};
use std::sync::Arc;
use tokio::time::Instant;

/// Asks the upstream for this client alone, with its own conditions and ranges.
pub(super) async fn pass(
    edge: &Edge,
    asked: &Asked,
    forwarded: Forwarded,
    detail: Option<&'static str>,
) -> Answer {
    match ask_alone(edge, asked).await {
        Ok(response) => {
            let status = CacheStatus { forwarded: Some(forwarded), detail, ..CacheStatus::default() };
            response::passed(edge, response, status)
        }
        Err(error) => response::failed(edge, error, forwarded),
    }
}

/// Asks the upstream by HEAD, and learns from the answer what it says of what is stored (RFC 9111 §4.3.5).
pub(super) async fn ask_head(
    edge: &Edge,
    asked: &Asked,
    key: &CacheKey,
    stored: &Arc<Object>,
    forwarded: Forwarded,
) -> Answer {
    let (sent_at, orders) = (Instant::now(), edge.latest_order());
    match ask_alone(edge, asked).await {
        Ok(response) => {
            let arrived = Arrived::now(edge, response, sent_at);
            fill::learn_from_head(edge, key, stored, &arrived, orders);
            let status = CacheStatus { forwarded: Some(forwarded), ..CacheStatus::default() };
            response::passed(edge, UpstreamResponse::from_parts(arrived.head, arrived.body), status)
        }
        Err(error) => response::failed(edge, error, forwarded),
    }
}

pub(super) async fn ask_alone(edge: &Edge, asked: &Asked) -> Result<UpstreamResponse, UpstreamError> {
    let headers = policy::bodiless_headers(asked, &edge.identity);
    let question = asked.question(&headers);
    let answer = edge.upstream.exchange(question, RequestBody::Empty).await;
    edge.upstream_seen(answer.as_ref().map(|_| ()).map_err(|&error| error));
    answer
}
