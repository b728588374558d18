//! A client's answer from a stored response: conditions and ranges evaluated here, at the edge.

use super::cache_status::{CACHE_STATUS, drop_unreadable};
use super::{Answer, CacheStatus, EdgeBody};
use crate::delivery::trace;
use crate::edge::Edge;
use crate::fill::{BlockStream, PassingStream};
use crate::outcome::Outcome;
use crate::request::{Asked, Noted};
use crate::store::{Body, Object, Sparse};
use crate::upstream::{UpstreamResponse, Way};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use httpcache::conditional::{self, Verdict};
use httpcache::digest::REPR_DIGEST;
use httpcache::fields::OF_CONTENT;
use httpcache::freshness;
use httpcache::hop;
use httpcache::range::{self, Requested};
use serve::{LastingFields, ReadyFields};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Fields a 304 does without: they describe bytes that are not sent (RFC 9110 §15.4.5).
const NOT_IN_304: [HeaderName; 4] =
    [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_RANGE];

/// Answers from `object`, as old as it is at `now`.
pub(crate) fn stored(
    edge: &Rc<Edge>,
    asked: &Asked,
    object: &Object,
    outcome: Outcome,
    status: CacheStatus,
    now: Instant,
) -> Answer {
    let age = object.freshness.age(object.resident(now));
    let selected = selected(asked, object);
    let status = CacheStatus { ttl: CacheStatus::ttl(age, object.freshness.lifetime), ..status };
    let status = status.beside(selected.status(object));
    if let Some(lasting) = lasting_text(edge, asked, object, &selected) {
        let mut fields = ReadyFields::new(lasting);
        fields.say(&header::AGE, |text| text.push_str(itoa::Buffer::new().format(age.as_secs())));
        fields.say(&CACHE_STATUS, |text| status.write(edge.identity.name(), text));
        edge.metrics.answered(outcome);
        return ready(edge, asked, object, selected, outcome, fields);
    }
    let mut headers = object.answer_fields(|| lasting_fields(edge, object));
    fill_in(&mut headers, age, status, edge.identity.name());
    if asked.noted.digest
        && !headers.contains_key(REPR_DIGEST)
        && let Some(digest) = object.digest()
    {
        headers.insert(REPR_DIGEST, digest.clone());
    }
    edge.metrics.answered(outcome);

    match selected {
        Selected::NotModified => {
            for name in &NOT_IN_304 {
                headers.remove(name);
            }
            answer(StatusCode::NOT_MODIFIED, headers, EdgeBody::empty(outcome, &edge.metrics))
        }
        Selected::PreconditionFailed => {
            describe_nothing(edge, asked, &mut headers);
            answer(StatusCode::PRECONDITION_FAILED, headers, EdgeBody::empty(outcome, &edge.metrics))
        }
        Selected::Unsatisfiable(length) => {
            describe_nothing(edge, asked, &mut headers);
            headers.insert(header::CONTENT_RANGE, range::unsatisfied_range(length));
            answer(StatusCode::RANGE_NOT_SATISFIABLE, headers, EdgeBody::empty(outcome, &edge.metrics))
        }
        Selected::Part(part, says) => {
            for name in &OF_CONTENT {
                headers.remove(name);
            }
            headers.insert(header::CONTENT_RANGE, says);
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
            let body = body_of(edge, asked, object, Some(part), outcome);
            answer(StatusCode::PARTIAL_CONTENT, headers, body)
        }
        Selected::Whole => {
            // A body that came without a length has one by now.
            if !headers.contains_key(header::CONTENT_LENGTH)
                && let Some(length) = length_of(object)
            {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            }
            let body = if asked.method == Method::HEAD {
                EdgeBody::empty(outcome, &edge.metrics)
            } else {
                body_of(edge, asked, object, None, outcome)
            };
            answer(object.status, headers, body)
        }
    }
}

/// What lasts of the answer, where that may go out as it was written once: there is a body, and nothing is said of it but for the client.
fn lasting_text(
    edge: &Edge,
    asked: &Asked,
    object: &Object,
    selected: &Selected,
) -> Option<Arc<LastingFields>> {
    let has_body = match selected {
        Selected::Part(..) => true,
        Selected::Whole => object.status == StatusCode::OK && asked.method == Method::GET,
        Selected::NotModified | Selected::PreconditionFailed | Selected::Unsatisfiable(_) => false,
    };
    if !asked.takes_ready || !has_body || asked.noted.digest {
        return None;
    }
    object.lasting_fields(|| {
        let is_of_all_bytes = |name: &HeaderName| OF_CONTENT.contains(name) || *name == header::CONTENT_RANGE;
        if length_of(object).is_none() || object.headers.keys().any(is_of_all_bytes) {
            return None;
        }
        let mut fields = object.headers.clone();
        fields.remove(trace::FIELD);
        hide_surrogate_keys(edge, &mut fields);
        LastingFields::of(&fields)
    })
}

