//! The one place of this crate that asks what time it is: for how long a disk is left alone, and whether a pin has ended.

use std::time::{Instant, SystemTime};

/// Now, by the monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock; threads that wait for disks have no paused one"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Now, by the wall clock. Where it jumps, pins end early or late.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}
