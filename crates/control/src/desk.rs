//! Where everything that is asked is decided and recorded: `decide → append → apply → wake`.

mod bodies;
mod census;
mod orders;
mod papers;
mod zero_rating;

use crate::authority::Authority;
use crate::caller::Caller;
use crate::clock;
use crate::error::ControlError;
use crate::metrics::Metrics;
use crate::store::{Appended, Away, Store};
use bytes::Bytes;
use fleet::wire::{Node, Nodes};
use fleet::{Act, Event, Identity, NodeName, Person, Record, Refusal, Registry, Report, Sender};
use jiff::{SignedDuration, Timestamp};
use package::Digest;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Turn, watch};
use tokio::time::{MissedTickBehavior, interval};

/// How often an append is tried anew because another control was quicker.
const ROUNDS: usize = 16;
/// How often a store is looked at for what was written. Two small questions each time.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// By how much a node's word may be older that another control tells of behind a newer one. Where it is older than that, the node's clock
/// was ahead and has been set right.
const BEHIND: SignedDuration = SignedDuration::from_secs(60);

/// What the control knows and does.
pub(crate) struct Desk {
    authority: Authority,
    store: Store,
    /// Where new nodes' edges fetch from.
    upstream: Vec<String>,
    /// How long a node's certificate counts; it is renewed when a third of that is left.
    certificates: Duration,
    registry: Mutex<Registry>,
    reports: Mutex<BTreeMap<NodeName, (Timestamp, Report)>>,
    /// The last edition of what carriers count as free, as it was read from the store.
    zero_rated: Mutex<Option<(Digest, Bytes)>>,
    /// The last record there was at the start.
    began: u64,
    /// Whether it was said that the records are an older copy.
    is_copy: AtomicBool,
    /// Who appends; one at a time.
    turn: Turn<()>,
    changed: watch::Sender<u64>,
    metrics: Metrics,
}

impl Desk {
    /// Reads all records there are.
    pub(crate) async fn open(
        authority: Authority,
        store: Store,
        (upstream, certificates): (Vec<String>, Duration),
        metrics: Metrics,
    ) -> Result<Self, ControlError> {
        let mut desk = Self {
            authority,
            store,
            upstream,
            certificates,
            registry: Mutex::default(),
            reports: Mutex::default(),
            zero_rated: Mutex::default(),
            began: 0,
            is_copy: AtomicBool::new(false),
            turn: Turn::new(()),
            changed: watch::Sender::new(0),
            metrics,
        };
        let place = desk.store.place();
        let lines = desk.store.read_after(0).await;
        let lines =
            lines.map_err(|Away(problem)| ControlError::File { path: place.clone().into(), problem })?;
        desk.take_in(&lines).map_err(|(number, error)| ControlError::Chain { place, number, error })?;
        let (began, _) = desk.registry().end();
        desk.began = began;
        Ok(desk)
    }

