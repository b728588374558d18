//! How hard a server is pressed, as far as connections care. Who judges it is the service's matter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How hard the machine is pressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything as ever.
    #[default]
    Calm,
    /// What nobody waits for can wait.
    Busy,
    /// Who holds a connection for nothing loses it sooner.
    High,
    /// What runs goes on; nothing new begins.
    Critical,
}

impl Level {
    /// From the lowest.
    pub const ALL: [Self; 4] = [Self::Calm, Self::Busy, Self::High, Self::Critical];

    /// For logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Busy => "busy",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// The level that one judges and every connection may ask for. Cheap to clone and to read.
#[derive(Debug, Clone, Default)]
pub struct Pressure(Arc<AtomicU8>);

impl Pressure {
    /// As last judged.
    pub fn level(&self) -> Level {
        Level::ALL.get(usize::from(self.0.load(Ordering::Relaxed))).copied().unwrap_or_default()
    }

    /// From now on.
    pub fn set(&self, level: Level) {
        self.0.store(level as u8, Ordering::Relaxed);
    }
}
