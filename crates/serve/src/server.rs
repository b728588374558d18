//! The cores of one server: started together, drained together.

use crate::connection::{self, Connections, Core, Here, Lending, Load, Work};
use crate::drain::Drain;
use crate::handover::{Kin, Offered, Successor, open_link};
use crate::listener::{self, ADMIN, Accepting, Inherited, LINK, Listening, MAIL, Sockets};
use crate::metrics::{Metrics, Sent};
use crate::options::{Config, Limits, raise_descriptors};
use crate::pressure::Pressure;
use crate::quic::{self, Lanes, MAX_LANES, Mail};
use crate::running::Running;
use crate::sandbox;
use crate::service::Service;
use crate::tls::Tls;
use faults::{AnyFault, Blame, Fault};
use http::HeaderValue;
use std::cell::RefCell;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use telemetry::{Admin, Check, Telemetry};
use tokio::runtime::{LocalOptions, LocalRuntime};
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

/// The longest that a process stays which has given way to another. Nobody waits for its address, so a download over a slow line may
/// end, and a connection out of use is there for the next request of whoever is idle; but its memory is not there for the other.
const GIVEN_WAY_MOST: Duration = Duration::from_secs(600);

/// Which of the server's cores, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreId(pub usize);

/// The machine did not give what a server needs.
#[derive(Debug, thiserror::Error)]
#[error("cannot start core {core}: {source}; the machine is out of threads, memory or descriptors")]
pub struct ServeError {
    /// Which core, from 0.
    pub(crate) core: usize,
    pub(crate) source: std::io::Error,
}

impl Fault for ServeError {
    fn code(&self) -> &'static str {
        "CORE_FAILED"
    }

    fn blame(&self) -> Blame {
        Blame::Ours
    }
}

/// Opens everything that a service listens on, the admin listener among it: sockets of the process that runs at
/// `config.handover` if there is one, those that the service manager has opened, or new ones. Then the process gives up
/// what it does not need any more, so this comes before anything that starts threads, and after everything that has to be
/// read with the rights it was started with.
///
/// # Errors
/// As [`Server::bind`], and [`crate::HandoverError`], [`crate::SandboxError`], [`telemetry::AdminError`].
pub fn open(config: Config, telemetry: &Telemetry) -> Result<(Server, Admin), AnyFault> {
    if let Err(error) = raise_descriptors() {
        tracing::warn!(%error, "fewer descriptors than this process may have");
    }
    let mut inherited = Inherited::from_environment();
    let successor = match &config.handover {
        Some(path) => {
            let successor = Successor::ask(path, &mut inherited, &telemetry.readiness)?;
            successor.recognise(&inherited, &config)?;
            Some(successor)
        }
        None => None,
    };
    let (admin, address) = (inherited.take_named(ADMIN).pop(), config.admin);
    let link = inherited.take_named(LINK).pop();
    let hosts = config.admin_hosts.clone();
    let server = Server { link, ..Server::bind_with(config, telemetry, &mut inherited, successor)? };
    let admin = match admin {
        // Also where it is in the way of another one, which nobody is to wait for.
        Some(given) => Admin::adopt(Some(given), address)?,
        None => inherited.open(|| Admin::bind(address))?,
    };
    sandbox::confine(&server.config.sandbox)?;
    // The one thread that was there before.
    telemetry::renew_log_writer().map_err(|source| ServeError { core: 0, source })?;
    Ok((server, Admin::on(admin, hosts, telemetry.clone())?))
}

/// Bound and not yet accepting.
pub struct Server {
    config: Config,
    /// In the order of the configuration's listeners.
    sockets: Vec<Sockets>,
    /// Of all UDP sockets, counted through.
    lanes: Arc<Lanes>,
    tls: Option<Tls>,
    connections: Connections,
    metrics: Arc<Metrics>,
    successor: Option<Successor>,
    /// To the process before this one.
    link: Option<OwnedFd>,
    /// Hears when that one is gone.
    gone: Option<oneshot::Receiver<()>>,
    kin: Option<Arc<dyn Kin>>,
    telemetry: Telemetry,
}

impl Server {
    /// Binds every address and reads the certificates, so that nothing can fail once the first student is in.
    ///
    /// # Errors
    /// [`crate::ListenError`] for an address, [`crate::TlsError`] for a certificate or ticket key.
    pub fn bind(config: Config, telemetry: &Telemetry) -> Result<Self, AnyFault> {
        Self::bind_with(config, telemetry, &mut Inherited::default(), None)
    }

