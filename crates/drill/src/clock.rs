//! The one place that asks what day it is. Everything else goes by `tokio::time::Instant`.

use jiff::Timestamp;

/// When a report was made.
#[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
pub(crate) fn today() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}
