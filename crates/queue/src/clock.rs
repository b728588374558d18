//! Time as the queue keeps it. The one place that looks at a clock.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment: milliseconds since 1970, UTC. The calendar's time, because leases and airing times outlive a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// So much later. Stops at the end of time.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Time from `earlier` to this; zero when it was not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Who knows what time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Moment;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Clock for System {
    fn now(&self) -> Moment {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// The end of a wait, by a clock that nobody sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    began: Instant,
    wait: Duration,
}

impl Deadline {
    /// `wait` from now.
    pub(crate) fn after(wait: Duration) -> Self {
        #[expect(clippy::disallowed_methods, reason = "how long a caller waits is real time")]
        Self { began: Instant::now(), wait }
    }

    /// What is left; zero when it is over.
    pub(crate) fn left(&self) -> Duration {
        self.wait.saturating_sub(self.began.elapsed())
    }
}
