//! The one place of this crate that asks what time it is: for how long a disk is left alone.

use std::time::Instant;

/// Now, by the monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock; threads that wait for disks have no paused one"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
