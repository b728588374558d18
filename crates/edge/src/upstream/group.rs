//! A group of servers: tiers, the order in which they are asked, and what they may be asked beyond the clients' questions.
//!
//! ```text
//!   edge ──► peers          neighbours, for what they hold only
//!    │
//!    └─────► tier 1         one server of it for a key, always the same while it can be
//!              └──► tier 2  when nobody of tier 1 is fit, or left to be asked
//!                     └──► …
//! ```

use super::config::{GroupConfig, HostHeader, ServerConfig, Upstreams};
use super::metrics::{Families, GroupMetrics};
use super::parent::Parent;
use super::question::Question;
use crate::key::site_of_group;
use http::{HeaderValue, Uri};
use parents::budget::Budget;
use parents::health::Judge;
use parents::hedge::Latencies;
use parents::preference::{self, Candidate};
use parents::rate::Rate;
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
    /// Every server of every group.
    pub(super) parents: Vec<Arc<Parent>>,
    families: Arc<Families>,
    /// The number of the next server that is new.
    next: usize,
    plans: Option<usize>,
}

impl Groups {
    pub(crate) fn new(config: &Upstreams, telemetry: &Telemetry) -> Self {
        let families = Arc::new(Families::register(telemetry));
        let none = Self {
            routes: Routes::default(),
            groups: Vec::new(),
            parents: Vec::new(),
            families,
            next: 0,
            plans: None,
        };
        none.succeeded_by(config)
    }

    /// One server for all, for tests of what keys mean.
    #[cfg(test)]
    pub(crate) fn of_one(url: &str) -> Self {
        let upstreams = Upstreams::resolve(&[url.to_owned()], &[]).unwrap();
        Self::new(&upstreams, &Telemetry::new("test"))
    }

    /// What `config` says, by which these are replaced. A group that has not changed is the same one, with its budget and its
    /// latencies; of a group that has, servers that have not are the same, with their health and their connections.
    pub(crate) fn succeeded_by(&self, config: &Upstreams) -> Self {
        let (mut parents, mut next) = (Vec::new(), self.next);
        let mut groups = Vec::with_capacity(config.groups.len());
        for group in &config.groups {
            let same = self.groups.iter().find(|old| old.config == *group).cloned();
            let group = same.unwrap_or_else(|| {
                Arc::new(Group::new(group, &self.families, |server, judge| {
                    let same = self.parents.iter().find(|old| old.is(&group.name, server, judge)).cloned();
                    same.unwrap_or_else(|| {
                        let number = next;
                        next += 1;
                        Parent::new(server, number, &group.name.as_str().into(), judge, &self.families)
                    })
                }))
            });
            parents.extend(group.parents().chain(&group.peers).cloned());
            groups.push(group);
        }
        let gone =
            |old: &&Arc<Parent>| !parents.iter().any(|parent: &Arc<Parent>| parent.number == old.number);
        for gone in self.parents.iter().filter(gone) {
            gone.leave();
            match parents.iter().find(|parent| parent.group == gone.group && parent.name == gone.name) {
                // It has moved.
                Some(successor) => successor.show(),
                None => self.families.forget(&gone.group, &gone.name),
            }
        }
        Self {
            routes: config.routes.clone(),
            groups,
            parents,
            families: Arc::clone(&self.families),
            next,
            plans: config.plans,
        }
    }

    /// Which group answers for a host and a path.
    pub(crate) fn route(&self, host: &str, path: &str) -> Route {
        self.routes.find(host, path)
    }

    /// What stands for `host` in the keys of what is asked of it: itself, or the group that answers without being told it.
    pub(crate) fn site<'a>(&'a self, host: &'a str, path: &str) -> &'a str {
        self.site_by(self.route(host, path), host)
    }

    /// The same where the way is known.
    pub(crate) fn site_by<'a>(&'a self, route: Route, host: &'a str) -> &'a str {
        match route {
            Route::Group(at) => self.groups[at].site.as_deref().unwrap_or(host),
            Route::UnknownHost | Route::UnknownPath => host,
        }
    }

    /// Each group's name, and whether any of its servers is believed to be up.
    pub(crate) fn standing(&self, now: Instant) -> impl Iterator<Item = (&str, bool)> {
        self.groups.iter().map(move |group| {
            let up = group.parents().any(|parent| parent.candidate(now, false).share > 0.0);
            (group.config.name.as_str(), up)
        })
    }

    /// The group that plans come from.
    pub(super) fn plans(&self) -> Option<&Arc<Group>> {
        self.groups.get(self.plans?)
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
    /// In keys, where its servers are not told the client's host.
    site: Option<String>,
    pub(super) config: GroupConfig,
    rate: Mutex<Rate>,
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
    fn new(
        config: &GroupConfig,
        families: &Families,
        mut make: impl FnMut(&ServerConfig, Judge) -> Arc<Parent>,
    ) -> Self {
        let judge = if config.check.is_some() { Judge::Checks } else { Judge::Requests };
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
            site: (!matches!(config.host, HostHeader::Client)).then(|| site_of_group(&config.name)),
            config: config.clone(),
            rate: Mutex::new(Rate::new(Instant::now().into_std())),
            budget: Mutex::new(Budget::new(config.retry_percent, Instant::now().into_std())),
            metrics: families.group(&config.name),
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
        match &self.config.host {
            HostHeader::Client => HeaderValue::from_str(host).unwrap_or_else(|_| own()),
            HostHeader::Upstream => own(),
            HostHeader::Fixed(host) => host.clone(),
        }
    }

    /// What decides which server a question for `host` and `target` goes to: what tells it from others in the cache, so that
    /// who fetches it first does not matter.
    pub(super) fn key(&self, question: Question<'_>) -> u64 {
        let host = if self.site.is_some() { "" } else { question.host };
        let path = question.target.path_and_query().map_or("/", |path| path.as_str());
        preference::hash(host) ^ preference::hash(path).rotate_left(1)
    }

    /// Whether one more question may be asked for a client, of `most` a second; `None`: any number.
    pub(super) fn admits(&self, most: Option<u32>, now: Instant) -> bool {
        let take = |most| self.rate.lock().unwrap_or_else(PoisonError::into_inner).take(most, now.into_std());
        most.is_none_or(take)
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

    /// How long answers as `pick`'s are known to take: before another server is asked beside it; `None`: that is not known yet.
    pub(super) fn patience(&self, pick: &Pick) -> Option<Duration> {
        self.latencies(pick, |latencies| latencies.patience())
    }

    /// Notes how long the head of `pick`'s answer took.
    pub(super) fn took(&self, pick: &Pick, time: Duration) {
        self.latencies(pick, |latencies| latencies.note(time));
    }

    fn latencies<T>(&self, pick: &Pick, with: impl FnOnce(&mut Latencies) -> T) -> T {
        with(&mut self.tiers[pick.tier].latencies.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