    /// The same with sockets that are there already, and with a `successor` that may hand them on.
    fn bind_with(
        config: Config,
        telemetry: &Telemetry,
        inherited: &mut Inherited,
        mut successor: Option<Successor>,
    ) -> Result<Self, AnyFault> {
        let tls = config.tls.as_ref().map(Tls::load).transpose()?;
        let bind = |number| listener::bind(&config.listeners, number, config.cores, inherited);
        let sockets = (0..config.listeners.len()).map(bind).collect::<Result<Vec<_>, _>>()?;
        let lanes = lanes(&sockets, inherited)?;
        if !inherited.left().is_empty() {
            tracing::warn!(addresses = inherited.left().join(","), "were handed over and are not configured");
        }
        if let Some(successor) = &mut successor {
            successor.leave(inherited.left_datagrams());
        }
        let metrics = Arc::new(Metrics::register(telemetry));
        if let Some(tls) = &tls {
            tls.report(&metrics);
        }
        let connections = Connections::new(config.limits.max_connections, Arc::clone(&metrics));
        let telemetry = telemetry.clone();
        let (link, gone, kin) = (None, None, None);
        Ok(Self { config, sockets, lanes, tls, connections, metrics, successor, link, gone, kin, telemetry })
    }

    /// Has `kin` hear what the process before this one says from now on, and those after it, while they share the sockets.
    ///
    /// # Errors
    /// [`ServeError`] when the machine gives no thread.
    pub fn listen_to_kin(&mut self, kin: Arc<dyn Kin>) -> Result<(), ServeError> {
        if let Some(link) = self.link.take() {
            let (gone, hears) = oneshot::channel();
            open_link(link, Arc::clone(&kin), gone).map_err(|source| ServeError { core: 0, source })?;
            self.gone = Some(hears);
        }
        self.kin = Some(kin);
        Ok(())
    }

    /// For what goes on beside connections.
    pub fn work(&self) -> Work {
        self.connections.work()
    }

    /// Where it listens over TCP: plain addresses, then TLS addresses, then the listeners of tables, ports resolved.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|sockets| sockets.listening.first()?.address()).collect()
    }

    /// What the connections look at when they are under pressure; the service judges it.
    pub fn pressure(&self) -> Pressure {
        self.connections.pressure()
    }

    /// How many of the places are taken.
    pub fn load(&self) -> Load {
        self.connections.load()
    }

    /// What has been sent to clients.
    pub fn sent(&self) -> Sent {
        self.metrics.sent.clone()
    }

    /// Starts one thread a core. `factory` makes each core's service, on that core, inside its runtime.
    ///
    /// # Errors
    /// [`ServeError`] when the machine gives no thread or runtime.
    pub fn start<S: Service>(
        self,
        factory: impl Fn(CoreId, Drain) -> S + Send + Sync + 'static,
    ) -> Result<Running, AnyFault> {
        let cores = self.config.cores;
        let addresses = self.addresses();
        let (sender, drain) = Drain::pair();
        let (limits, _) = watch::channel(self.config.limits);
        let factory = Arc::new(factory);
        let mut shares = self.shares().map_err(|source| ServeError { core: 0, source })?;
        if let Some(share) = shares.first_mut() {
            share.gone = self.gone;
        }
        let mut threads = Vec::with_capacity(cores);
        for (core, share) in shares.into_iter().enumerate() {
            let failed = |source| ServeError { core, source };
            drop(runtime().map_err(failed)?); // Found out here, where it can be reported; the real one is made on its thread.
            let (connections, limits, drain) = (self.connections.clone(), limits.subscribe(), drain.clone());
            let factory = Arc::clone(&factory);
            let thread = std::thread::Builder::new()
                .name(format!("core-{core}"))
                .spawn(move || {
                    telemetry::count_alone();
                    match runtime() {
                        Ok(runtime) => runtime.block_on(async {
                            let service = Rc::new(factory(CoreId(core), drain.clone()));
                            run_core(service, limits, drain, share, connections).await;
                        }),
                        Err(error) => tracing::error!(core, %error, "this core has no runtime"),
                    }
                })
                .map_err(failed)?;
            threads.push(thread);
        }
        self.telemetry.readiness.pass(Check::Listening);
        self.telemetry.readiness.pass(Check::NotDraining);
        // One line that scripts and tests wait for.
        let listeners = self.config.listeners.iter().zip(&self.sockets);
        let listen: Vec<_> =
            listeners.map(|(listener, sockets)| listener::describe(listener, sockets)).collect();
        tracing::info!(listen = listen.join(","), cores, "listening");
        Ok(Running {
            addresses,
            drain: Arc::new(sender),
            threads,
            telemetry: self.telemetry,
            limits,
            tls: self.tls,
            config: RefCell::new(self.config),
            sockets: RefCell::new(self.sockets),
            lanes: self.lanes,
            connections: self.connections,
            metrics: self.metrics,
            successor: self.successor,
            offered: Offered::default(),
            kin: self.kin,
        })
    }
}

