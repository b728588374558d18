//! The one place that asks what time it is: for histories. Rules are given the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
pub(crate) fn now_s() -> u64 {
    seconds(SystemTime::now())
}

/// `time` in seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
