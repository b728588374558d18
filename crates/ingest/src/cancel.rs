//! One flag that every stage looks at.

use crate::fault::MediaError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once, seen by all. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    own: Arc<AtomicBool>,
    outer: Option<Arc<AtomicBool>>,
}

impl Cancel {
    /// Nobody stopped anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that is stopped with this one, and can be stopped without it.
    #[must_use]
    pub fn within(&self) -> Self {
        Self { own: Arc::default(), outer: Some(Arc::clone(&self.own)) }
    }

    /// Asks every stage to stop at its next step.
    pub fn stop(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_stopped(&self) -> bool {
        let set = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        set(&self.own) || self.outer.as_deref().is_some_and(set)
    }

    /// `Err(Stopped)` once somebody asked.
    ///
    /// # Errors
    /// Just that.
    pub fn check(&self) -> Result<(), MediaError> {
        if self.is_stopped() { Err(MediaError::Stopped) } else { Ok(()) }
    }
}
