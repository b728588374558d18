//! The feed's clock: the only place that asks the system what time it is.

use std::time::{Duration, SystemTime};

/// The wall clock, moved by a constant where a drill or a test lives at another time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    /// Added to the system's time.
    pub(crate) offset_s: i64,
}

impl Clock {
    /// Time since 1970.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
    pub(crate) fn now(self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let offset = Duration::from_secs(self.offset_s.unsigned_abs());
        if self.offset_s < 0 { now.saturating_sub(offset) } else { now + offset }
    }
}
