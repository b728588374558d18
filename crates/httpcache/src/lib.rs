//! HTTP caching as pure functions: RFC 9110 (semantics), 9111 (caching), 5861 (stale), 8246 (immutable), 9213 (targeted
//! fields).
//!
//! No sockets, no clock, no storage: the caller passes headers and `now`. A shared cache is `storable` (may this be
//! kept?), `freshness` (how long?), `vary` (for whom?), `validation` (still the same?), with what the RFC leaves to the
//! operator in `policy`; `conditional` and `range`
//! (with `etag`, `accept_encoding`) answer a client from what is kept, and serve an origin as well as a cache.

pub mod accept_encoding;
mod accept_language;
pub mod blocks;
pub mod conditional;
pub mod content_range;
pub mod date;
pub mod digest;
pub mod directives;
pub mod etag;
pub mod fields;
pub mod freshness;
pub mod hop;
pub mod policy;
pub mod range;
pub mod storable;
mod targeted;
pub mod validation;
pub mod vary;
