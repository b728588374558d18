//! What nodes can send, and where that is too little.

use crate::assumptions::{Assumptions, Node};
use crate::demand::{Demand, Market};
use std::collections::BTreeMap;

/// A market that asks for more than there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage<'a> {
    /// Whose pupils.
    pub market: Market<'a>,
    /// What they ask for a second.
    pub asked: u64,
    /// What the nodes of the province on that carrier's lines can send.
    pub own: u64,
    /// What nodes of the same carrier elsewhere have left for them.
    pub elsewhere: u64,
    /// What is missing then.
    pub missing: u64,
}

/// The markets that have too little in `minute`. Each is served by its own nodes first, then by what the same carrier has
/// left in other provinces, which is given out in the order of need.
pub fn shortages<'a>(demand: &Demand<'a>, assumed: &Assumptions, minute: usize) -> Vec<Shortage<'a>> {
    let capacity = |market: &Market| -> u64 {
        let nodes = assumed.node.iter();
        let there = nodes.filter(|node| node.region == market.region && node.carrier == market.carrier);
        there.fold(0, |all, node| all.saturating_add(together(node)))
    };
    let mut left: BTreeMap<&str, u64> = BTreeMap::new();
    for node in &assumed.node {
        let of_carrier = left.entry(&node.carrier).or_default();
        *of_carrier = of_carrier.saturating_add(together(node));
    }
    let mut short = Vec::new();
    for (market, minutes) in demand.markets() {
        let (asked, own) = (minutes.get(minute).copied().unwrap_or(0), capacity(&market));
        if let Some(left) = left.get_mut(market.carrier) {
            *left = left.saturating_sub(asked.min(own));
        }
        if asked > own {
            short.push(Shortage { market, asked, own, elsewhere: 0, missing: asked - own });
        }
    }
    short.sort_by_key(|shortage| std::cmp::Reverse(shortage.missing));
    for shortage in &mut short {
        let Some(left) = left.get_mut(shortage.market.carrier) else { continue };
        shortage.elsewhere = shortage.missing.min(*left);
        shortage.missing -= shortage.elsewhere;
        *left -= shortage.elsewhere;
    }
    short
}

/// What a row's nodes can send together.
fn together(node: &Node) -> u64 {
    node.capacity.0.saturating_mul(u64::from(node.count))
}
