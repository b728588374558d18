//! The decision, with what is known at this moment.

use crate::clock;
use crate::limit::{HTTP, Limiter};
use crate::metrics::Metrics;
use crate::question::{Form, NoQuestion, Question};
use crate::words::{self, Answer};
use fleet::NodeName;
use fleet::wire::Nodes;
use http::{StatusCode, Uri};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;
use steering::{Choice, Hearing, Loads, Near, Networks, Roster, Student, choose};
use telemetry::Telemetry;
use tokio::time::Instant;
use units::{BitRate, Network};

/// Nodes that an answer names: one, and two for when it fails.
const NAMED: usize = 3;

/// What holds for every answer.
pub(crate) struct Settings {
    pub(crate) networks: Networks,
    pub(crate) rate: BitRate,
    pub(crate) limit: BitRate,
    pub(crate) ttl: Duration,
    pub(crate) pathway: String,
    pub(crate) portals: Vec<Network>,
    /// Questions a second over HTTP from one address; 0: any number.
    pub(crate) address_rate: u32,
    /// How long a resolver's answers stay with one node.
    pub(crate) dns_ttl: Duration,
}

/// Shared by all cores.
pub(crate) struct Desk {
    settings: Settings,
    /// From where the monotonic clock is counted.
    began: Instant,
    hearing: Mutex<Hearing>,
    roster: RwLock<Roster>,
    loads: Mutex<Loads>,
    /// Nodes that are ready and say no address, when it was told last.
    nowhere: AtomicUsize,
    limiter: Limiter,
    metrics: Metrics,
}

impl Desk {
    pub(crate) fn new(settings: Settings, telemetry: &Telemetry) -> Self {
        Self {
            limiter: Limiter::new(settings.address_rate, HTTP),
            settings,
            began: Instant::now(),
            hearing: Mutex::default(),
            roster: RwLock::default(),
            loads: Mutex::default(),
            nowhere: AtomicUsize::new(0),
            metrics: Metrics::register(telemetry),
        }
    }

    /// Takes in which nodes there are.
    pub(crate) fn know(&self, nodes: &Nodes) {
        let heard = {
            let mut hearing = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
            hearing.now(nodes, self.began.elapsed())
        };
        let roster = Roster::of(nodes, self.settings.limit, heard);
        self.metrics.nodes(roster.len());
        let nowhere = steering::without_address(nodes, heard);
        if self.nowhere.swap(nowhere, Ordering::Relaxed) != nowhere && nowhere > 0 {
            tracing::warn!(
                nodes = nowhere,
                "nodes that are ready say no address, and are named to nobody; give it to their agents (`address` in node.toml)"
            );
        }
        self.loads.lock().unwrap_or_else(PoisonError::into_inner).settle(&roster, clock::now());
        *self.roster.write().unwrap_or_else(PoisonError::into_inner) = roster;
    }

    /// Answers who asks over HTTP from `peer`.
    pub(crate) fn answer(&self, uri: &Uri, peer: IpAddr) -> Answer {
        // A portal asks for all its pupils.
        if !self.is_portal(peer) && !self.limiter.admit(peer, clock::now()) {
            self.metrics.limited();
            return words::too_often();
        }
        let question = match Question::parse(uri) {
            Ok(question) => question,
            Err(NoQuestion::Path) => {
                return words::plain(
                    StatusCode::NOT_FOUND,
                    "这里只有 /steering.json 和 /v1/nodes。\nHere are /steering.json and /v1/nodes.\n",
                );
            }
            Err(NoQuestion::Ip) => {
                return words::plain(StatusCode::BAD_REQUEST, "ip 不是地址。\nip is no address.\n");
            }
        };
        let Settings { ttl, pathway, .. } = &self.settings;
        let address = question.ip.filter(|_| self.is_portal(peer)).unwrap_or(peer).to_canonical();
        let seed = address.to_string();
        self.decide(address, seed.as_bytes(), question.at.as_ref(), |chosen, near, loads| {
            if let Some(first) = chosen.first()
                && Some(&first.candidate.node) != question.at.as_ref()
            {
                loads.grant(&first.candidate.node, self.settings.rate, clock::now());
            }
            match question.form {
                Form::Manifest => words::manifest(chosen, pathway, *ttl),
                Form::List => words::list(chosen, near, *ttl),
            }
        })
    }

    /// Decides for students at `address`, of whom nothing more is known, and has `tell` say it. `whole`: it is their network, and has
    /// one node as long as that has room; otherwise it is a resolver with any number of students behind it, whose answers go
    /// round its nodes, so that each gets its part.
    pub(crate) fn decide_for_network<T>(
        &self,
        address: IpAddr,
        whole: bool,
        tell: impl FnOnce(&[Choice<'_>]) -> T,
    ) -> T {
        let turn =
            if whole { 0 } else { clock::now().as_second() / self.settings.dns_ttl.as_secs().max(1) as i64 };
        let seed = format!("{address} {turn}");
        self.decide(address, seed.as_bytes(), None, |chosen, _, _| tell(chosen))
    }

    fn decide<T>(
        &self,
        address: IpAddr,
        seed: &[u8],
        plays_at: Option<&NodeName>,
        tell: impl FnOnce(&[Choice<'_>], &Near, &mut Loads) -> T,
    ) -> T {
        let near = self.settings.networks.near(address);
        let student = Student { near: near.clone(), seed, plays_at, rate: self.settings.rate };
        let roster = self.roster.read().unwrap_or_else(PoisonError::into_inner);
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = choose(&roster, &loads, &student, NAMED);
        self.metrics.told(chosen.first().map(|choice| choice.ring));
        tell(&chosen, &near, &mut loads)
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether the word of who asks from there counts for somebody else's address.
    fn is_portal(&self, peer: IpAddr) -> bool {
        peer.to_canonical().is_loopback()
            || self.settings.portals.iter().any(|network| network.contains(peer))
    }
}

#[cfg(test)]
pub(crate) mod tests;
