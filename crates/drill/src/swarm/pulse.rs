//! What a thread lets others see while it works.

use crate::tally::Screens;
use std::sync::{Mutex, PoisonError};

/// A thread's latest figures.
#[derive(Debug, Default)]
pub(crate) struct Pulse(Mutex<Beat>);

/// Figures of one second.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beat {
    pub(crate) screens: Screens,
    /// That came in this second.
    pub(crate) bytes: u64,
    /// So far.
    pub(crate) errors: u64,
    /// So far.
    pub(crate) arrived: u64,
}

impl Pulse {
    /// Once a second.
    pub(super) fn beat(&self, beat: Beat) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = beat;
    }

    pub(crate) fn read(&self) -> Beat {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beat {
    /// Of all threads together.
    pub(crate) fn sum(beats: impl Iterator<Item = Self>) -> Self {
        beats.fold(Self::default(), |sum, beat| Self {
            screens: sum.screens.and(beat.screens),
            bytes: sum.bytes + beat.bytes,
            errors: sum.errors + beat.errors,
            arrived: sum.arrived + beat.arrived,
        })
    }
}
