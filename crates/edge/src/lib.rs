//! A shared HTTP cache in front of any origin.
//!
//! The journey of a request is the list of files:
//! `listener → connection` (crate `serve`) `→ request → policy → key → lookup → fill → upstream → store → response`;
//! `service` is the list of its steps, `outcome` the names of its ends.

mod accounts;
mod admission;
mod check;
mod clock;
mod coverage;
mod delivery;
mod edge;
mod feedback;
mod fill;
mod follow;
mod key;
mod lookup;
mod metrics;
mod options;
mod outcome;
mod overload;
mod own;
mod owner;
mod paper;
mod patience;
mod policy;
mod prefill;
mod purge;
mod quality;
mod reload;
mod request;
mod resources;
mod response;
mod service;
mod status;
mod store;
mod upload;
mod upstream;

pub use accounts::{NodeConfig, NodeOptions};
pub use admission::{AdmissionConfig, AdmissionOptions};
pub use check::check;
pub use options::{Config, Options, UpstreamLimits};
pub use owner::{OwnerConfig, OwnerOptions};
pub use paper::Paper;
pub use policy::{CacheOptions, ClientReload, Policies};
pub use prefill::{FillConfig, FillOptions};
pub use purge::{PurgeConfig, PurgeOptions};
pub use reload::Read;
pub use request::METHODS;
pub use upstream::{GroupOptions, ServerOptions, Upstreams};

use crate::purge::Reach;
use accounts::Accounts;
use coverage::Coverage;
use dayplan::{Keeper, Place};
use edge::{Settings, Shared};
use faults::AnyFault;
use feedback::Feedback;
use policy::Release;
use serve::{Ended, Running};
use service::EdgeService;
use status::{Board, Sources};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::DiskTier;
use telemetry::{Admin, Telemetry};
use tokio::sync::watch;

/// How often the cache's bookkeeping is brought up to date when no request does it, and the machine is looked at.
const TEND_EVERY: Duration = Duration::from_secs(1);

/// An edge at work.
pub struct EdgeServer {
    running: Running,
    admin: Admin,
    /// Writes its last line when this is dropped, behind the last byte.
    accounts: Option<Accounts>,
    /// Likewise, behind the last answer.
    log: Option<accesslog::Keeper>,
    /// Written to its end behind the last answer: what was removed must not be back after a restart.
    disk: Option<Arc<DiskTier>>,
    board: Board,
    /// Every core follows what stands here.
    settings: watch::Sender<Settings>,
}

