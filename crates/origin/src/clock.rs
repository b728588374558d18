//! The origin's clock: the only place that asks the system what time it is.

use std::time::SystemTime;

/// Now, for `If-Range` by date.
#[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
