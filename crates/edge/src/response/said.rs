//! Answers because of the day plan.

use super::{Answer, CacheStatus, EdgeBody};
use crate::admission::Waiting;
use crate::edge::Edge;
use crate::outcome::Outcome;
use crate::policy::Said;
use bytes::Bytes;
use dayplan::Closed;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

/// Answers as the plan has it. HEAD gets the same header section and no body.
pub(crate) fn said(edge: &Edge, said: Said, method: &Method) -> Answer {
    let (status, mut headers, body, outcome) = match said {
        Said::OnAir(playlist) => {
            let (head, body) = playlist.into_parts();
            (head.status, head.headers, body, Outcome::OnAir)
        }
        Said::Closed(Closed { headers, text }) => (Closed::STATUS, headers, text.into(), Outcome::NotYet),
        Said::Waiting(Waiting { headers, text }) => (Waiting::STATUS, headers, text.into(), Outcome::Waiting),
        Said::Counted(status) => (status, uncached(), Bytes::new(), Outcome::Counted),
        Said::Plan(at_door) => {
            let headers = edge.release.plans().map(|plans| at_door.headers(plans)).unwrap_or_default();
            (at_door.status(), headers, at_door.body(), Outcome::Plan)
        }
    };
    edge.metrics.answered(outcome);
    if status != StatusCode::NOT_MODIFIED && !headers.contains_key(header::CONTENT_LENGTH) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    CacheStatus { detail: Some(telemetry::Label::as_str(outcome)), ..CacheStatus::default() }
        .append_to(&mut headers, edge.identity.name());
    let body = if method == Method::HEAD || body.is_empty() {
        EdgeBody::empty(outcome, &edge.metrics)
    } else {
        EdgeBody::text(body, outcome, &edge.metrics)
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// For an answer to a question that nobody asks twice. Pages of other sites may not read it and need not.
fn uncached() -> HeaderMap {
    HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))])
}