impl EdgeServer {
    /// Binds, reads the certificate, starts every core and the admin listener.
    ///
    /// # Errors
    /// An address that is taken, a certificate that is wrong, a machine without threads.
    pub fn start(config: Config) -> Result<Self, AnyFault> {
        let telemetry = Telemetry::new("edge");
        let (mut server, admin) = serve::open(config.serve.clone(), &telemetry)?;
        tracing::info!(upstream = config.upstream.names(), ram = %config.ram, name = config.name, "edge");
        let (release, following) = following(&config, &telemetry);
        let hosts: Arc<[String]> =
            config.plan.as_ref().map(|plan| plan.hosts.clone()).unwrap_or_default().into();
        let told = (!hosts.is_empty()).then(|| prefill::Told::register(&telemetry));
        let keeper = Mutex::new(following);
        let accounts = Accounts::start(config.node.as_ref(), server.sent(), &telemetry)
            .map_err(telemetry::AdminError::Thread)?;
        let coverage = Coverage::start(config.coverage.clone(), &release, &telemetry)
            .map_err(telemetry::AdminError::Thread)?;
        let feedback =
            Feedback::start(config.feedback.clone(), &telemetry).map_err(telemetry::AdminError::Thread)?;
        let to_write_down = config.access_log.clone();
        let (name, followed) = (config.name.clone(), release.clone());
        let mut shared = Shared::following(config, release, &telemetry);
        shared.coverage = coverage;
        shared.feedback = feedback;
        shared.work = server.work();
        shared.overload.govern(server.pressure());
        shared.metrics.follow(server.sent());
        let log = access_log(to_write_down, &mut shared, &telemetry)?;
        let sources =
            Sources { name, release: followed, fill: told.clone(), metrics: Arc::clone(&shared.metrics) };
        let board = Board::start(sources, &telemetry).map_err(telemetry::AdminError::Thread)?;
        let (load, disk) = (server.load(), shared.disk.clone());
        let (settings, following) = watch::channel(shared.settings.clone());
        let reach = Reach::of(&shared, following.clone());
        let hearing = purge::start(reach, &telemetry).map_err(telemetry::AdminError::Thread)?;
        server.listen_to_kin(hearing)?;
        let running = server.start(move |core, drain| {
            let (edge, ends) = (shared.on_this_core(), drain.clone());
            drop(tokio::task::spawn_local(edge.overload.ticker().clone().run()));
            if core.0 == 0 {
                drop(tokio::task::spawn_local(tend(shared.clone(), load.clone())));
                if let Some(disk) = edge.disk.clone() {
                    // The next process has it as soon as this one answers only what it has begun.
                    drop(tokio::task::spawn_local(async move {
                        drain.begun().await;
                        if !drain.is_closing() {
                            disk.let_go();
                        }
                    }));
                }
            }
            let service = EdgeService::new(edge);
            if core.0 == 0 {
                if let Some((keeper, place)) = keeper.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    drop(tokio::task::spawn_local(follow::follow(service.clone(), keeper, place)));
                }
                if let Some(told) = told.clone() {
                    drop(tokio::task::spawn_local(prefill::fill(
                        service.clone(),
                        Arc::clone(&hosts),
                        told,
                        ends,
                    )));
                }
            }
            drop(tokio::task::spawn_local(service.clone().follow(following.clone(), core.0 == 0)));
            service
        })?;
        Ok(Self { running, admin, accounts, log, disk, board, settings })
    }

    /// Plain addresses, then TLS addresses.
    pub fn addresses(&self) -> &[std::net::SocketAddr] {
        self.running.addresses()
    }

    /// Where metrics and readiness are.
    pub fn admin(&self) -> std::net::SocketAddr {
        self.admin.address()
    }

    /// Serves until it is told to end. `options` are those that it was started with; `read` reads them again when it is
    /// told to reload.
    ///
    /// # Errors
    /// When signals cannot be listened for, or the process before this one does not give way.
    pub fn run_until_told(self, options: Options, read: Read<'_>) -> Result<(), AnyFault> {
        let mut reload = reload::Reload::new(options, read, self.settings);
        let ended = serve::serve_until_told(
            self.running,
            &self.admin,
            Box::new(move |running| reload.again(running)),
        );
        drop(self.board);
        // First: what was removed has to be written down while a service manager is patient. A log is zipped by the next start, too.
        if let Some(disk) = self.disk {
            disk.close();
        }
        drop(self.accounts);
        if let Some(log) = self.log {
            if matches!(ended, Ok(Ended::Cut)) {
                log.hurry();
            }
            drop(log);
        }
        ended.map(|_| ())
    }

    /// Stops accepting, lets running answers end, and waits for it.
    pub fn stop(self) {
        self.running.drain();
        self.running.join();
        if let Some(disk) = self.disk {
            disk.close();
        }
    }
}

/// Has answers written down where that is wanted.
fn access_log(
    config: Option<accesslog::Config>,
    shared: &mut Shared,
    telemetry: &Telemetry,
) -> Result<Option<accesslog::Keeper>, telemetry::AdminError> {
    let Some(config) = config else { return Ok(None) };
    let now = || jiff::Timestamp::try_from(clock::Clock.now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let (cores, lessons) = (shared.settings.config.serve.cores, delivery::Lessons::of(shared.release()));
    let started = accesslog::AccessLog::start(config, cores, lessons, now, telemetry);
    let (log, keeper) = started.map_err(telemetry::AdminError::Thread)?;
    shared.log = Some(log);
    Ok(Some(keeper))
}

/// What the plan has to say from the first request on, and who keeps it up to date.
fn following(config: &Config, telemetry: &Telemetry) -> (Release, Option<(Keeper, Place)>) {
    let Some(plan) = config.plan.clone() else { return (Release::default(), None) };
    let (hosts, place) = (plan.hosts.clone(), plan.place.clone());
    let (keeper, plans) = Keeper::start(plan, telemetry);
    (Release::new(plans, &hosts), Some((keeper, place)))
}

async fn tend(Shared { memory, disk, overload, door, owner, metrics, .. }: Shared, load: serve::Load) {
    loop {
        let now = tokio::time::Instant::now();
        memory.tend();
        owner.look(&metrics, clock::Clock.now(), now);
        let strain = disk.as_ref().map_or(0.0, |disk| disk.strain());
        overload.look(&load, strain, owner.allowed(), now);
        metrics.quality.look(now);
        door.look(overload.level());
        tokio::time::sleep(TEND_EVERY).await;
    }
}
