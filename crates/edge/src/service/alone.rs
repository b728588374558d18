//! Questions for one client alone: what the cache neither answers nor keeps.

use crate::edge::Edge;
use crate::fill::{self, Arrived};
use crate::key::CacheKey;
use crate::outcome::{Forwarded, Outcome};
use crate::policy;
use crate::request::Asked;
use crate::response::{self, Answer, CacheStatus};
use crate::store::Object;
use crate::upstream::{RequestBody, UpstreamError, UpstreamResponse};
use http::StatusCode;
use std::rc::Rc;
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

/// Answers with what the upstream says of something that is missing, for which this client has waited. Where it was `silent` meanwhile it
/// would be so to each who has waited, and is not asked again; what it has hung up on may have been another's odd question.
pub(super) async fn pass_unless_silent(
    edge: &Edge,
    asked: &Asked,
    forwarded: Forwarded,
    silent: Option<UpstreamError>,
) -> Answer {
    match silent {
        Some(error) if error != UpstreamError::Protocol => response::failed(edge, error, forwarded),
        _ => pass(edge, asked, forwarded, None).await,
    }
}

/// Asks the upstream by HEAD, and learns from the answer what it says of what is stored (RFC 9111 §4.3.5).
pub(super) async fn ask_head(
    edge: &Rc<Edge>,
    asked: &Asked,
    primary: &CacheKey,
    key: &CacheKey,
    stored: &Arc<Object>,
    forwarded: Forwarded,
) -> Answer {
    let watch = edge.flights.watch(vec![primary.clone()]);
    let (sent_at, orders) = (Instant::now(), edge.latest_order());
    match ask_alone(edge, asked).await {
        Ok(response) => {
            let arrived = Arrived::now(edge, response, sent_at);
            if fill::is_server_error(arrived.head.status)
                && fill::may_stand_in(edge, asked, stored, arrived.now)
            {
                return stands_in(edge, asked, stored, forwarded, Some(arrived.head.status));
            }
            fill::learn_from_head(edge, asked, key, stored, &arrived, orders, &watch);
            let status = CacheStatus { forwarded: Some(forwarded), ..CacheStatus::default() };
            response::passed(edge, UpstreamResponse::from_parts(arrived.head, arrived.body), status)
        }
        Err(_) if fill::may_stand_in(edge, asked, stored, Instant::now()) => {
            stands_in(edge, asked, stored, forwarded, None)
        }
        Err(error) => response::failed(edge, error, forwarded),
    }
}

/// Answers from something stale, since the upstream has failed or has `answered` that it has (RFC 5861 §4).
pub(super) fn stands_in(
    edge: &Rc<Edge>,
    asked: &Asked,
    stale: &Object,
    forwarded: Forwarded,
    answered: Option<StatusCode>,
) -> Answer {
    let status = CacheStatus {
        forwarded: Some(forwarded),
        forward_status: answered,
        detail: Some("stale-on-error"),
        ..CacheStatus::default()
    };
    response::stored(edge, asked, stale, Outcome::StaleOnError, status, Instant::now())
}

pub(super) async fn ask_alone(edge: &Edge, asked: &Asked) -> Result<UpstreamResponse, UpstreamError> {
    let headers = policy::bodiless_headers(asked, &edge.identity);
    let question = asked.question(&headers);
    let answer = edge.upstream.exchange(question, RequestBody::Empty).await;
    edge.upstream_seen(answer.as_ref().map(|_| ()).map_err(|&error| error));
    if let Ok(answer) = &answer
        && answer.status() != StatusCode::OK
    {
        // It is what was asked for, and no more.
        answer.body().widen();
    }
    answer
}