    /// Follows what other controls write, until the end; and what was written here for somebody who did not wait for it.
    pub(crate) async fn follow(&self) {
        let (mut ticks, mut position, mut there) = (interval(LOOK_EVERY), 0, true);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let looked = match self.catch_up().await {
                Ok(()) => self.hear(&mut position).await,
                away => away,
            };
            self.metrics.store(looked.is_ok());
            match looked {
                Ok(()) if !there => tracing::info!("the store is back"),
                Err(Away(ref problem)) if there => tracing::error!(problem, "the store is away; nodes go on"),
                _ => {}
            }
            there = looked.is_ok();
        }
    }

    /// What nodes have told other controls.
    async fn hear(&self, position: &mut u64) -> Result<(), Away> {
        for heard in self.store.reports_after(*position).await? {
            *position = heard.position;
            if let Ok(report) = serde_json::from_slice::<Report>(&heard.report) {
                let known = self.reports().get(&heard.node).map(|(_, known)| known.at);
                if known.is_none_or(|known| is_news(known, report.at)) {
                    self.note(heard.node, report);
                }
            }
        }
        Ok(())
    }

    fn note(&self, node: NodeName, report: Report) {
        self.reports().insert(node, (clock::now(), report));
    }

    fn reports(&self) -> MutexGuard<'_, BTreeMap<NodeName, (Timestamp, Report)>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn catch_up(&self) -> Result<(), Away> {
        let (last, _) = self.registry().end();
        let lines = self.store.read_after(last).await?;
        self.take_in(&lines).map_err(|(number, error)| Away(format!("record {number} {error}")))
    }

    fn take_in(&self, lines: &[Bytes]) -> Result<(), (u64, fleet::ChainError)> {
        let mut registry = self.registry();
        for line in lines {
            let next = registry.end().0 + 1;
            let record = Record::parse(line).map_err(|error| (next, error))?;
            // What another task has taken in meanwhile.
            if record.number < next {
                continue;
            }
            registry.apply(&record, &self.authority.records.public()).map_err(|error| (next, error))?;
        }
        self.metrics.registry(&registry);
        let last = registry.end().0;
        drop(registry);
        self.changed.send_if_modified(|known| std::mem::replace(known, last) != last);
        Ok(())
    }

    /// Records what `decide` says, by what is known when it is written; what it says last, and under which number.
    async fn record<T>(
        &self,
        by: impl Fn(&T) -> Sender,
        decide: impl Fn(&Registry) -> Result<(Option<Event>, T), Refusal>,
    ) -> Result<(T, u64), Refusal> {
        let _turn = self.turn.lock().await;
        for _ in 0..ROUNDS {
            let ((last, hash), decided) = {
                let registry = self.registry();
                (registry.end(), decide(&registry))
            };
            let (event, result) = decided?;
            let Some(event) = event else { return Ok((result, last)) };
            let sender = by(&result);
            tracing::info!(number = last + 1, by = %sender, event = event.as_str(), "recording");
            let record = Record::new(last, hash, clock::now(), sender, event, &self.authority.records);
            match self.store.append(record.number, record.to_bytes()).await {
                Ok(Appended::Written) => {
                    let line = Bytes::from(record.to_bytes());
                    self.take_in(&[line]).map_err(|(number, error)| {
                        tracing::error!(number, %error, "our own record does not follow");
                        Refusal::Contended
                    })?;
                    return Ok((result, record.number));
                }
                Ok(Appended::Taken) => self.catch_up().await.map_err(|away| self.away(&away))?,
                Err(away) => return Err(self.away(&away)),
            }
        }
        Err(Refusal::Contended)
    }

    fn away(&self, Away(problem): &Away) -> Refusal {
        tracing::warn!(problem, "the store does not take it");
        Refusal::StoreAway
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The person who asks, if he or she may.
    pub(crate) fn person(&self, caller: Option<&Caller>, act: Act) -> Result<Person, Refusal> {
        match caller.map(|caller| &caller.identity) {
            None => Err(Refusal::NoCertificate),
            Some(Identity::Person(person)) if person.role.may(act) => Ok(person.clone()),
            Some(_) => Err(Refusal::NotAllowed),
        }
    }

    /// The node that asks, if it is one still.
    pub(crate) fn node(&self, caller: Option<&Caller>) -> Result<NodeName, Refusal> {
        match caller {
            None => Err(Refusal::NoCertificate),
            Some(Caller { identity: Identity::Node(node), key, counts: (since, _) }) => {
                let mut registry = self.registry();
                registry.admit(node, key, Some(*since))?;
                registry.heard(node, key);
                Ok(node.clone())
            }
            Some(_) => Err(Refusal::NotAllowed),
        }
    }

    /// Hears a node. Other controls are told when they can be.
    pub(crate) async fn report(&self, node: NodeName, sent: Bytes) -> Result<(), Refusal> {
        let report: Report = serde_json::from_slice(&sent).map_err(|_| Refusal::Malformed)?;
        if let Err(Away(problem)) = self.store.tell(&node, sent).await {
            tracing::debug!(problem, %node, "other controls are not told");
        }
        self.note(node, report);
        Ok(())
    }

    /// All nodes.
    pub(crate) fn nodes(&self) -> Nodes {
        let registry = self.registry();
        let reports = self.reports();
        let nodes = registry.nodes().map(|(node, member)| {
            let heard = reports.get(node);
            Node {
                node: node.clone(),
                since: member.since,
                until: member.until,
                standing: member.standing,
                heard_at: heard.map(|(at, _)| *at),
                report: heard.map(|(_, report)| report.clone()),
            }
        });
        Nodes { now: Some(clock::now()), nodes: nodes.collect() }
    }

    /// The records after `number`, a line each.
    pub(crate) async fn records(&self, number: u64) -> Result<Vec<u8>, Refusal> {
        let lines = self.store.read_after(number).await.map_err(|away| self.away(&away))?;
        Ok(lines.iter().flat_map(|line| line.iter().chain(b"\n")).copied().collect())
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// Whether a node's word of `at` comes behind the one of `known`, both by the node's clock.
fn is_news(known: Timestamp, at: Timestamp) -> bool {
    let behind = known.duration_since(at);
    behind <= SignedDuration::ZERO || behind > BEHIND
}

#[cfg(test)]
mod tests;
