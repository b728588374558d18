//! Cache-Status (RFC 9211): what this node did, for whoever debugs the next node.
//!
//! `detail` is one word: of a refusal or an error its name (`upstream-error` kinds, `shed` kinds), of what was not kept the
//! rule that forbade it, of what was `disk`, `stale-on-error` or `abandoned` that, and otherwise by which way an answer came:
//! `retried` (another server had failed), `hedged` (another was slow), `peer` (a neighbour had it). Once stored, a response
//! is a hit like any other.

use crate::outcome::Forwarded;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use httpcache::fields;
use std::time::Duration;

pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Takes out what nodes nearer the origin have said where that is no List, as some caches write it: behind it nobody could read what
/// this node says either.
pub(crate) fn drop_unreadable(headers: &mut HeaderMap) {
    if headers.contains_key(CACHE_STATUS) && !fields::is_list(headers, &CACHE_STATUS) {
        headers.remove(CACHE_STATUS);
    }
}

/// One member of the list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CacheStatus {
    /// Answered without asking further.
    pub(crate) hit: bool,
    /// Why it was asked further.
    pub(crate) forwarded: Option<Forwarded>,
    /// What the upstream answered. Said where the client gets something else (RFC 9211 §2.3), and of a 304 in any case, by which one
    /// sees that the cache had asked about what it holds.
    pub(crate) forward_status: Option<StatusCode>,
    /// Whether the answer was kept.
    pub(crate) stored: bool,
    /// Whether it came through another request's fill.
    pub(crate) collapsed: bool,
    /// Freshness left in seconds; negative once stale (RFC 9211 §2.4).
    pub(crate) ttl: Option<i64>,
    /// Something for a person: an error's or a rule's name. A token.
    pub(crate) detail: Option<&'static str>,
}

impl CacheStatus {
    /// Freshness left of a response `age` old that lives for `lifetime`.
    pub(crate) fn ttl(age: Duration, lifetime: Duration) -> Option<i64> {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        Some(seconds(lifetime).saturating_sub(seconds(age)))
    }

    /// The same beside an answer of this status.
    pub(super) fn beside(self, status: StatusCode) -> Self {
        let is_said = |said: &StatusCode| *said != status || *said == StatusCode::NOT_MODIFIED;
        Self { forward_status: self.forward_status.filter(is_said), ..self }
    }

    /// Adds this node's member behind what nodes nearer the origin have said.
    pub(crate) fn append_to(&self, headers: &mut HeaderMap, name: &str) {
        if let Some(value) = self.value(name) {
            headers.append(CACHE_STATUS, value);
        }
    }

    /// This node's member. Always there: a name is a token, the configuration has seen to that.
    pub(super) fn value(&self, name: &str) -> Option<HeaderValue> {
        let mut member = String::with_capacity(64);
        self.write(name, &mut member);
        HeaderValue::from_str(&member).ok()
    }

    pub(super) fn write(&self, name: &str, member: &mut String) {
        member.push_str(name);
        if self.hit {
            member.push_str("; hit");
        }
        if let Some(forwarded) = self.forwarded {
            member.push_str("; fwd=");
            member.push_str(forwarded.as_str());
        }
        if let Some(status) = self.forward_status {
            member.push_str("; fwd-status=");
            member.push_str(status.as_str());
        }
        if self.stored {
            member.push_str("; stored");
        }
        if self.collapsed {
            member.push_str("; collapsed");
        }
        if let Some(ttl) = self.ttl {
            member.push_str("; ttl=");
            // Every hit writes one; `format!` takes five times as long.
            member.push_str(itoa::Buffer::new().format(ttl));
        }
        if let Some(detail) = self.detail {
            member.push_str("; detail=");
            member.push_str(detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_written_as_rfc_9211_does() {
        let mut headers = HeaderMap::new();
        CacheStatus { hit: true, ttl: Some(376), ..CacheStatus::default() }
            .append_to(&mut headers, "ExampleCache");
        CacheStatus {
            forwarded: Some(Forwarded::Stale),
            forward_status: Some(StatusCode::NOT_MODIFIED),
            collapsed: true,
            ttl: Some(-412),
            ..CacheStatus::default()
        }
        .append_to(&mut headers, "e2");
        let all: Vec<_> = headers.get_all(CACHE_STATUS).iter().collect();
        assert_eq!(all, ["ExampleCache; hit; ttl=376", "e2; fwd=stale; fwd-status=304; collapsed; ttl=-412"]);
    }
}
