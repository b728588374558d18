//! Textbooks and other files to be taken home (`/r/…`): delivered over a line of their own within the node's, which becomes narrower
//! as the node is pressed. However many ask for them, lessons that play do not notice.
//!
//! ```text
//! request ─► place (at most so many at once) ─► answer as any ─► pieces, each in its turn ─► client
//! ```
//! What is put off for want of a place is told when to come again, and goes on where it was (Range, If-Range).

mod line;
mod paced;

pub(crate) use paced::Paced;

use crate::overload::Overload;
use line::Line;
use serve::Level;
use settings::SettingsError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;
use units::BitRate;

/// Whatever is stored for taking home lies below it.
const PREFIX: &str = "/r/";
/// Downloads at once: what a line of [`RATE`] gives half a megabit each. Worst case memory: this × 64 KiB beyond what any answer takes.
const AT_ONCE: usize = 512;
/// Of all that may be sent, this part (a fifth).
const SHARE: u64 = 5;
/// Where nobody has said what may be sent.
const RATE: BitRate = BitRate(200_000_000);

/// How wide the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResourceCaps {
    /// Bits a second while the node is calm.
    rate: BitRate,
    /// Downloads at once.
    at_once: usize,
}

impl ResourceCaps {
    /// What is given, checked, or a fifth of what may be sent.
    ///
    /// # Errors
    /// When nothing could be sent.
    pub(crate) fn resolve(
        rate: Option<BitRate>,
        at_once: Option<usize>,
        cap: Option<BitRate>,
    ) -> Result<Self, SettingsError> {
        if rate == Some(BitRate(0)) {
            return Err(SettingsError::value("resource_rate", "is zero; nothing could be downloaded"));
        }
        if at_once == Some(0) {
            return Err(SettingsError::value("resources_at_once", "is zero; nothing could be downloaded"));
        }
        let rate = rate.or(cap.map(|cap| BitRate((cap.0 / SHARE).max(1)))).unwrap_or(RATE);
        Ok(Self { rate, at_once: at_once.unwrap_or(AT_ONCE) })
    }

    /// How wide the line is at a level: lessons first.
    const fn rate_at(&self, level: Level) -> u64 {
        let part = match level {
            Level::Calm => 1,
            Level::Busy => 2,
            Level::High => 8,
            Level::Critical => 32,
        };
        let rate = self.rate.0 / part;
        if rate == 0 { 1 } else { rate }
    }
}

/// The line that all downloads of this node share. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Resources(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    caps: ResourceCaps,
    line: Mutex<Line>,
    running: AtomicUsize,
}

/// A place among those that download. It is free again when this is dropped.
pub(crate) struct Place {
    shared: Arc<Shared>,
    overload: Overload,
}

/// There is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Resources {
    pub(crate) fn new(caps: ResourceCaps) -> Self {
        Self(Arc::new(Shared { caps, line: Mutex::default(), running: AtomicUsize::new(0) }))
    }

    /// Whether `path` is of such a file.
    pub(crate) fn is_one(path: &str) -> bool {
        path.starts_with(PREFIX)
    }

    /// A place for another download.
    ///
    /// # Errors
    /// When all are taken.
    pub(crate) fn admit(&self, overload: &Overload) -> Result<Place, Full> {
        let fits = |running: usize| (running < self.0.caps.at_once).then_some(running + 1);
        match self.0.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) => Ok(Place { shared: Arc::clone(&self.0), overload: overload.clone() }),
            Err(_) => Err(Full),
        }
    }
}

impl Place {
    /// When the next `bytes` may go.
    fn turn(&self, bytes: usize, now: Instant) -> Instant {
        let rate = self.shared.caps.rate_at(self.overload.level());
        self.shared.line.lock().unwrap_or_else(PoisonError::into_inner).turn(bytes as u64, rate, now)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
