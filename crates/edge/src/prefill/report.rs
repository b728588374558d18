//! How far this node is, for people (`/readyz`) and programs (`/fill` on the admin listener).

use super::front::Standing;
use super::ledger::Ready;
use super::metrics::name;
use super::options::FillConfig;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use timetable::Zone;

/// As programs read it.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Report {
    /// Which rungs this node takes: `all`, or their names.
    rungs: String,
    bells: Vec<BellReport>,
    /// What comes before a lesson: page, catalogue, guides.
    front: Standing,
}

/// Of one bell.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BellReport {
    /// The moment.
    pub(crate) bell: Timestamp,
    /// The same by clocks where the plan is for.
    pub(crate) local: String,
    pub(crate) lessons: usize,
    pub(crate) packages: usize,
    pub(crate) wanted_bytes: u64,
    pub(crate) held_bytes: u64,
    pub(crate) ratio: f64,
    pub(crate) covered: bool,
}

/// Bells in one line; the others are in the report.
const TOLD: usize = 8;

impl Report {
    /// All of them.
    pub(super) fn bells(&self) -> &[BellReport] {
        &self.bells
    }

    pub(super) fn new(
        config: &FillConfig,
        zone: Zone,
        ready: &BTreeMap<Timestamp, Ready>,
        front: Standing,
    ) -> Self {
        let bells = ready.iter().map(|(&bell, ready)| BellReport {
            bell,
            local: name(zone, bell),
            lessons: ready.lessons,
            packages: ready.packages,
            wanted_bytes: ready.wanted,
            held_bytes: ready.held,
            ratio: ready.ratio(),
            covered: ready.covered,
        });
        Self { rungs: config.rungs_told(), bells: bells.collect(), front }
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("our types have string keys and no failing serializer")
    }

    /// One line: the bells that are still to come at `now`.
    pub(super) fn words(&self, now: Timestamp) -> String {
        let to_come: Vec<_> = self.bells.iter().filter(|bell| bell.bell >= now).collect();
        let bell = |bell: &&BellReport| {
            let percent = (bell.ratio * 1e4).floor() / 1e2;
            format!("{} {percent:.2} % of {} lessons", bell.local, bell.lessons)
        };
        let told: Vec<_> = to_come.iter().take(TOLD).map(bell).collect();
        let more = to_come.len().saturating_sub(TOLD);
        let more = if more > 0 { format!("; and {more} bells more") } else { String::new() };
        let told = if told.is_empty() { "no bell to come".to_owned() } else { told.join("; ") };
        let Standing { wanted, held } = self.front;
        let front = if wanted > 0 { format!("; front {held} of {wanted}") } else { String::new() };
        format!("rungs {}; {told}{more}{front}", self.rungs)
    }
}
