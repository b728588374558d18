//! What is measured: a cache in front of the origin, as a process.

pub(crate) mod airclass;
pub(crate) mod nginx;
pub(crate) mod traffic_server;
pub(crate) mod varnish;

use crate::clock;
use crate::load::{Connection, Head, Question, SMALL, Target, Way};
use crate::options::Options;
use crate::process::Process;
use crate::tls::Certificate;
use crate::upstream::Upstream;
use crate::{cpu, memory};
use anyhow::{Context, Result, ensure};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// A cache at work.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) plain: SocketAddr,
    /// Where it speaks TLS, if it does.
    pub(crate) tls: Option<SocketAddr>,
    process: Process,
    /// Its files; gone with it.
    _directory: TempDir,
}

/// Which cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Airclass,
    Nginx,
    Varnish,
    TrafficServer,
}

/// What a peer is set up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    /// As few connections as it is of use with: what it takes at rest is itself. nginx takes the memory for connections
    /// when it starts, whether they come or not; the others take it when they come.
    Least,
    /// The 15,000 connections that the figures need, all objects in memory.
    Full,
    /// As [`Setup::Full`], with [`SMALL_RAM`] for objects and the rest on disk.
    Disk,
    /// As [`Setup::Full`], with every answer written down. Ours alone.
    Logged,
}

/// Memory for objects where the disk is measured: a seventh of what is asked for.
pub(crate) const SMALL_RAM_MIB: usize = 64;
/// Room for objects: more than is ever asked for.
pub(crate) const ROOM_MIB: usize = 1_024;
/// Connections at once, over all of a peer's processes.
pub(crate) const CONNECTIONS: usize = 15_000;

/// Everything that a peer is started with.
pub(crate) struct Plan<'a> {
    setup: Setup,
    upstream: SocketAddr,
    certificate: &'a Certificate,
    ports: Ports,
    directory: TempDir,
}

impl Kind {
    /// Ours first: lines are "ours against peers'".
    pub(crate) const ALL: [Self; 4] = [Self::Airclass, Self::Nginx, Self::Varnish, Self::TrafficServer];

    /// As it is called in a result.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Airclass => "airclass",
            Self::Nginx => "nginx",
            Self::Varnish => "Varnish",
            Self::TrafficServer => "Traffic Server",
        }
    }

    /// Why it speaks no TLS; `None` if it does.
    pub(crate) const fn why_no_tls(self) -> Option<&'static str> {
        match self {
            Self::Varnish => Some("Debian's Varnish 7.1 speaks no TLS"),
            _ => None,
        }
    }

    /// Starts it in front of `upstream` and waits until it takes connections.
    pub(crate) fn start(
        self,
        setup: Setup,
        options: &Options,
        upstream: &Upstream,
        certificate: &Certificate,
        directory: TempDir,
    ) -> Result<Peer> {
        let plan =
            Plan { setup, upstream: upstream.address(), certificate, ports: Ports::free()?, directory };
        let log = plan.directory.path().join("output.log");
        let process = match self {
            Self::Airclass => airclass::start(options, &plan, &log),
            Self::Nginx => nginx::start(&plan, &log),
            Self::Varnish => varnish::start(&plan, &log),
            Self::TrafficServer => traffic_server::start(&plan, &log),
        };
        self.wait_for(process?, plan, &log)
    }

    fn wait_for(self, mut process: Process, plan: Plan<'_>, log: &Path) -> Result<Peer> {
        let plain = plan.ports.plain;
        let tls = self.why_no_tls().is_none().then_some(plan.ports.tls);
        let addresses: Vec<_> = [plain].into_iter().chain(tls).collect();
        wait_for(&mut process, log, &addresses).with_context(|| self.name())?;
        Ok(Peer { kind: self, plain, tls, process, _directory: plan.directory })
    }

    /// Whether an answer says that it came from the cache. Traffic Server tells only that it went through one.
    fn says_hit(self, head: &Head) -> bool {
        match self {
            Self::Airclass => head.field("cache-status").is_some_and(|status| status.contains("hit")),
            Self::Nginx => head.field("x-cache") == Some("HIT"),
            // The request's number and that of the request which filled it.
            Self::Varnish => head.field("x-varnish").is_some_and(|numbers| numbers.contains(' ')),
            Self::TrafficServer => head.field("age").is_some(),
        }
    }
}