/// What one core accepts from.
#[derive(Default)]
struct Share {
    listening: Vec<(Here, Listening)>,
    datagrams: Vec<Datagrams>,
    /// On one of them: hears when the process before this one is gone.
    gone: Option<oneshot::Receiver<()>>,
}

/// A UDP socket on its way to its core.
struct Datagrams {
    socket: UdpSocket,
    terms: quic::Terms,
    lanes: Arc<Lanes>,
    lane: u8,
}

impl Server {
    /// Shares the sockets out to the cores.
    fn shares(&self) -> std::io::Result<Vec<Share>> {
        let Config { listeners, cores, limits, http3_max_age, .. } = &self.config;
        let mut shares: Vec<Share> = (0..*cores).map(|_| Share::default()).collect();
        let mut lane = 0;
        for (listener, sockets) in listeners.iter().zip(&self.sockets) {
            let tls = self.tls.as_ref().filter(|_| listener.tls);
            let here = Here {
                tls: tls.map(|tls| Arc::clone(&tls.config)),
                proxy: listener.proxy.clone().map(Arc::new),
                alternative: alternative(sockets, http3_max_age.as_secs()),
                zero_copy: listener.tuning.zero_copy,
                to_https: listener.to_https,
            };
            let shared = listener::by_core(&sockets.listening, *cores)?;
            for (share, sockets) in shares.iter_mut().zip(shared) {
                share.listening.extend(sockets.into_iter().map(|socket| (here.clone(), socket)));
            }
            let Some(tls) = tls else { continue };
            let shared = listener::datagrams_by_core(&sockets.datagrams, *cores)?;
            for (share, sockets) in shares.iter_mut().zip(shared) {
                for socket in sockets {
                    let terms = quic::Terms::new(Arc::clone(&tls.quic), listener.tuning.clone(), limits.idle);
                    let lanes = Arc::clone(&self.lanes);
                    share.datagrams.push(Datagrams { socket, terms, lanes, lane });
                    lane = lane.saturating_add(1);
                }
            }
        }
        Ok(shares)
    }
}

/// Counts the UDP sockets through, and takes what the process before this one says of its own.
fn lanes(sockets: &[Sockets], inherited: &mut Inherited) -> Result<Arc<Lanes>, AnyFault> {
    let count: usize = sockets.iter().map(|sockets| sockets.datagrams.len()).sum();
    if count > MAX_LANES {
        let problem = format!("times the listeners with http3 are {count}; at most {MAX_LANES} can be");
        return Err(settings::SettingsError::value("cores", problem).into());
    }
    let before = match inherited.take_beginning(MAIL) {
        Some((said, end)) => Mail::to(end).map(|mail| Some((said, mail))),
        None => Ok(None),
    };
    let before = before.map_err(|source| ServeError { core: 0, source })?;
    Ok(Lanes::new(count, before))
}

/// That HTTP/3 is spoken at the same port (RFC 7838 §3).
fn alternative(sockets: &Sockets, max_age: u64) -> Option<HeaderValue> {
    let port = sockets.datagrams.first()?.local_addr().ok()?.port();
    HeaderValue::from_str(&format!("h3=\":{port}\"; ma={max_age}")).ok()
}

/// One core's runtime.
fn runtime() -> std::io::Result<LocalRuntime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Tasks woken by another core come before our own, and so in the order in which they were woken. By default
        // they come once in 31 tasks: a herd that waits for another core's fill would get its first bytes only after
        // those who have theirs got everything else.
        .global_queue_interval(1)
        .build_local(LocalOptions::default())
}

