//! One stored response.

use super::body::Body;
use http::{HeaderMap, StatusCode, header};
use httpcache::etag::Etag;
use httpcache::freshness::{self, Freshness, State};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// A response as the edge keeps it. Never changed: a validation makes a new one that shares the body.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) status: StatusCode,
    /// End-to-end fields as the upstream sent them, without Age.
    pub(crate) headers: HeaderMap,
    pub(crate) freshness: Freshness,
    /// When its freshness began to count in this cache.
    pub(crate) stored_at: Instant,
    /// Read once; hits compare.
    pub(crate) etag: Option<Etag>,
    /// Read once; hits compare.
    pub(crate) last_modified: Option<SystemTime>,
    pub(crate) body: Body,
}

/// What an object costs beside its body and its fields: the structs, the key, moka's own bookkeeping.
const OVERHEAD: usize = 768;
/// What a field costs beside its text.
const FIELD_OVERHEAD: usize = 64;

impl Object {
    /// `headers` are end-to-end fields only.
    pub(crate) fn new(
        status: StatusCode,
        mut headers: HeaderMap,
        freshness: Freshness,
        stored_at: Instant,
        body: Body,
    ) -> Self {
        headers.remove(header::AGE);
        let etag = headers.get(header::ETAG).and_then(Etag::parse);
        let last_modified = freshness::last_modified_of(&headers);
        Self { status, headers, freshness, stored_at, etag, last_modified, body }
    }

    /// How long it has been here.
    pub(crate) fn resident(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.stored_at)
    }

    /// What may be done with it now.
    pub(crate) fn state(&self, now: Instant) -> State {
        self.freshness.state(self.resident(now))
    }

    /// Bytes of memory it is counted as.
    pub(crate) fn weight(&self) -> u32 {
        let fields: usize =
            self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD_OVERHEAD).sum();
        let body = self.body.length().unwrap_or_default();
        u32::try_from(body.saturating_add((fields + OVERHEAD) as u64)).unwrap_or(u32::MAX)
    }
}
