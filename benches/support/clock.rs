//! The one place that reads the clock and waits for time to pass.

use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the real clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970, for the name of a result.
#[expect(clippy::disallowed_methods, reason = "a result is named after the time it was made")]
pub(crate) fn unix_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Lets time pass: the peers are left alone to settle, which no event tells us of.
#[expect(clippy::disallowed_methods, reason = "processes of others settle without telling")]
pub(crate) fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Asks `done` every few milliseconds until it says so. Whether it did within `limit`.
pub(crate) fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    const BETWEEN: Duration = Duration::from_millis(5);
    let until = now() + limit;
    loop {
        if done() {
            return true;
        }
        if now() >= until {
            return false;
        }
        pause(BETWEEN);
    }
}
