//! What a request can reach: one of these a core, over parts that all cores share.

use crate::admission::Door;
use crate::clock::Clock;
use crate::coverage::Coverage;
use crate::feedback::Feedback;
use crate::fill::{Again, Flights, Lots, Unsteady, Watch};
use crate::key::CacheKey;
use crate::metrics::{CoreMetrics, Metrics};
use crate::options::{Config, UpstreamLimits};
use crate::overload::{Caps, Overload, Rates};
use crate::owner::Owner;
use crate::policy::{CachePolicy, Identity, Release};
use crate::purge::{Recent, Relay};
use crate::request::Asked;
use crate::resources::Resources;
use crate::store::{DiskTier, Entry, Ghost, Memory, Object};
use crate::upload::Uploads;
use crate::upstream::{Dial, Groups, Upstream, UpstreamError};
use accesslog::{AccessLog, Pen};
use diskstore::Pinned;
use faults::Blame;
use http::{Method, Uri};
use serve::Work;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use telemetry::{Check, Readiness, Telemetry};
use units::ByteCount;

/// What may change at work, all of it at once.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) config: Arc<Config>,
    pub(crate) groups: Arc<Groups>,
}

/// Shared by all cores.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) memory: Memory,
    pub(crate) disk: Option<Arc<DiskTier>>,
    /// What has come from the disk without being kept in memory.
    pub(crate) ghost: Arc<Ghost>,
    pub(crate) overload: Overload,
    rates: Rates,
    uploads: Uploads,
    pub(crate) flights: Flights,
    pub(crate) recent: Recent,
    pub(crate) relay: Relay,
    /// What is to be ended before the process is.
    pub(crate) work: Work,
    lots: Lots,
    identity: Arc<Identity>,
    release: Release,
    pub(crate) door: Door,
    pub(crate) coverage: Coverage,
    pub(crate) feedback: Feedback,
    pub(crate) resources: Resources,
    pub(crate) owner: Owner,
    /// What has been filled lately.
    pub(crate) filled: Arc<Again>,
    /// Of what only a part was wanted lately, and the whole came; it is not kept.
    pub(crate) left: Arc<Again>,
    /// What servers upstream do not agree about.
    pub(crate) unsteady: Arc<Unsteady>,
    /// Where answers are written down; `None`: nowhere.
    pub(crate) log: Option<AccessLog>,
    upstream_known: Arc<AtomicBool>,
    readiness: Arc<Readiness>,
}

impl Settings {
    /// Those by which these are replaced: what of `config` may change at work; the rest stays what it is.
    pub(crate) fn succeeded_by(&self, config: Config) -> Self {
        let now = &*self.config;
        let upstream = config.upstream.with_plans_of(&now.upstream);
        let groups = Arc::new(self.groups.succeeded_by(&upstream));
        // Places for connections are counted out once.
        let limits =
            UpstreamLimits { connections_per_core: now.limits.connections_per_core, ..config.limits };
        let config = Config {
            upstream,
            cache: config.cache,
            limits,
            client_share: config.client_share,
            resources: config.resources.under(now.bandwidth_cap),
            ..now.clone()
        };
        Self { config: Arc::new(config), groups }
    }
}

impl Shared {
    /// One that follows none.
    #[cfg(test)]
    pub(crate) fn new(config: Config, telemetry: &Telemetry) -> Self {
        Self::following(config, Release::default(), telemetry)
    }

