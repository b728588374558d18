//! One flag that every stage looks at.

use crate::fault::MediaError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once, seen by all. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Nobody stopped anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every stage to stop at its next step.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// `Err(Stopped)` once somebody asked.
    ///
    /// # Errors
    /// Just that.
    pub fn check(&self) -> Result<(), MediaError> {
        if self.is_stopped() { Err(MediaError::Stopped) } else { Ok(()) }
    }

    /// The flag itself, for the file reader under FFmpeg.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}
