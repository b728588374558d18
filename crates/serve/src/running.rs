//! A server at work: told to stop, to read its configuration again, or to make way for the next process.

mod signals;

pub use signals::{Ended, Reread, hold_hang_ups, run_until_signalled, serve_until_told};

use crate::connection::Connections;
use crate::drain::DrainSender;
use crate::handover::{HandoverError, Kin, Offered, Reads, Successor};
use crate::listener::{self, ADMIN, MAIL, Sockets};
use crate::metrics::Metrics;
use crate::options::{Config, Limits};
use crate::quic::{Lanes, Mail};
use crate::tls::{Tls, TlsError};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::thread::JoinHandle;
use telemetry::{Admin, Check, Telemetry};
use tokio::sync::{oneshot, watch};

/// A server at work.
pub struct Running {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) drain: Arc<DrainSender>,
    pub(crate) threads: Vec<JoinHandle<()>>,
    pub(crate) telemetry: Telemetry,
    /// New connections take what stands here.
    pub(crate) limits: watch::Sender<Limits>,
    pub(crate) tls: Option<Tls>,
    pub(crate) config: RefCell<Config>,
    /// Our own handles, for whoever comes after us.
    pub(crate) sockets: RefCell<Vec<Sockets>>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) connections: Connections,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) successor: Option<Successor>,
    /// What a successor may have of them.
    pub(crate) offered: Offered,
    /// Hears what the next process says.
    pub(crate) kin: Option<Arc<dyn Kin>>,
}

impl Running {
    /// Where it listens: plain addresses, then TLS addresses, then those of listener tables.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops accepting and closes idle connections; running answers go on up to the drain limit.
    pub fn drain(&self) {
        self.telemetry.readiness.fail(Check::NotDraining, "stopping");
        self.sockets.borrow_mut().clear();
        // The admin listener serves to the end, and UDP sockets send: who comes next cannot have any of its own before.
        self.offered.keep(|name| name == ADMIN || listener::is_of_datagrams(name));
        self.drain.begin();
    }

    /// Stops accepting, because another process does. Nobody is in a hurry: an idle connection is closed with the answer
    /// to its next request, so that no request meets a closed door.
    fn give_way(&self) {
        self.telemetry.readiness.fail(Check::NotDraining, "another process has taken over");
        self.sockets.borrow_mut().clear();
        // That one has handles of its own. When it ends before this one, nobody is to be let in here; but what is sent from here to
        // the end nobody could bind beside it.
        self.offered.keep(listener::is_of_datagrams);
        self.drain.give_way();
    }

    /// Waits for every core to end. Without [`Running::drain`] that is for ever.
    pub fn join(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a core panicked");
            }
        }
    }

    /// Client connections that are open.
    pub fn connections(&self) -> usize {
        self.connections.open()
    }

    /// Whether it has listeners that speak TLS.
    pub fn speaks_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Takes what may change at work from `config`: certificates, ticket keys, time-outs and bounds of new connections.
    /// The rest of it is not looked at ([`is_live`] says which is which). Whether files of certificates or ticket keys were new.
    ///
    /// # Errors
    /// A certificate or ticket key that cannot be used. Then nothing has changed.
    pub fn reconfigure(&self, config: &Config) -> Result<bool, TlsError> {
        let mut has_new_files = false;
        if let (Some(tls), Some(files)) = (&self.tls, &config.tls) {
            has_new_files = tls.reload(files)?;
            tls.report(&self.metrics);
        }
        // Places are counted out once.
        let limits = Limits { max_connections: self.config.borrow().limits.max_connections, ..config.limits };
        self.limits.send_replace(limits);
        let mut current = self.config.borrow_mut();
        current.limits = limits;
        if config.tls.is_some() == current.tls.is_some() {
            current.tls.clone_from(&config.tls);
        }
        Ok(has_new_files)
    }

    /// Reads certificates and ticket keys again when somebody has written them.
    fn look_at_files(&self) {
        let config = self.config.borrow();
        let (Some(tls), Some(files)) = (&self.tls, &config.tls) else { return };
        match tls.reload_if_changed(files) {
            None => {}
            Some(Ok(())) => {
                tls.report(&self.metrics);
                tracing::info!("certificates and ticket keys read again");
            }
            // Half written, or wrong. It is looked at again when it changes.
            Some(Err(error)) => {
                let error = config.sandbox.explain(error.to_string());
                tracing::error!(error, "the new certificates are not used; the old ones stay");
            }
        }
    }

    /// From here on another process may take the sockets, the admin listener's among them. `None` when nobody can ask.
    fn offer(&mut self, admin: &Admin) -> Result<Option<Offer>, HandoverError> {
        let Some(mut successor) = self.successor.take() else { return Ok(None) };
        successor.ready(&self.telemetry.readiness)?;
        self.lanes.read(|_| true);
        let sockets = self.offered.clone();
        let add = |name: String, socket: std::io::Result<OwnedFd>| match socket {
            Ok(socket) => sockets.add(name, socket),
            Err(error) => tracing::error!(%error, name, "a socket cannot be handed over"),
        };
        let config = self.config.borrow();
        // By the names of their sockets, which are counted through.
        let (mut lanes_of, mut lane) = (Vec::new(), 0);
        for (number, open) in self.sockets.borrow().iter().enumerate() {
            for socket in &open.listening {
                add(listener::name(&config.listeners, number), socket.as_fd().try_clone_to_owned());
            }
            let name = listener::name_of_datagrams(&config.listeners, number);
            for socket in &open.datagrams {
                add(name.clone(), socket.as_fd().try_clone_to_owned());
            }
            lanes_of.push((name, lane..lane + open.datagrams.len()));
            lane += open.datagrams.len();
        }
        let mut mail = None;
        if self.sockets.borrow().iter().any(|open| !open.datagrams.is_empty()) {
            let name = format!("{MAIL}{}", self.lanes.to_pass_on());
            add(
                name,
                Mail::pair().map(|(ours, theirs)| {
                    mail = Some(ours);
                    theirs
                }),
            );
        }
        add(ADMIN.to_owned(), admin.socket());
        // Read by one process at a time: this one stops before the next is told to begin.
        let lanes = Arc::clone(&self.lanes);
        let read = move |reads: Reads<'_>| {
            lanes.read(|lane| match reads {
                Reads::All => true,
                Reads::Left(names) => {
                    lanes_of.iter().any(|(name, of)| of.contains(&lane) && names.contains(name))
                }
            });
        };
        let readiness = Arc::clone(&self.telemetry.readiness);
        let taken_over = successor.offer(sockets.clone(), readiness, read, self.kin.clone())?;
        Ok(Some(Offer { taken_over, mail }))
    }
}

/// What comes of sockets that are offered.
struct Offer {
    /// Hears that another process has taken over.
    taken_over: oneshot::Receiver<()>,
    /// Where that process sends what is for connections of this one.
    mail: Option<UnixDatagram>,
}

/// Whether a key of `[serve]` may change at work, by its path below that table. `tls`: the process has listeners that speak TLS, and
/// keeps them; without one certificates are nobody's.
pub fn is_live(key: &str, tls: bool) -> bool {
    match key.strip_prefix("limits.") {
        Some(limit) => limit != "max_connections",
        None => tls && matches!(key, "cert" | "key" | "ticket_keys"),
    }
}
