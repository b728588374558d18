//! Answers because of the day plan.

use super::{Answer, CacheStatus, EdgeBody};
use crate::admission::Waiting;
use crate::edge::Edge;
use crate::feedback::Received;
use crate::outcome::Outcome;
use crate::policy::Said;
use bytes::Bytes;
use dayplan::Closed;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

/// Without it browsers keep a permanent redirect for ever, also that of an operator who thinks better of it.
const MOVED_FOR: HeaderValue = HeaderValue::from_static("max-age=3600");

/// Answers as the plan has it. HEAD gets the same header section and no body.
pub(crate) fn said(edge: &Edge, said: Said, method: &Method) -> Answer {
    let (status, mut headers, body, outcome) = match said {
        Said::OnAir(playlist) => {
            let (head, body) = playlist.into_parts();
            (head.status, head.headers, body, Outcome::OnAir)
        }
        Said::Closed(Closed { mut headers, text }) => {
            let text = helped(edge, &mut headers, text);
            (Closed::STATUS, headers, text.into(), Outcome::NotYet)
        }
        Said::Waiting(Waiting { mut headers, text }) => {
            let text = helped(edge, &mut headers, text);
            (Waiting::STATUS, headers, text.into(), Outcome::Waiting)
        }
        Said::Standing(headers, body) => (StatusCode::OK, headers, body.into(), Outcome::Standing),
        Said::Reported(Received { status, headers, body }) => {
            (status, headers, body.into(), Outcome::Reported)
        }
        Said::Moved(to) => (StatusCode::PERMANENT_REDIRECT, moved(to), Bytes::new(), Outcome::Moved),
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

/// For an answer that leads to another place.
fn moved(to: HeaderValue) -> HeaderMap {
    HeaderMap::from_iter([
        (header::LOCATION, to),
        (header::CACHE_CONTROL, MOVED_FOR),
        // A page over HTTP may ask for lessons as any other site's may.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ])
}

/// For an answer to a question that nobody asks twice. Pages of other sites may not read it and need not.
fn uncached() -> HeaderMap {
    HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))])
}

/// With whom to ask for help at the end, where people read it.
fn helped(edge: &Edge, headers: &mut HeaderMap, text: String) -> String {
    let support = &edge.config.support;
    let is = |media_type: &str| {
        let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        given.is_some_and(|given| given.starts_with(media_type))
    };
    let text = match text.strip_suffix("</html>\n") {
        _ if support.is_empty() => return text,
        Some(page) if is("text/html") => format!("{page}{}</html>\n", support.html()),
        None if is("text/plain") => text + &support.text(),
        _ => return text,
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    text
}
