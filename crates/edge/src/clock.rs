//! The wall clock, which only this file reads. Ages are measured with tokio's monotonic clock.

use std::time::SystemTime;

/// Tells the time of day, to compare with Date fields.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock;

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    #[expect(clippy::unused_self, reason = "a clock is asked, so that it can be another one")]
    pub(crate) fn now(self) -> SystemTime {
        SystemTime::now()
    }
}
