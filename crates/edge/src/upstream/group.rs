//! A group of servers: tiers, the order in which they are asked, and what they may be asked beyond the clients' questions.
//!
//! ```text
//!   edge ──► peers          neighbours, for what they hold only
//!    │
//!    └─────► tier 1         one server of it for a key, always the same while it can be
//!              └──► tier 2  when nobody of tier 1 is fit, or left to be asked
//!                     └──► …
//! ```

use super::config::{CheckConfig, GroupConfig, HostHeader, ServerConfig, Upstreams};
use super::metrics::{Families, GroupMetrics};
use super::parent::Parent;
use http::{HeaderValue, Uri};
use parents::budget::Budget;
use parents::health::Judge;
use parents::hedge::Latencies;
use parents::preference::{self, Candidate};
use parents::route::{Route, Routes};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use telemetry::Telemetry;
use tokio::time::Instant;

/// All groups of the node, shared by its cores.
#[derive(Debug)]
pub(crate) struct Groups {
    routes: Routes,
    pub(super) groups: Vec<Arc<Group>>,
    /// Every server of every group, each at its own number.
    pub(super) parents: Vec<Arc<Parent>>,
}

impl Groups {
    pub(crate) fn new(config: &Upstreams, telemetry: &Telemetry) -> Self {
        let families = Families::register(telemetry);
        let mut parents = Vec::new();
        let groups =
            config.groups.iter().map(|group| Arc::new(Group::new(group, &mut parents, &families))).collect();
        Self { routes: config.routes.clone(), groups, parents }
    }

    /// The group that answers for a host and a target.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn find(&self, host: &str, target: &Uri) -> Result<&Arc<Group>, super::UpstreamError> {
        match self.routes.find(host, target.path()) {
            Route::Group(at) => Ok(&self.groups[at]),
            Route::UnknownHost => Err(super::UpstreamError::UnknownHost),
            Route::UnknownPath => Err(super::UpstreamError::UnknownPath),
        }
    }
}

/// One group.
#[derive(Debug)]
pub(super) struct Group {
    tiers: Vec<Tier>,
    peers: Vec<Arc<Parent>>,
    host: HostHeader,
    pub(super) check: Option<CheckConfig>,
    hedge: bool,
    budget: Mutex<Budget>,
    pub(super) metrics: GroupMetrics,
}

#[derive(Debug)]
struct Tier {
    parents: Vec<Arc<Parent>>,
    latencies: Mutex<Latencies>,
}

/// A server that was chosen.
#[derive(Debug, Clone)]
pub(super) struct Pick {
    pub(super) parent: Arc<Parent>,
    tier: usize,
}

impl Group {
    fn new(config: &GroupConfig, all: &mut Vec<Arc<Parent>>, families: &Families) -> Self {
        let name: Arc<str> = config.name.as_str().into();
        let judge = if config.check.is_some() { Judge::Checks } else { Judge::Requests };
        let mut make = |server: &ServerConfig, judge| {
            let parent = Parent::new(server, all.len(), &name, judge, families);
            all.push(Arc::clone(&parent));
            parent
        };
        let tier = |servers: &Vec<ServerConfig>| Tier {
            parents: servers.iter().map(|server| make(server, judge)).collect(),
            latencies: Mutex::default(),
        };
        let tiers = config.tiers.iter().map(tier).collect();
        // Neighbours are other edges: the check's path is not theirs.
        let peers = config.peers.iter().map(|server| make(server, Judge::Requests)).collect();
        Self {
            tiers,
            peers,
            host: config.host.clone(),
            check: config.check.clone(),
            hedge: config.hedge,
            budget: Mutex::new(Budget::new(config.retry_percent, Instant::now().into_std())),
            metrics: families.group(&name),
        }
    }

    /// Its servers but for neighbours.
    pub(super) fn parents(&self) -> impl Iterator<Item = &Arc<Parent>> {
        self.tiers.iter().flat_map(|tier| &tier.parents)
    }

    /// Which server is asked for `key` next, those in `asked` left out. `None`: nobody is left.
    ///
    /// Who is down is left out too, but for a trial where the question may be repeated. Where everybody is down, they are
    /// asked all the same, one after the other: to say "no" without having asked helps nobody.
    pub(super) fn pick(&self, key: u64, asked: &[usize], may_repeat: bool, now: Instant) -> Option<Pick> {
        let left_out = |candidate, parent: &Parent| {
            if asked.contains(&parent.number) { Candidate { share: 0.0, ..candidate } } else { candidate }
        };
        self.choose(key, |parent| left_out(parent.candidate(now, may_repeat), parent)).or_else(|| {
            let nobody = self.parents().all(|parent| parent.candidate(now, false).share <= 0.0);
            nobody.then(|| self.choose(key, |parent| left_out(parent.candidate_in_need(), parent))).flatten()
        })
    }

    fn choose(&self, key: u64, candidate: impl Fn(&Parent) -> Candidate) -> Option<Pick> {
        self.tiers.iter().enumerate().find_map(|(tier, Tier { parents, .. })| {
            let candidates: Vec<_> = parents.iter().map(|parent| candidate(parent)).collect();
            let at = preference::choose(key, &candidates)?;
            Some(Pick { parent: Arc::clone(&parents[at]), tier })
        })
    }

    /// How many servers could be asked after those in `asked`.
    pub(super) fn others(&self, asked: &[usize], now: Instant) -> usize {
        self.parents()
            .filter(|parent| !asked.contains(&parent.number) && parent.candidate(now, false).share > 0.0)
            .count()
    }

    /// The neighbour that is likeliest to hold `key`.
    pub(super) fn peer(&self, key: u64, now: Instant) -> Option<&Arc<Parent>> {
        if self.peers.is_empty() {
            return None;
        }
        let candidates: Vec<_> = self.peers.iter().map(|peer| peer.candidate(now, true)).collect();
        preference::choose(key, &candidates).map(|at| &self.peers[at])
    }

    /// What Host says to `parent` of a question for `host`.
    pub(super) fn host(&self, parent: &Parent, host: &str) -> HeaderValue {
        let own = || parent.address.authority().clone();
        match &self.host {
            HostHeader::Client => HeaderValue::from_str(host).unwrap_or_else(|_| own()),
            HostHeader::Upstream => own(),
            HostHeader::Fixed(host) => host.clone(),
        }
    }

    /// A client's question begins.
    pub(super) fn deposit(&self, now: Instant) {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.deposit(now.into_std());
        self.show(&mut budget, now);
    }

    /// Whether one more question may be asked than clients have.
    pub(super) fn withdraw(&self, now: Instant) -> bool {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let granted = budget.withdraw(now.into_std());
        self.show(&mut budget, now);
        granted
    }

    fn show(&self, budget: &mut Budget, now: Instant) {
        self.metrics.budget.set(i64::try_from(budget.left(now.into_std())).unwrap_or(i64::MAX));
    }

    /// How long an answer of `pick` is waited for before another server is asked beside it; `None`: as long as it takes.
    pub(super) fn patience(&self, pick: &Pick) -> Option<Duration> {
        if !self.hedge {
            return None;
        }
        self.latencies(pick, |latencies| latencies.patience())
    }

    /// Notes how long the head of `pick`'s answer took, or that it had not come after so long.
    pub(super) fn took(&self, pick: &Pick, time: Duration) {
        self.latencies(pick, |latencies| latencies.note(time));
    }

    fn latencies<T>(&self, pick: &Pick, with: impl FnOnce(&mut Latencies) -> T) -> T {
        with(&mut self.tiers[pick.tier].latencies.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
