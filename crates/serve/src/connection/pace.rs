//! How quickly a client takes what waits for it. Takes `now`; reads no clock.

use crate::options::Limits;
use crate::pressure::Level;
use std::cell::Cell;
use std::time::Duration;
use tokio::time::Instant;

/// How far apart looks at a client that keeps us waiting are, and so how long its rate is measured.
pub(super) const SLOW_LOOK: Duration = Duration::from_secs(10);

/// Bytes that a client has to take to be seen going: single ones, given room for now and then, would keep an answer for ever. Over
/// 20 kbit/s these take seven seconds.
pub(super) const ENOUGH: usize = 16 * 1_024;

/// What a client has taken, and by when.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Bytes so far.
    taken: Cell<u64>,
    /// Where `taken` stood at an earlier look since which the client has kept us waiting.
    looked: Cell<Option<(Instant, u64)>>,
}

impl Pace {
    /// The client took so many bytes.
    pub(super) fn took(&self, bytes: usize) {
        self.taken.set(self.taken.get().wrapping_add(bytes as u64));
    }

    /// The client keeps nobody waiting: what it takes now says nothing about it.
    pub(super) fn rest(&self) {
        self.looked.set(None);
    }

    /// Whether the client, each time that we look waiting for it, has taken less than anything that plays needs. Only
    /// under pressure: a place that nobody else wants may be held by the slowest. `reached`: bytes that have come to it so far,
    /// where somebody knows. What a kernel or a session has taken off our hands comes by 64 KiB at least: a line of 48 kbit/s takes
    /// longer for them than lies between two looks.
    pub(super) fn is_slow(&self, now: Instant, limits: &Limits, level: Level, reached: Option<u64>) -> bool {
        let taken = reached.unwrap_or(self.taken.get());
        match self.looked.get() {
            Some((then, taken_then)) if now.duration_since(then) >= SLOW_LOOK => {
                self.looked.set(Some((now, taken)));
                let bits = taken.wrapping_sub(taken_then).saturating_mul(8);
                level >= Level::High
                    && (bits as f64) < limits.min_rate.0 as f64 * now.duration_since(then).as_secs_f64()
            }
            Some(_) => false,
            None => {
                self.looked.set(Some((now, taken)));
                false
            }
        }
    }
}
