//! What RFC 9111 leaves to whoever runs the cache.

use http::HeaderName;
use std::time::Duration;

/// The choices of a shared cache's operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Longest freshness guessed from Last-Modified where a response names none (§4.2.2); zero never guesses.
    pub heuristic_ttl: Duration,
    /// Freshness of an error that may be kept and says nothing itself (404, 405, 410, 414, 501). It keeps a storm of
    /// requests for what is not there from the origin; zero keeps none.
    pub negative_ttl: Duration,
    /// Longest freshness of any error (4xx, 5xx), with the time for which it may be used while a new answer is fetched, whatever it
    /// says: a mistake must not outlive its repair.
    pub error_ttl: Duration,
    /// What an Age field that cannot be read means.
    pub unreadable_age: UnreadableAge,
    /// Whether responses that set cookies are kept.
    pub set_cookie: SetCookie,
    /// Targeted fields that speak to this cache, the most specific first (RFC 9213 §2.2).
    pub targets: Vec<HeaderName>,
}

/// `CDN-Cache-Control` (RFC 9213 §3.1).
pub const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

impl Default for Policy {
    fn default() -> Self {
        Self {
            heuristic_ttl: Duration::from_secs(24 * 3_600),
            negative_ttl: Duration::from_secs(1),
            error_ttl: Duration::from_secs(60),
            unreadable_age: UnreadableAge::Ignore,
            set_cookie: SetCookie::Refuse,
            targets: vec![CDN_CACHE_CONTROL],
        }
    }
}

/// How an Age field is taken that is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadableAge {
    /// As absent; of several members the first counts (§5.1).
    Ignore,
    /// As "too old", also when it came in several lines: who adds up ages wrongly may hide a day.
    Stale,
}

/// Whether a response with Set-Cookie is kept for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetCookie {
    /// Never, whatever it says: most servers set a session's cookie without thinking of caches.
    Refuse,
    /// As any other response: §7.3 leaves it to the server to say otherwise.
    Store,
}