    /// One that follows day plans.
    pub(crate) fn following(config: Config, release: Release, telemetry: &Telemetry) -> Self {
        let metrics = Arc::new(Metrics::register(telemetry));
        let pins = config.fill.ram;
        let memory = Memory::new(
            ByteCount(config.ram.0 - pins.0),
            metrics.memory_bytes.clone(),
            metrics.memory_objects.clone(),
            metrics.memory_evictions.clone(),
        )
        .with_pins(pins);
        let caps = Caps {
            bandwidth: config.bandwidth_cap,
            ram: config.ram,
            memory: config.memory_cap,
            cores: config.serve.cores,
            shed: config.shed,
        };
        let recent = Recent::default();
        Self {
            disk: DiskTier::open(&config.disks, memory.clone(), &recent, telemetry),
            ghost: Arc::new(Ghost::new(config.ram.0 - pins.0)),
            overload: Overload::new(caps, &metrics),
            rates: Rates::default(),
            uploads: Uploads::new(config.upload_caps, &metrics),
            identity: Arc::new(Identity::new(&config.name).known_by(&release)),
            door: Door::new(config.admission.as_ref(), &release, telemetry),
            coverage: Coverage::default(),
            feedback: Feedback::default(),
            resources: Resources::new(config.resources, &metrics),
            owner: Owner::new(config.owner.clone(), config.bandwidth_cap, telemetry),
            release,
            settings: Settings {
                groups: Arc::new(Groups::new(&config.upstream, telemetry)),
                config: Arc::new(config),
            },
            metrics,
            memory,
            flights: Flights::default(),
            recent,
            relay: Relay::default(),
            work: Work::default(),
            lots: Lots::default(),
            filled: Arc::default(),
            left: Arc::default(),
            unsteady: Arc::default(),
            log: None,
            upstream_known: Arc::default(),
            readiness: Arc::clone(&telemetry.readiness),
        }
    }

    /// What the day plan has to say.
    pub(crate) fn release(&self) -> &Release {
        &self.release
    }

    /// One core's edge.
    pub(crate) fn on_this_core(&self) -> Edge {
        self.dialling(Dial::Network)
    }

    /// One core's edge that reaches its upstream by `dial`.
    pub(crate) fn dialling(&self, dial: Dial) -> Edge {
        let Settings { config, groups } = self.settings.clone();
        Edge {
            upstream: Upstream::new(groups, dial, Arc::clone(&config), Arc::clone(&self.metrics)),
            metrics: Rc::new(Arc::clone(&self.metrics)),
            memory: self.memory.clone(),
            disk: self.disk.clone(),
            ghost: Arc::clone(&self.ghost),
            overload: self.overload.clone(),
            rates: self.rates.clone(),
            uploads: self.uploads.clone(),
            flights: self.flights.clone(),
            recent: self.recent.clone(),
            relay: self.relay.clone(),
            work: self.work.clone(),
            lots: self.lots.clone(),
            identity: Arc::clone(&self.identity),
            release: self.release.clone(),
            door: self.door.clone(),
            coverage: self.coverage.clone(),
            feedback: self.feedback.clone(),
            resources: self.resources.clone(),
            owner: self.owner.clone(),
            clock: Clock,
            config,
            filled: Arc::clone(&self.filled),
            left: Arc::clone(&self.left),
            unsteady: Arc::clone(&self.unsteady),
            pen: self.log.as_ref().map(AccessLog::pen),
            upstream_known: Arc::clone(&self.upstream_known),
            readiness: Arc::clone(&self.readiness),
        }
    }
}

/// One core's edge.
#[derive(Clone)]
pub(crate) struct Edge {
    pub(crate) upstream: Upstream,
    pub(crate) metrics: CoreMetrics,
    pub(crate) memory: Memory,
    pub(crate) disk: Option<Arc<DiskTier>>,
    /// What has come from the disk without being kept in memory.
    pub(crate) ghost: Arc<Ghost>,
    pub(crate) overload: Overload,
    pub(crate) rates: Rates,
    pub(crate) uploads: Uploads,
    pub(crate) flights: Flights,
    pub(crate) recent: Recent,
    /// Other processes that share the sockets.
    pub(crate) relay: Relay,
    /// What is to be ended before the process is.
    pub(crate) work: Work,
    pub(crate) lots: Lots,
    pub(crate) identity: Arc<Identity>,
    pub(crate) release: Release,
    pub(crate) door: Door,
    pub(crate) coverage: Coverage,
    pub(crate) feedback: Feedback,
    pub(crate) resources: Resources,
    pub(crate) owner: Owner,
    pub(crate) clock: Clock,
    pub(crate) config: Arc<Config>,
    /// What has been filled lately.
    pub(crate) filled: Arc<Again>,
    /// Of what only a part was wanted lately, and the whole came; it is not kept.
    pub(crate) left: Arc<Again>,
    /// What servers upstream do not agree about.
    pub(crate) unsteady: Arc<Unsteady>,
    /// Where answers are written down; `None`: nowhere.
    pub(crate) pen: Option<Pen>,
    upstream_known: Arc<AtomicBool>,
    readiness: Arc<Readiness>,
}

