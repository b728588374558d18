//! What nodes send and have been promised.
//!
//! A report says what a node sends; who was sent there since is not in it yet. So what is granted is remembered for
//! [`SETTLED`], and added to what reports say: for some seconds a student may be counted twice, never not at all.

use crate::roster::{Candidate, Roster};
use fleet::NodeName;
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use units::BitRate;

/// After so long a student who was sent to a node is in its reports: buffers are filled in some seconds, a report is made each
/// ten, and what is reported is an average.
pub const SETTLED: Duration = Duration::from_secs(30);

/// By node; nodes that are in no roster any more are forgotten.
#[derive(Debug, Default)]
pub struct Loads(BTreeMap<NodeName, Granted>);

/// What was granted, by second.
#[derive(Debug, Default)]
struct Granted {
    seconds: VecDeque<(i64, u64)>,
    sum: u64,
}

impl Loads {
    /// What `candidate` sends and has been promised.
    pub fn of(&self, candidate: &Candidate) -> BitRate {
        let granted = self.0.get(&candidate.node).map_or(0, |granted| granted.sum);
        BitRate(candidate.sends.0.saturating_add(granted))
    }

    /// Whether another student of `rate` is within the owner's limit.
    pub fn has_room(&self, candidate: &Candidate, rate: BitRate) -> bool {
        self.of(candidate).0.saturating_add(rate.0) <= candidate.limit.0
    }

    /// A student of `rate` was sent to `node`.
    pub fn grant(&mut self, node: &NodeName, rate: BitRate, now: Timestamp) {
        let granted = self.0.entry(node.clone()).or_default();
        let second = now.as_second();
        match granted.seconds.back_mut() {
            Some((last, sum)) if *last == second => *sum += rate.0,
            _ => granted.seconds.push_back((second, rate.0)),
        }
        granted.sum += rate.0;
    }

    /// Lets go of what is in reports by now, and of who is gone.
    pub fn settle(&mut self, roster: &Roster, now: Timestamp) {
        let before = now.as_second() - SETTLED.as_secs() as i64;
        let known: std::collections::BTreeSet<&NodeName> =
            roster.iter().map(|candidate| &candidate.node).collect();
        self.0.retain(|node, granted| {
            // Of a second that is still to come it was granted before the clock was set back: nobody knows how long ago.
            granted.seconds.retain(|(second, rate)| {
                let holds = (before + 1..=now.as_second()).contains(second);
                granted.sum -= if holds { 0 } else { *rate };
                holds
            });
            known.contains(node) && granted.sum > 0
        });
    }
}
