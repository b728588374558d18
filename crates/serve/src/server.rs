//! The cores of one server: started together, drained together.

use crate::connection::{self, Connections, Core};
use crate::drain::{self, Drain, DrainSender};
use crate::listener;
use crate::metrics::Metrics;
use crate::options::Config;
use crate::service::{Peer, Scheme, Service};
use crate::tls;
use faults::{AnyFault, Blame, Fault};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use telemetry::{Check, Telemetry};
use tokio::runtime::{LocalOptions, LocalRuntime};
use tokio::signal::unix::{SignalKind, signal};

/// Which of the server's cores, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreId(pub usize);

/// The machine did not give what a server needs.
#[derive(Debug, thiserror::Error)]
#[error("cannot start core {core}: {source}; the machine is out of threads, memory or descriptors")]
pub struct ServeError {
    /// Which core, from 0.
    core: usize,
    source: std::io::Error,
}

impl Fault for ServeError {
    fn code(&self) -> &'static str {
        "CORE_FAILED"
    }

    fn blame(&self) -> Blame {
        Blame::Ours
    }
}

/// Bound and not yet accepting.
pub struct Server {
    config: Config,
    /// For each plain address, then each TLS address: one socket a core.
    plain: Vec<Vec<std::net::TcpListener>>,
    tls: Vec<Vec<std::net::TcpListener>>,
    tls_config: Option<Arc<rustls::ServerConfig>>,
    connections: Connections,
    telemetry: Telemetry,
}

impl Server {
    /// Binds every address and reads the certificate, so that nothing can fail once the first student is in.
    ///
    /// # Errors
    /// [`crate::ListenError`] for an address, [`crate::TlsError`] for the certificate.
    pub fn bind(config: Config, telemetry: &Telemetry) -> Result<Self, AnyFault> {
        let tls_config = config.tls.as_ref().map(|(_, files)| tls::config(files)).transpose()?;
        let bind = |addresses: &[SocketAddr]| {
            addresses
                .iter()
                .map(|&address| listener::bind(address, config.cores))
                .collect::<Result<Vec<_>, _>>()
        };
        let plain = bind(&config.plain)?;
        let tls = bind(config.tls.as_ref().map_or(&[], |(addresses, _)| addresses))?;
        let metrics = Arc::new(Metrics::register(telemetry));
        let connections = Connections::new(config.limits.max_connections, metrics);
        Ok(Self { config, plain, tls, tls_config, connections, telemetry: telemetry.clone() })
    }

    /// Where it listens: plain addresses, then TLS addresses, ports resolved.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let first = |sockets: &Vec<std::net::TcpListener>| {
            sockets.first().and_then(|socket| socket.local_addr().ok())
        };
        self.plain.iter().chain(&self.tls).filter_map(first).collect()
    }

    /// Starts one thread a core. `factory` makes each core's service, on that core, inside its runtime.
    ///
    /// # Errors
    /// [`ServeError`] when the machine gives no thread or runtime.
    pub fn start<S: Service>(
        self,
        factory: impl Fn(CoreId, Drain) -> S + Send + Sync + 'static,
    ) -> Result<Running, AnyFault> {
        let addresses = self.addresses();
        let (sender, drain) = drain::pair();
        let factory = Arc::new(factory);
        let mut plain = by_core(self.plain, self.config.cores).into_iter();
        let mut tls = by_core(self.tls, self.config.cores).into_iter();
        let mut threads = Vec::with_capacity(self.config.cores);
        for core in 0..self.config.cores {
            let failed = |source| ServeError { core, source };
            drop(runtime().map_err(failed)?); // Found out here, where it can be reported; the real one is made on its thread.
            let sockets = CoreSockets {
                plain: plain.next().unwrap_or_default(),
                tls: tls.next().unwrap_or_default(),
                tls_config: self.tls_config.clone(),
            };
            let (connections, limits, drain) = (self.connections.clone(), self.config.limits, drain.clone());
            let factory = Arc::clone(&factory);
            let thread = std::thread::Builder::new()
                .name(format!("core-{core}"))
                .spawn(move || match runtime() {
                    Ok(runtime) => runtime.block_on(async {
                        let service = factory(CoreId(core), drain.clone());
                        run_core(Rc::new(Core { service, limits, drain }), sockets, connections).await;
                    }),
                    Err(error) => tracing::error!(core, %error, "this core has no runtime"),
                })
                .map_err(failed)?;
            threads.push(thread);
        }
        self.telemetry.readiness.pass(Check::Listening);
        self.telemetry.readiness.pass(Check::NotDraining);
        // One line that scripts and tests wait for.
        let listen: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        tracing::info!(listen = listen.join(","), cores = threads.len(), "listening");
        Ok(Running { addresses, drain: sender, threads, telemetry: self.telemetry })
    }
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

