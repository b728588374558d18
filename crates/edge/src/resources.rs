//! Textbooks and other files to be taken home (`/r/…`): delivered over a line of their own within the node's, which becomes narrower
//! as the node is pressed. However many ask for them, lessons that play do not notice.
//!
//! ```text
//! request ─► place (at most so many at once) ─► answer as any ─► pieces, each in its turn ─► client
//! ```
//! What is put off for want of a place is told when to come again, and goes on where it was (Range, If-Range). So does who takes next to
//! nothing, when another wants its place.

mod line;
mod paced;

pub(crate) use paced::Paced;

use crate::metrics::Metrics;
use crate::overload::Overload;
use crate::patience::{Patience, PlaceFor};
use line::Line;
use serve::Level;
use settings::SettingsError;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::time::Instant;
use units::BitRate;

/// Whatever is stored for taking home lies below it.
const PREFIX: &str = "/r/";
/// What each download gets at least while the node is calm and nobody has said how many there may be: 256 kB/s, so that a
/// textbook of 20 MB is there in 80 s. A line of [`RATE`] has 97 places, one of 2 Gbit/s 976; who finds none is told when to come
/// again and finds one as soon as somebody's book is whole, instead of all having a trickle and nobody a book.
const FLOOR: BitRate = BitRate(256_000 * 8);
/// However narrow the line is.
const LEAST_PLACES: u64 = 4;
/// However wide it is. Worst case memory: this × 64 KiB beyond what any answer takes.
const MOST_PLACES: u64 = 2_048;
/// Of all that may be sent, this part (a fifth).
const SHARE: u64 = 5;
/// Where nobody has said what may be sent.
const RATE: BitRate = BitRate(200_000_000);

/// How wide the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResourceCaps {
    /// Bits a second while the node is calm, where somebody has said so.
    rate: Option<BitRate>,
    /// Downloads at once, where somebody has said so.
    at_once: Option<usize>,
    /// What may be sent, where that is limited.
    cap: Option<BitRate>,
}

impl ResourceCaps {
    /// What is given, checked; a fifth of what may be sent, and as many as get [`FLOOR`] of it, where nobody has said otherwise.
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
        Ok(Self { rate, at_once, cap })
    }

    /// The same under another cap.
    pub(crate) const fn under(self, cap: Option<BitRate>) -> Self {
        Self { cap, ..self }
    }

    /// Bits a second while the node is calm.
    fn rate(&self) -> BitRate {
        self.rate.or(self.cap.map(|cap| BitRate((cap.0 / SHARE).max(1)))).unwrap_or(RATE)
    }

    /// Downloads at once.
    fn places(&self) -> usize {
        let fit = (self.rate().0 / FLOOR.0).clamp(LEAST_PLACES, MOST_PLACES);
        self.at_once.unwrap_or(usize::try_from(fit).unwrap_or(usize::MAX))
    }
}

/// What is in force, for all cores; a reload changes it under downloads that run.
#[derive(Debug)]
struct InForce {
    rate: AtomicU64,
    places: AtomicUsize,
}

impl InForce {
    fn of(caps: &ResourceCaps) -> Self {
        Self { rate: AtomicU64::new(caps.rate().0), places: AtomicUsize::new(caps.places()) }
    }

    /// How wide the line is at a level: lessons first.
    fn rate_at(&self, level: Level) -> u64 {
        let part = match level {
            Level::Calm => 1,
            Level::Busy => 2,
            Level::High => 8,
            Level::Critical => 32,
        };
        (self.rate.load(Ordering::Relaxed) / part).max(1)
    }
}

/// The line that all downloads of this node share. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Resources(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    in_force: InForce,
    line: Mutex<Line>,
    running: AtomicUsize,
    /// Those that download, and some that did.
    held: Mutex<Vec<Weak<Held>>>,
    metrics: Arc<Metrics>,
}

/// How a place is held.
#[derive(Debug, Default)]
struct Held {
    patience: Mutex<Patience>,
    /// It is another's, or nobody's.
    is_over: AtomicBool,
}

impl Held {
    /// Ends it; whether it went on.
    fn end(&self) -> bool {
        !self.is_over.swap(true, Ordering::Relaxed)
    }

    fn is_untaken(&self, now: Instant) -> bool {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner).is_over(now)
    }
}

/// A place among those that download. It is free again when this is dropped.
pub(crate) struct Place {
    shared: Arc<Shared>,
    held: Arc<Held>,
    overload: Overload,
}

/// There is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Resources {
    pub(crate) fn new(caps: ResourceCaps, metrics: &Arc<Metrics>) -> Self {
        let in_force = InForce::of(&caps);
        Self(Arc::new(Shared {
            in_force,
            line: Mutex::default(),
            running: AtomicUsize::new(0),
            held: Mutex::default(),
            metrics: Arc::clone(metrics),
        }))
    }

    /// From now on the line is so wide, for downloads that run as well. Nobody loses a place.
    pub(crate) fn keep_to(&self, caps: &ResourceCaps) {
        let InForce { rate, places } = &self.0.in_force;
        rate.store(caps.rate().0, Ordering::Relaxed);
        places.store(caps.places(), Ordering::Relaxed);
    }

    /// Whether `path` is of such a file.
    pub(crate) fn is_one(path: &str) -> bool {
        path.starts_with(PREFIX)
    }

    /// A place for another download: a free one, or that of a client that has long taken next to nothing.
    ///
    /// # Errors
    /// When all are taken.
    pub(crate) fn admit(&self, overload: &Overload) -> Result<Place, Full> {
        let places = self.0.in_force.places.load(Ordering::Relaxed);
        let fits = |running: usize| (running < places).then_some(running + 1);
        let mut list = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        while self.0.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
            let now = Instant::now();
            let mut held = list.iter().filter_map(Weak::upgrade);
            if !held.any(|held| held.is_untaken(now) && held.end()) {
                return Err(Full);
            }
            self.0.running.fetch_sub(1, Ordering::Relaxed);
            self.0.metrics.lost_place(PlaceFor::Download);
        }
        let held = Arc::<Held>::default();
        list.retain(|held| held.strong_count() > 0);
        list.push(Arc::downgrade(&held));
        Ok(Place { shared: Arc::clone(&self.0), held, overload: overload.clone() })
    }
}

impl Place {
    /// Whether another has it.
    fn is_lost(&self) -> bool {
        self.held.is_over.load(Ordering::Relaxed)
    }

    /// Its client has so many bytes to take.
    fn gave(&self, bytes: usize, now: Instant) {
        self.note(|patience| patience.gave(bytes, now));
    }

    /// Its client has taken what it had, and waits for more.
    fn asked(&self, now: Instant) {
        self.note(|patience| patience.asked(now));
    }

    fn note(&self, change: impl FnOnce(Patience) -> Patience) {
        let mut patience = self.held.patience.lock().unwrap_or_else(PoisonError::into_inner);
        *patience = change(*patience);
    }

    /// When the next `bytes` may go.
    fn turn(&self, bytes: usize, now: Instant) -> Instant {
        let rate = self.shared.in_force.rate_at(self.overload.level());
        self.shared.line.lock().unwrap_or_else(PoisonError::into_inner).turn(bytes as u64, rate, now)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.held.end() {
            self.shared.running.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
