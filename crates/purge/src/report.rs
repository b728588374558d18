//! What came of an order.

use crate::order::{Mode, OrderId};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// The most URLs told of; beyond it they are counted.
pub const MAX_URLS_TOLD: usize = 100;

/// What an order has done on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which.
    pub id: OrderId,
    /// How far.
    pub mode: Mode,
    /// Responses that are gone.
    pub removed: Tiers,
    /// Responses that are stale now.
    pub softened: Tiers,
    /// Fills that were going on and are not kept: they were asked for before the order.
    pub fills_overtaken: u64,
    /// Objects on disks that had not been looked at when this was told. What is meant among them is not given to anybody any
    /// more, and is not counted here.
    #[serde(default)]
    pub disk_objects_left: u64,
    /// Whether no restart can bring anything back: each disk has written the order down, or that what it meant is gone.
    #[serde(default = "lasting")]
    pub lasting: bool,
    /// Whose responses, once for each variant; [`MAX_URLS_TOLD`] at most.
    pub urls: Vec<String>,
    /// How many more there were.
    pub urls_left_out: u64,
    /// From taking the order up to the last of it, in microseconds.
    pub duration_us: u64,
}

/// Responses, by where they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tiers {
    /// In memory.
    pub memory: u64,
    /// On disks. What is in memory lies there as well, as a rule.
    #[serde(default)]
    pub disk: u64,
}

/// Without disks nothing outlives the process.
const fn lasting() -> bool {
    true
}

impl Report {
    /// Of an order that has done nothing yet.
    pub fn new(id: OrderId, mode: Mode) -> Self {
        Self {
            id,
            mode,
            removed: Tiers::default(),
            softened: Tiers::default(),
            fills_overtaken: 0,
            disk_objects_left: 0,
            lasting: lasting(),
            urls: Vec::new(),
            urls_left_out: 0,
            duration_us: 0,
        }
    }

    /// Tells of one URL that may have been told of: what lies on a disk may be in memory, too.
    pub fn tell_again(&mut self, url: impl std::fmt::Display) {
        let url = url.to_string();
        if !self.urls.contains(&url) {
            self.tell(url);
        }
    }

    /// Tells of one URL.
    pub fn tell(&mut self, url: impl std::fmt::Display) {
        if self.urls.len() < MAX_URLS_TOLD {
            self.urls.push(url.to_string());
        } else {
            self.urls_left_out += 1;
        }
    }
}

/// That an order is not obeyed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why, by name.
    pub refused: Refusal,
    /// What to do about it.
    pub problem: String,
}

impl From<Refusal> for Refused {
    fn from(refused: Refusal) -> Self {
        Self { refused, problem: refused.problem().to_owned() }
    }
}