impl Edge {
    /// The same core's edge by other settings. What goes on goes on as it began: it has the edge that it was asked of.
    pub(crate) fn succeeded_by(&self, Settings { config, groups }: Settings) -> Self {
        self.resources.keep_to(&config.resources);
        Self { upstream: self.upstream.succeeded_by(groups, Arc::clone(&config)), config, ..self.clone() }
    }

    /// The rules for what is kept of what is asked for.
    pub(crate) fn policy(&self, asked: &Asked) -> &CachePolicy {
        self.policy_of(&asked.host, &asked.target)
    }

    /// The same for what is under a host and a target.
    pub(crate) fn policy_of(&self, host: &str, target: &Uri) -> &CachePolicy {
        self.config.cache.of(self.upstream.groups().route(host, target.path()))
    }

    /// Takes what is under `key` out of both tiers.
    pub(crate) fn remove(&self, key: &CacheKey) {
        self.memory.remove(key);
        self.remove_from_disk(key);
    }

    pub(crate) fn remove_from_disk(&self, key: &CacheKey) {
        if let Some(disk) = &self.disk {
            disk.remove(key);
        }
    }

    /// The number of the latest order to purge, as far as disks must know.
    pub(crate) fn latest_order(&self) -> u64 {
        self.disk.as_ref().map_or(0, |disk| disk.latest_order())
    }

    /// Writes the head of what is under `key` again, where its body is on the disk. `orders` was the latest order when the
    /// upstream was asked about it.
    pub(crate) fn freshen_on_disk(&self, key: &CacheKey, object: &Object, orders: u64) {
        if let Some(disk) = &self.disk {
            disk.freshen(key, object, orders);
        }
    }

    /// Keeps `object`, which stands under `key`, until `until`: on the disk where there is one, otherwise in memory. Not where
    /// `watch`, which was there before it was found or asked for, says that it is no more.
    pub(crate) async fn keep_until(
        &self,
        key: &CacheKey,
        primary: &CacheKey,
        object: &Arc<Object>,
        until: SystemTime,
        watch: &Watch,
    ) -> Pinned {
        match &self.disk {
            Some(disk) => {
                // A disk that was busy has left it out.
                if !disk.may_hold(key) {
                    watch.store(|| disk.put(key, object));
                }
                // The sign-post, too: without it nobody finds the variant.
                match disk.pin(key, until).await {
                    Pinned::Kept if key != primary => disk.pin(primary, until).await,
                    pinned => pinned,
                }
            }
            None => {
                let pinned = watch.store(|| {
                    self.memory.pin(key, Entry::Object(Arc::clone(object)), until)
                        && self.memory.pin_sign_post(primary, until)
                });
                match pinned {
                    Some(true) => Pinned::Kept,
                    Some(false) => Pinned::NoRoom,
                    None => Pinned::NotThere,
                }
            }
        }
    }

    /// Whether what is under `key` is kept, as what was proved is: not what is there because somebody has asked for it.
    pub(crate) fn keeps(&self, key: &CacheKey) -> bool {
        match &self.disk {
            Some(disk) => disk.is_pinned(key),
            None => self.memory.is_pinned(key),
        }
    }

    /// Whether it is worth asking the disk for `key`. One that is opening is waited for by those whose question would be a fill:
    /// who wants no other answer than what is here wants none later, and a HEAD costs the upstream no body.
    pub(crate) fn may_be_on_disk(&self, key: &CacheKey, asked: &Asked) -> bool {
        let waits = asked.method == Method::GET && !asked.directives.only_if_cached;
        self.disk
            .as_ref()
            .is_some_and(|disk| if waits { disk.is_worth_asking(key) } else { disk.may_hold(key) })
    }

    /// Notes whether the upstream answers. A node that has reached it once stays ready when it goes away: it serves
    /// what it holds, for a day and longer. One that never has is not ready.
    pub(crate) fn upstream_seen(&self, answer: Result<(), UpstreamError>) {
        if self.upstream_known.load(Ordering::Relaxed) {
            return;
        }
        match answer {
            Ok(()) => {
                self.upstream_known.store(true, Ordering::Relaxed);
                self.readiness.pass(Check::Upstream);
            }
            // It says nothing of the upstream.
            Err(UpstreamError::Rate) => {}
            Err(error) if error.blame() == Blame::Input => {}
            Err(error) => self.readiness.fail(Check::Upstream, error.to_string()),
        }
    }
}
