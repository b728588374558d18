//! An upstream's answer as it came, and its head as it is kept.

use crate::edge::Edge;
use crate::key::CacheKey;
use crate::request::Asked;
use crate::response::drop_unreadable;
use crate::store::{Body, Object};
use crate::upstream::{UpstreamBody, UpstreamResponse};
use http::{HeaderMap, HeaderValue, StatusCode, header, response};
use httpcache::directives::ResponseDirectives;
use httpcache::freshness::Freshness;
use httpcache::hop;
use httpcache::policy::Policy;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// An upstream's answer and when it came.
pub(crate) struct Arrived {
    /// With end-to-end fields only.
    pub(crate) head: response::Parts,
    /// Its status as it came.
    pub(crate) said: StatusCode,
    pub(crate) body: UpstreamBody,
    /// By the wall clock, to compare with Date.
    pub(crate) at: SystemTime,
    /// Between question and answer.
    pub(crate) delay: Duration,
    /// By the monotonic clock.
    pub(crate) now: Instant,
}

impl Arrived {
    /// Of a response that has come now to a question of `sent_at`.
    pub(crate) fn now(edge: &Edge, response: UpstreamResponse, sent_at: Instant) -> Self {
        let (mut head, body) = response.into_parts();
        let (at, now) = (edge.clock.now(), Instant::now());
        hop::strip(&mut head.headers);
        drop_unreadable(&mut head.headers);
        // Whoever has a clock dates what is undated (RFC 9110 §6.6.1): what is kept must not look made at each hit.
        if !head.headers.contains_key(header::DATE)
            && let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(at))
        {
            head.headers.insert(header::DATE, date);
        }
        let said = head.status;
        Self { head, said, body, at, delay: now.duration_since(sent_at), now }
    }

    /// As stated.
    pub(crate) fn length(&self) -> Option<u64> {
        stated_length(&self.head.headers)
    }

    pub(super) fn directives(&self, rules: &Policy) -> ResponseDirectives {
        ResponseDirectives::targeted(&self.head.headers, &rules.targets)
    }
}

/// The length that an answer states.
pub(super) fn stated_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A response that is to be kept, without its body.
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    freshness: Freshness,
    now: Instant,
}

impl Head {
    pub(super) fn with(&self, body: Body) -> Object {
        Object::new(self.status, self.headers.clone(), self.freshness, self.now, body)
    }
}

/// An answer as its head, with what is to be kept of it, and its body.
pub(super) fn head_of(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    arrived: Arrived,
) -> (Head, UpstreamBody) {
    let rules = &edge.policy(asked).rules;
    let directives = arrived.directives(rules);
    let Arrived { head, body, at, delay, now, .. } = arrived;
    let (status, mut headers) = (head.status, head.headers);
    hop::strip_unstored(&mut headers);
    let freshness = Freshness::of(status, &headers, &directives, at, delay, rules);
    let freshness = edge.recent.judge(
        edge.upstream.groups(),
        primary,
        &headers,
        headers.get(header::AGE),
        freshness,
        now,
    );
    (Head { status, headers, freshness, now }, body)
}
