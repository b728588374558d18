//! What a node says of itself, and what that says about an order.

use crate::place::NodeName;
use jiff::{SignedDuration, Timestamp};
use package::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Effects that a report still tells: those of all orders of some days, and refusals for longer.
pub const KEPT_EFFECTS: usize = 64;

/// A node reports every ten seconds. Who has not for so long is silent.
pub const SILENT: SignedDuration = SignedDuration::from_mins(5);

/// A node's word, sent anew whenever something changes and every few seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// When, by the node's clock.
    pub at: Timestamp,
    /// The last order that it has looked at.
    pub heard: u64,
    /// The hash of that record, where the node was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Digest>,
    /// What came of the last [`KEPT_EFFECTS`] orders, by number.
    #[serde(default)]
    pub effects: BTreeMap<u64, Effect>,
    /// Whether it should be given traffic.
    pub ready: bool,
    /// What stands behind that: a line a check.
    #[serde(default)]
    pub readiness: Vec<String>,
    /// Where students reach it, as its owner names it: `https://HOST[:PORT]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Addresses that answer for it in DNS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<std::net::IpAddr>,
    /// What its owner allows and how much of that is used: an RFC 9808 advertisement, as the node publishes it.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub capacity: serde_json::Value,
    /// Bits a second that it sends, where no limit is there that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sends_bps: Option<u64>,
    /// Until when its certificate counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_until: Option<Timestamp>,
    /// Which build it runs.
    #[serde(default)]
    pub version: String,
}

/// What came of an order at a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect", content = "reason")]
pub enum Effect {
    /// Obeyed.
    Done,
    /// A later order made it needless.
    Overtaken,
    /// The node itself says no, and why: a signature that does not count, a plan that cannot be.
    Refused(String),
}

/// What is known about an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Nodes that have obeyed, or need not.
    pub done: Vec<NodeName>,
    /// Nodes that say no, and why.
    pub refused: BTreeMap<NodeName, String>,
    /// Nodes that have not answered.
    pub waiting: Vec<NodeName>,
}

impl Acknowledged {
    /// What `reports` say about the order `number`, which means `nodes`.
    pub fn of<'a>(
        number: u64,
        nodes: impl Iterator<Item = &'a NodeName>,
        report: impl Fn(&NodeName) -> Option<&'a Report>,
    ) -> Self {
        let mut all = Self::default();
        for node in nodes {
            let report = report(node);
            match report.and_then(|report| report.effects.get(&number)) {
                Some(Effect::Refused(why)) => {
                    all.refused.insert(node.clone(), why.clone());
                }
                Some(Effect::Done | Effect::Overtaken) => all.done.push(node.clone()),
                // What it no longer tells it has answered for long ago.
                None if report.is_some_and(|report| report.heard >= number) => all.done.push(node.clone()),
                None => all.waiting.push(node.clone()),
            }
        }
        all
    }

    /// Whether every node has obeyed.
    pub fn is_whole(&self) -> bool {
        self.refused.is_empty() && self.waiting.is_empty()
    }
}

impl Report {
    /// Notes what came of an order, and lets the oldest go: that of an order which is done, as one is that is not told of, before a refusal.
    pub fn note(effects: &mut BTreeMap<u64, Effect>, number: u64, effect: Effect) {
        effects.insert(number, effect);
        while effects.len() > KEPT_EFFECTS {
            let done = effects.iter().find(|(_, effect)| !matches!(effect, Effect::Refused(_)));
            match done.map(|(number, _)| *number) {
                Some(number) => effects.remove(&number),
                None => effects.pop_first().map(|(_, effect)| effect),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An order that was refused became one that is done when 64 others had come after it.
    #[test]
    fn what_is_refused_stays_so_behind_many_that_are_done() {
        let refused = || Effect::Refused("no".to_owned());
        let mut effects = BTreeMap::new();
        (100..300).for_each(|number| Report::note(&mut effects, number, Effect::Done));
        // An order of long ago, judged now.
        Report::note(&mut effects, 7, refused());
        (300..500).for_each(|number| Report::note(&mut effects, number, Effect::Done));
        assert_eq!((effects.len(), effects.get(&7)), (KEPT_EFFECTS, Some(&refused())));
        // Of refusals alone the oldest go.
        (500..700).for_each(|number| Report::note(&mut effects, number, refused()));
        assert_eq!(effects.first_key_value(), Some((&636, &refused())));
        assert_eq!(effects.len(), KEPT_EFFECTS);
    }
}
