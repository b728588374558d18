//! Orders: given by people, heard by nodes, obeyed.

use super::Desk;
use crate::caller::Caller;
use fleet::wire::{MAX_ORDERS, Numbered, Orders, PATIENCE};
use fleet::{Acknowledged, Kind, NodeName, Order, Person, Refusal, Report, Sender};
use package::Digest;
use std::sync::atomic::Ordering;
use tokio::time::timeout;

impl Desk {
    /// Tells nodes.
    pub(crate) async fn order(&self, person: Person, order: &Order) -> Result<u64, Refusal> {
        if let Some(digest) = order.kind.body() {
            let body = self.body(digest).await?;
            let sound = match &order.kind {
                Kind::Purge(_) => purge::Signed::parse(&body).is_some(),
                _ => timetable::SignedPlan::parse(&body).is_some(),
            };
            if !sound {
                return Err(Refusal::Malformed);
            }
        }
        let by = |_: &()| Sender::Person(person.clone());
        let ordered = self.record(by, |registry| Ok((Some(registry.order(order.clone())?), ()))).await;
        ordered.map(|((), number)| number)
    }

    /// What `caller` is to do after order `after`, which it knows by this hash; waits for something.
    pub(crate) async fn orders(
        &self,
        caller: Option<&Caller>,
        after: u64,
        hash: Option<Digest>,
    ) -> Result<Orders, Refusal> {
        if let Some(up_to) = self.behind(&self.node(caller)?, after, hash).await {
            return Ok(Orders { orders: Vec::new(), up_to, hash: None });
        }
        let mut changed = self.changed.subscribe();
        let look = async {
            loop {
                changed.borrow_and_update();
                let node = self.node(caller)?;
                let (orders, up_to, hash) = {
                    let registry = self.registry();
                    let (orders, up_to) = registry.orders_for(&node, after, MAX_ORDERS);
                    (orders, up_to, registry.hash_of(up_to))
                };
                if !orders.is_empty() {
                    let numbered = |(number, order)| Numbered { number, order };
                    return Ok(Orders { orders: orders.into_iter().map(numbered).collect(), up_to, hash });
                }
                if changed.changed().await.is_err() {
                    return Err(Refusal::StoreAway);
                }
            }
        };
        match timeout(PATIENCE, look).await {
            Ok(found) => found,
            Err(_) => {
                let registry = self.registry();
                let up_to = registry.end().0.max(after);
                Ok(Orders { orders: Vec::new(), up_to, hash: registry.hash_of(up_to) })
            }
        }
    }

    /// Where `node` is to go back to, which has heard all up to `heard`, the record of this hash; `None`: it knows what is known here.
    ///
    /// Where there is no such record, or another one, the records were brought back from an older copy. What the node has heard behind
    /// that is gone, and others get the same numbers. Where the copy ends nobody has written down; a control that was started
    /// with it knows, and for a node that knows nothing of before there is only the beginning.
    async fn behind(&self, node: &NodeName, heard: u64, hash: Option<Digest>) -> Option<u64> {
        let there = || self.registry().hash_of(heard);
        let is_known = |there: Option<Digest>| match (there, hash) {
            (Some(there), Some(hash)) => there == hash,
            (there, _) => there.is_some() || heard == 0,
        };
        // What another control has just written is known here in a moment.
        if is_known(there()) || self.catch_up().await.is_err() || is_known(there()) {
            return None;
        }
        if !self.is_copy.swap(true, Ordering::Relaxed) {
            let last = self.registry().end().0;
            tracing::error!(%node, heard, last, "the records are an older copy: bring back the newest one, or give again \
                what was ordered, revoked and enrolled since");
        }
        Some(if there().is_none() { self.began } else { 0 })
    }

    /// Who has obeyed the order `number`.
    pub(crate) fn acknowledged(&self, number: u64) -> Result<Acknowledged, Refusal> {
        let registry = self.registry();
        let reports = self.reports();
        let (_, nodes) = registry.meant(number).ok_or(Refusal::NotFound)?;
        // Who has heard what there is not has heard others of these numbers (see `behind`).
        let is_ours = |report: &&Report| match (registry.hash_of(report.heard), report.hash) {
            (Some(there), Some(hash)) => there == hash,
            (there, _) => there.is_some(),
        };
        let report = |node: &NodeName| reports.get(node).map(|(_, report)| report);
        Ok(Acknowledged::of(number, nodes, |node| report(node).filter(is_ours)))
    }
}
