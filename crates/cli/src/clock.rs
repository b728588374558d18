//! The one place of these commands that asks what time it is.

use std::time::SystemTime;

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
