//! What goes back: `headers` (from a stored response), `cache_status`, `error`, `said` (because of the day plan), `body`.

mod body;
mod cache_status;
mod error;
mod headers;
mod said;

pub(crate) use body::EdgeBody;
pub(crate) use cache_status::{CacheStatus, drop_unreadable};
pub(crate) use error::{
    downloads_full, elsewhere, failed, not_cached, options, refused, shed, too_many, upload_denied,
};
pub(crate) use headers::{in_blocks, passed, stored};
pub(crate) use said::said;

/// An answer of the edge.
pub(crate) type Answer = http::Response<EdgeBody>;
