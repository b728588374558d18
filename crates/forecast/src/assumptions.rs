//! What nobody has measured yet and somebody has to say: how many pupils, on which lines, through which nodes.

use package::{Grade, Slot};
use serde::Deserialize;
use std::collections::BTreeMap;
use timetable::Region;
use units::{BitRate, Span};

/// The most rows of pupils: every province, grade and half a hundred districts.
const MAX_PUPILS: usize = 50_000;
/// The most nodes.
const MAX_NODES: usize = 50_000;
/// The most carriers: there is a wave of sessions for each, lesson, grade and region.
const MAX_CARRIERS: usize = 32;
/// The most pupils of all rows and grades together: more than there are.
const MAX_TOGETHER: u64 = 500_000_000;
const THOUSAND: u32 = 1_000;

/// The file; `config/forecast.toml` explains every key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumptions {
    /// Of a thousand pupils so many watch a lesson of theirs.
    #[serde(default = "attendance")]
    pub attendance: u32,
    /// Of a thousand so many watch one that is shown again.
    #[serde(default = "replay")]
    pub replay: u32,
    /// Sessions of a slot without a window begin within this time.
    #[serde(default = "arrival")]
    pub arrival: Span,
    /// So much a player fetches ahead as soon as it has begun.
    #[serde(default = "buffer")]
    pub buffer: Span,
    /// Of a thousand bits of media so many more are sent for everything around them: TLS, HTTP, TCP and IP, again.
    #[serde(default)]
    pub overhead: u32,
    /// Of a thousand sessions so many on each rung.
    pub mix: BTreeMap<Slot, u32>,
    /// Of a thousand pupils so many on the lines of each carrier.
    pub carriers: BTreeMap<String, u32>,
    /// Who there is.
    pub pupils: Vec<Pupils>,
    /// What there is to serve them.
    #[serde(default)]
    pub node: Vec<Node>,
}

/// Pupils of some grades of one province.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pupils {
    /// Where.
    pub region: Region,
    /// In each of these grades.
    pub grades: Vec<Grade>,
    /// So many in each.
    pub each: u64,
}

/// A node, or many alike.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Where.
    pub region: Region,
    /// On whose lines.
    pub carrier: String,
    /// What each may send a second.
    pub capacity: BitRate,
    /// So many.
    #[serde(default = "one")]
    pub count: u32,
}

/// A number that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {problem}")]
pub struct Invalid {
    /// Which key.
    pub key: &'static str,
    /// What is wrong and what to do.
    pub problem: String,
}

fn attendance() -> u32 {
    850
}
fn replay() -> u32 {
    100
}
fn arrival() -> Span {
    Span::secs(120)
}
fn buffer() -> Span {
    Span::secs(30)
}
fn one() -> u32 {
    1
}

impl Assumptions {
    /// Whether its numbers can be.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(&self) -> Result<(), Invalid> {
        let invalid = |key, problem: String| Err(Invalid { key, problem });
        for (key, share) in [("attendance", self.attendance), ("replay", self.replay)] {
            if share > THOUSAND {
                return invalid(key, format!("{share} is more than a thousand of a thousand"));
            }
        }
        if self.overhead > THOUSAND {
            return invalid("overhead", format!("{} is more than is sent of media, 1000", self.overhead));
        }
        let sum = |shares: &mut dyn Iterator<Item = &u32>| shares.map(|&share| u64::from(share)).sum::<u64>();
        for (key, sum) in
            [("mix", sum(&mut self.mix.values())), ("carriers", sum(&mut self.carriers.values()))]
        {
            if sum != u64::from(THOUSAND) {
                return invalid(key, format!("adds up to {sum}; shares are thousandths and add up to 1000"));
            }
        }
        if self.carriers.len() > MAX_CARRIERS {
            return invalid(
                "carriers",
                format!("has {} entries; up to {MAX_CARRIERS} can be", self.carriers.len()),
            );
        }
        if self.pupils.is_empty() || self.pupils.len() > MAX_PUPILS {
            return invalid("pupils", format!("has {} rows; 1 to {MAX_PUPILS} can be", self.pupils.len()));
        }
        if self.node.len() > MAX_NODES {
            return invalid("node", format!("has {} rows; up to {MAX_NODES} can be", self.node.len()));
        }
        if let Some(row) = self.pupils.iter().find(|row| row.grades.is_empty()) {
            return invalid("pupils", format!("of {} has no grades", row.region.name()));
        }
        let all = self.pupils.iter().fold(0_u64, |all, row| {
            let grades = u64::try_from(row.grades.len()).unwrap_or(u64::MAX);
            all.saturating_add(row.each.saturating_mul(grades))
        });
        if all > MAX_TOGETHER {
            return invalid(
                "pupils",
                format!(
                    "are {all} in all rows and grades together, up to {MAX_TOGETHER} can be; `each` is of one grade"
                ),
            );
        }
        if let Some(node) = self.node.iter().find(|node| !self.carriers.contains_key(&node.carrier)) {
            return invalid("node.carrier", format!("`{}` is none of [carriers]", node.carrier));
        }
        Ok(())
    }
}