/// With a body, and `fields` that go out as they are.
fn ready(
    edge: &Rc<Edge>,
    asked: &Asked,
    object: &Object,
    selected: Selected,
    outcome: Outcome,
    mut fields: ReadyFields,
) -> Answer {
    let (part, code) = match selected {
        Selected::Part(part, says) => {
            fields.say(&header::CONTENT_RANGE, |text| text.push_str(says.to_str().unwrap_or_default()));
            (Some(part), StatusCode::PARTIAL_CONTENT)
        }
        _ => (None, StatusCode::OK),
    };
    let body = body_of(edge, asked, object, part, outcome).with_ready(fields);
    answer(code, HeaderMap::new(), body)
}

/// Takes out what is said of the stored bytes and of how long they hold: the answer is an error of this one request, which nobody on
/// its way may keep as long as those.
fn describe_nothing(edge: &Edge, asked: &Asked, headers: &mut HeaderMap) {
    let described = headers.keys().filter(|name| {
        let text = name.as_str();
        text.starts_with("content-") || text == "repr-digest"
    });
    let described: Vec<_> = described.cloned().collect();
    let targets = edge.policy(asked).rules.targets.iter();
    let held = [header::AGE, header::EXPIRES, header::LAST_MODIFIED];
    for name in described.iter().chain(targets).chain(&held) {
        headers.remove(name);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// What an answer from `object` says whenever it is given. Age and this node's Cache-Status stand before all others, for
/// [`fill_in`]; where nodes nearer the origin have said theirs, this node's is behind it. Where answers are numbered, there is a
/// place for the number: a copy of these fields has no room for one more.
fn lasting_fields(edge: &Edge, object: &Object) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(object.headers.len() + 4);
    headers.insert(header::AGE, HeaderValue::from(0));
    if !object.headers.contains_key(CACHE_STATUS) {
        headers.insert(CACHE_STATUS, HeaderValue::from_static(""));
    }
    if edge.pen.is_some() {
        trace::keep_place(&mut headers);
    }
    // The number that another node gave is of its own answer.
    let others = object.headers.iter().filter(|(name, _)| !trace::is_said_by(name));
    headers.extend(others.map(|(name, value)| (name.clone(), value.clone())));
    if let Some(length) = length_of(object) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    hide_surrogate_keys(edge, &mut headers);
    headers
}

/// Says what is different each time.
fn fill_in(headers: &mut HeaderMap, age: Duration, status: CacheStatus, name: &str) {
    let mut fields = headers.iter_mut();
    if let Some((_, value)) = fields.next() {
        *value = HeaderValue::from(age.as_secs());
    }
    match fields.next() {
        Some((field, value)) if *field == CACHE_STATUS && value.is_empty() => {
            if let Some(own) = status.value(name) {
                *value = own;
            }
        }
        _ => status.append_to(headers, name),
    }
}

fn body_of(
    edge: &Rc<Edge>,
    asked: &Asked,
    object: &Object,
    range: Option<Range<u64>>,
    outcome: Outcome,
) -> EdgeBody {
    match &object.body {
        Body::Sparse(sparse) => {
            let range = range.unwrap_or(0..sparse.length());
            EdgeBody::blocks(BlockStream::new(edge, asked, sparse, range), outcome, &edge.metrics)
        }
        Body::Passing(passing) => match passing.take() {
            Some(kept) => {
                let range = range.unwrap_or(0..kept.length());
                let stream = PassingStream::new(edge, asked, &passing.key, kept, range);
                EdgeBody::passing(stream, outcome, &edge.metrics)
            }
            None => EdgeBody::empty(outcome, &edge.metrics),
        },
        whole => match whole.reader(range) {
            Some(reader) => EdgeBody::stored(reader, outcome, &edge.metrics),
            None => EdgeBody::empty(outcome, &edge.metrics),
        },
    }
}

/// The bytes of the answer, where they are in blocks.
pub(crate) fn in_blocks(asked: &Asked, object: &Object) -> Option<(Arc<Sparse>, Range<u64>)> {
    let Body::Sparse(sparse) = &object.body else { return None };
    let wanted = match selected(asked, object) {
        Selected::Part(part, _) => part,
        Selected::Whole if asked.method == Method::GET => 0..sparse.length(),
        Selected::Whole
        | Selected::NotModified
        | Selected::PreconditionFailed
        | Selected::Unsatisfiable(_) => return None,
    };
    Some((Arc::clone(sparse), wanted))
}

/// What of the stored response the client wants.
enum Selected {
    Whole,
    /// These bytes, which say this of themselves.
    Part(Range<u64>, HeaderValue),
    NotModified,
    PreconditionFailed,
    Unsatisfiable(u64),
}

impl Selected {
    /// Of an answer with it.
    fn status(&self, object: &Object) -> StatusCode {
        match self {
            Self::Whole => object.status,
            Self::Part(..) => StatusCode::PARTIAL_CONTENT,
            Self::NotModified => StatusCode::NOT_MODIFIED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::Unsatisfiable(_) => StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }
}

/// In the order of RFC 9110 §13.2.2: conditions, then If-Range, then Range. Only a 200 has them (§13.2.1, §14.2).
fn selected(asked: &Asked, object: &Object) -> Selected {
    let Noted { part, conditions, .. } = asked.noted;
    if !part && !conditions {
        return Selected::Whole;
    }
    if object.part.is_some() {
        let part = asked.single_range().and_then(|spec| object.part_for(spec));
        return part.map_or(Selected::Whole, |(part, says)| Selected::Part(part, says));
    }
    if object.status != StatusCode::OK || !asked.is_cacheable() {
        return Selected::Whole;
    }
    // Without Last-Modified, a client's copy is as old as ours when it was made no earlier (RFC 9111 §4.3.2).
    let made_at = || freshness::date_of(&object.headers);
    // Of If-Unmodified-Since the RFC says no such thing.
    let is_asked = || {
        asked.headers.contains_key(header::IF_MODIFIED_SINCE)
            && !asked.headers.contains_key(header::IF_UNMODIFIED_SINCE)
    };
    let modified = || object.last_modified.or_else(|| is_asked().then(made_at).flatten());
    let evaluate = || conditional::evaluate(&asked.method, &asked.headers, object.etag.as_ref(), modified());
    match if conditions { evaluate() } else { Verdict::Proceed } {
        Verdict::NotModified => return Selected::NotModified,
        Verdict::PreconditionFailed => return Selected::PreconditionFailed,
        Verdict::Proceed => {}
    }
    let (Some(wanted), Some(length)) = (asked.headers.get(header::RANGE), object.body.length()) else {
        return Selected::Whole;
    };
    // A weak one is as good as made in the second of its change.
    let made_at = || made_at().filter(|_| object.strong_date).unwrap_or(std::time::UNIX_EPOCH);
    let applies =
        || conditional::range_applies(&asked.headers, object.etag.as_ref(), object.last_modified, made_at);
    if asked.method != Method::GET || conditions && !applies() {
        return Selected::Whole;
    }
    match range::resolve(Some(wanted), length) {
        Requested::Whole => Selected::Whole,
        // As the origin has it, which sends no parts (RFC 9110 §14.2): to come to this one, all before it would have to be fetched
        // for who takes nothing of that (attack 53).
        Requested::Part(part) if matches!(&object.body, Body::Growing(body) if body.is_far(part.start)) => {
            Selected::Whole
        }
        Requested::Part(part) => {
            let says = range::content_range(&part, length);
            Selected::Part(part, says)
        }
        Requested::Unsatisfiable => Selected::Unsatisfiable(length),
    }
}

/// RFC 9110 §8.6: no Content-Length with 1xx and 204.
fn length_of(object: &Object) -> Option<u64> {
    let may_have = !object.status.is_informational() && object.status != StatusCode::NO_CONTENT;
    object.body.length().filter(|_| may_have)
}

/// Answers with what the upstream sent, for this client alone.
pub(crate) fn passed(edge: &Edge, response: UpstreamResponse, status: CacheStatus) -> Answer {
    let (mut head, body) = response.into_parts();
    hop::strip(&mut head.headers);
    // Of another node, which is not the one that has answered.
    head.headers.remove(trace::FIELD);
    hide_surrogate_keys(edge, &mut head.headers);
    drop_unreadable(&mut head.headers);
    let status = CacheStatus { detail: status.detail.or(Way::of(&head).detail()), ..status };
    status.append_to(&mut head.headers, edge.identity.name());
    edge.metrics.answered(Outcome::Pass);
    let body = EdgeBody::passed(body, Outcome::Pass, &edge.metrics);
    answer(head.status, head.headers, body)
}

/// An origin's labels are between it and its caches: they tell how it is built, and are long.
fn hide_surrogate_keys(edge: &Edge, headers: &mut HeaderMap) {
    if !edge.config.purge.show_surrogate_keys {
        for name in &purge::FIELDS {
            headers.remove(name);
        }
    }
}

fn answer(status: StatusCode, headers: HeaderMap, body: EdgeBody) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}