/// Sockets by address, each with one socket a core, become sockets by core.
fn by_core(addresses: Vec<Vec<std::net::TcpListener>>, cores: usize) -> Vec<Vec<std::net::TcpListener>> {
    let mut by_core: Vec<Vec<_>> = (0..cores).map(|_| Vec::new()).collect();
    for sockets in addresses {
        for (core, socket) in by_core.iter_mut().zip(sockets) {
            core.push(socket);
        }
    }
    by_core
}

struct CoreSockets {
    plain: Vec<std::net::TcpListener>,
    tls: Vec<std::net::TcpListener>,
    tls_config: Option<Arc<rustls::ServerConfig>>,
}

/// Accepts until the drain begins, then waits for the last connection of all cores, but not for ever.
async fn run_core<S: Service>(core: Rc<Core<S>>, sockets: CoreSockets, connections: Connections) {
    let mut accepting = tokio::task::JoinSet::new();
    for socket in sockets.plain {
        start_accepting(&mut accepting, socket, &core, &connections.clone(), {
            let core = Rc::clone(&core);
            move |stream, address, place| {
                let peer = Peer { address, scheme: Scheme::Http };
                drop(tokio::task::spawn_local(connection::plain(
                    Rc::clone(&core),
                    stream,
                    peer,
                    place.take(),
                )));
            }
        });
    }
    if let Some(config) = sockets.tls_config {
        for socket in sockets.tls {
            let config = Arc::clone(&config);
            start_accepting(&mut accepting, socket, &core, &connections.clone(), {
                let core = Rc::clone(&core);
                move |stream, address, place| {
                    let peer = Peer { address, scheme: Scheme::Https };
                    let (core, config) = (Rc::clone(&core), Arc::clone(&config));
                    drop(tokio::task::spawn_local(connection::tls(core, stream, peer, place.take(), config)));
                }
            });
        }
    }
    while accepting.join_next().await.is_some() {}
    // A server without listeners still lives until it is told to stop.
    core.drain.begun().await;
    if tokio::time::timeout(core.limits.drain, connections.all_gone()).await.is_err() {
        tracing::warn!(connections = connections.open(), "drain limit reached; the rest is cut");
    }
}

fn start_accepting<S: Service>(
    accepting: &mut tokio::task::JoinSet<()>,
    socket: std::net::TcpListener,
    core: &Rc<Core<S>>,
    connections: &Connections,
    open: impl Fn(tokio::net::TcpStream, SocketAddr, connection::Place) + 'static,
) {
    match tokio::net::TcpListener::from_std(socket) {
        Ok(listener) => {
            let (connections, drain) = (connections.clone(), core.drain.clone());
            let counted = connections.accepting();
            accepting.spawn_local(async move {
                listener::accept_loop(listener, connections, drain, open).await;
                drop(counted);
            });
        }
        Err(error) => tracing::error!(%error, "a listener cannot be polled"),
    }
}

/// A server at work.
pub struct Running {
    addresses: Vec<SocketAddr>,
    drain: DrainSender,
    threads: Vec<JoinHandle<()>>,
    telemetry: Telemetry,
}

impl Running {
    /// Where it listens: plain addresses, then TLS addresses.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops accepting; running answers go on up to the drain limit.
    pub fn drain(&self) {
        self.telemetry.readiness.fail(Check::NotDraining, "stopping");
        self.drain.begin();
    }

    /// Waits for every core to end. Without [`Running::drain`] that is for ever.
    pub fn join(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a core panicked");
            }
        }
    }
}

/// Runs until SIGTERM or SIGINT, then drains. A second signal ends the process at once.
///
/// # Errors
/// [`ServeError`] when the signals cannot be listened for.
pub fn run_until_signalled(running: Running) -> Result<(), AnyFault> {
    let failed = |source| ServeError { core: 0, source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut wait = async || {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        };
        wait().await;
        tracing::info!("stopping: no new connections, running answers go on");
        running.drain();
        let ended = tokio::task::spawn_blocking(move || running.join());
        tokio::select! {
            _ = ended => tracing::info!("stopped"),
            () = wait() => tracing::warn!("stopped at the second signal; running answers are cut"),
        }
        Ok::<(), ServeError>(())
    })?;
    // The blocking join may still run after a second signal; it is not waited for.
    runtime.shutdown_background();
    Ok(())
}