/// Accepts until the drain begins, then waits for the last connection of all cores, but not for ever.
async fn run_core<S: Service>(
    service: Rc<S>,
    limits: watch::Receiver<Limits>,
    drain: Drain,
    share: Share,
    connections: Connections,
) {
    let lending = Rc::new(Lending::new(connections.metrics().lent.clone()));
    let core = Rc::new(Core { service, limits: *limits.borrow(), drain, lending });
    let current = Rc::new(Current { core: RefCell::new(Rc::clone(&core)), limits: RefCell::new(limits) });
    let mut accepting = tokio::task::JoinSet::new();
    for (here, socket) in share.listening {
        let here = Rc::new(here);
        match Accepting::begin(socket) {
            Ok(listener) => {
                let (connections, drain, current) =
                    (connections.clone(), core.drain.clone(), Rc::clone(&current));
                let counted = connections.accepting();
                accepting.spawn_local(async move {
                    listener::accept_loop(listener, connections, drain, |socket, sender, place| {
                        connection::open(current.get(), socket, sender, place.take(), &here);
                    })
                    .await;
                    drop(counted);
                });
            }
            Err(error) => tracing::error!(%error, "a listener cannot be polled"),
        }
    }
    for Datagrams { socket, terms, lanes, lane } in share.datagrams {
        let sent = connections.metrics().sent.clone();
        match quic::endpoint(socket, &terms, &lanes, lane, sent) {
            Ok(endpoint) => {
                let (connections, drain, current) =
                    (connections.clone(), core.drain.clone(), Rc::clone(&current));
                let counted = connections.accepting();
                accepting.spawn_local(async move {
                    let idle = || current.get().limits.idle;
                    let open = |handshake, place, unfinished| {
                        connection::open_quic(current.get(), handshake, place, unfinished);
                    };
                    quic::accept_loop(endpoint, terms, connections, drain, idle, open).await;
                    drop(counted);
                });
            }
            Err(error) => tracing::error!(%error, "a UDP socket cannot be polled"),
        }
    }
    if let Some(gone) = share.gone {
        // What that one and the next tell each other goes through here: a process between two that still answer stays.
        let (counted, drain) = (connections.accepting(), core.drain.clone());
        drop(tokio::task::spawn_local(async move {
            tokio::select! { _ = gone => {}, () = drain.closing() => {} }
            drop(counted);
        }));
    }
    while accepting.join_next().await.is_some() {}
    // A server without listeners still lives until it is told to stop.
    core.drain.begun().await;
    if !last_answers(&core.drain, || current.get().limits.drain, connections.all_gone()).await {
        tracing::warn!(connections = connections.open(), "drain limit reached; the rest is cut");
    }
}

/// Waits until all are gone, or for as long as they may stay; whether they are gone. Who stops leaves an address that is about to be
/// gone, and may say so also after it has given way.
async fn last_answers(
    drain: &Drain,
    limit: impl Fn() -> Duration,
    all_gone: impl Future<Output = ()>,
) -> bool {
    let most = async {
        tokio::select! {
            () = drain.closing() => sleep(limit()).await,
            () = sleep(GIVEN_WAY_MOST) => {}
        }
    };
    tokio::select! { () = all_gone => true, () = most => false }
}

/// What new connections of one core share. Those that are open keep what they began with.
struct Current<S> {
    core: RefCell<Rc<Core<S>>>,
    limits: RefCell<watch::Receiver<Limits>>,
}

impl<S> Current<S> {
    fn get(&self) -> Rc<Core<S>> {
        let mut limits = self.limits.borrow_mut();
        if limits.has_changed().unwrap_or(false) {
            let now = *limits.borrow_and_update();
            let mut core = self.core.borrow_mut();
            let Core { service, drain, lending, .. } = &**core;
            let (service, drain, lending) = (Rc::clone(service), drain.clone(), Rc::clone(lending));
            *core = Rc::new(Core { service, limits: now, drain, lending });
        }
        Rc::clone(&self.core.borrow())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::Instant;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_goes_on_over_a_handover_is_not_cut_at_the_drain_limit() {
        let (sender, drain) = Drain::pair();
        sender.give_way();
        assert!(last_answers(&drain, || LIMIT, sleep(LIMIT * 19)).await);
        let began = Instant::now();
        assert!(!last_answers(&drain, || LIMIT, pending()).await);
        assert_eq!(began.elapsed(), GIVEN_WAY_MOST, "and nothing stays for ever");
        // Who has given way may still be told to stop.
        let began = Instant::now();
        let stop = async {
            sleep(LIMIT).await;
            sender.begin();
        };
        let (gone, ()) = tokio::join!(last_answers(&drain, || LIMIT, pending()), stop);
        assert_eq!((gone, began.elapsed()), (false, LIMIT * 2));
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waits_for_no_longer_than_the_drain_limit() {
        let (sender, drain) = Drain::pair();
        sender.begin();
        let began = Instant::now();
        assert!(!last_answers(&drain, || LIMIT, pending()).await);
        assert_eq!(began.elapsed(), LIMIT);
    }
}