/// Waits until a process listens everywhere.
pub(crate) fn wait_for(process: &mut Process, log: &Path, addresses: &[SocketAddr]) -> Result<()> {
    let mut ended = Ok(());
    let up = clock::wait_until(START_WITHIN, || {
        ended = process.check(log);
        ended.is_err() || addresses.iter().all(|address| TcpStream::connect(address).is_ok())
    });
    ended?;
    ensure!(up, "nothing listens on {addresses:?} after {START_WITHIN:?}");
    Ok(())
}

/// Where a peer is to listen.
pub(crate) struct Ports {
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Ports {
    /// Three that nobody has at this moment.
    pub(crate) fn free() -> Result<Self> {
        let held: Vec<_> =
            (0..3).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
        let address = |index: usize| held[index].local_addr();
        Ok(Self { plain: address(0)?, tls: address(1)?, admin: address(2)? })
    }
}

/// From start to listening. Varnish calls a C compiler first.
const START_WITHIN: Duration = Duration::from_secs(20);
/// An object is asked for until it comes from the cache: once to bring it, once to see it, and once more for a peer that
/// stores it a moment after it has sent it.
const WARM_TRIES: usize = 3;

impl Peer {
    /// Brings every object of `questions` into the cache, compares its bytes, and sees that it is answered from there.
    async fn warm(&self, questions: &[Question]) -> Result<()> {
        let target = Target::plain(self.plain);
        let mut connection = Connection::open(&target, SMALL).await?;
        for question in questions {
            let whole = question.of_whole();
            let mut hit = false;
            for _ in 0..WARM_TRIES {
                hit = self.kind.says_hit(&connection.ask_and_compare(&whole).await?);
                if hit {
                    break;
                }
            }
            ensure!(hit, "{} does not say that {} comes from its cache", self.kind.name(), question.path);
        }
        Ok(())
    }

    /// CPU time of all its processes so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        cpu::spent(&self.process.tree())
    }

    /// Memory of all its processes now, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        memory::proportional(&self.process.tree())
    }
}

/// One of each, in front of the same origin.
pub(crate) struct Field {
    pub(crate) upstream: Upstream,
    pub(crate) certificate: Certificate,
    /// As in [`Kind::ALL`].
    pub(crate) peers: Vec<Peer>,
}

impl Field {
    pub(crate) fn start(
        setup: Setup,
        options: &Options,
        workplace: &crate::cleanup::Workplace,
    ) -> Result<Self> {
        let upstream = Upstream::start()?;
        let certificate = Certificate::issue(workplace.path())?;
        let start = |kind: Kind| {
            kind.start(setup, options, &upstream, &certificate, workplace.directory("peer-")?)
                .with_context(|| format!("{} does not start", kind.name()))
        };
        let peers = Kind::ALL.into_iter().map(start).collect::<Result<_>>()?;
        Ok(Self { upstream, certificate, peers })
    }

    pub(crate) fn peer(&self, kind: Kind) -> Result<&Peer> {
        self.peers.iter().find(|peer| peer.kind == kind).context("all of them were started")
    }

    /// Lets every peer have what `questions` ask for.
    pub(crate) fn warm(&self, questions: &[Question]) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        self.peers.iter().try_for_each(|peer| runtime.block_on(peer.warm(questions)))
    }

    /// Where and how `peer` is asked.
    pub(crate) fn target(&self, way: Way, peer: &Peer) -> Result<Target> {
        target(way, peer, &self.certificate)
    }
}

/// Where and how `peer` is asked.
pub(crate) fn target(way: Way, peer: &Peer, certificate: &Certificate) -> Result<Target> {
    let encrypted = |http2| {
        let address = peer.tls.context("it speaks no TLS")?;
        anyhow::Ok(Target { address, tls: Some(certificate.client(http2)?), http2 })
    };
    match way {
        Way::Plain => Ok(Target::plain(peer.plain)),
        Way::Tls => encrypted(false),
        Way::Http2 => encrypted(true),
    }
}
