//! What is measured: a cache in front of the origin, as a process.

pub(crate) mod airclass;
pub(crate) mod nginx;

use crate::clock;
use crate::options::Options;
use crate::process::Process;
use crate::tls::Certificate;
use crate::upstream::Upstream;
use crate::{cpu, memory};
use anyhow::{Result, ensure};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// A cache at work.
pub(crate) struct Peer {
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    process: Process,
    /// Its files; gone with it.
    _directory: TempDir,
}

/// Which cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Airclass,
    Nginx,
}

/// For how many connections a peer prepares itself. nginx takes the memory for them when it starts, whether they come
/// or not; the edge takes it when they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// The least that a peer is of use with: what it takes at rest is itself.
    Least,
    /// The 10,000 that the figures need.
    Full,
}

/// Ours first: lines are "ours against peer's".
pub(crate) const KINDS: [Kind; 2] = [Kind::Airclass, Kind::Nginx];

impl Kind {
    /// Starts it in front of `upstream` and waits until it takes connections.
    pub(crate) fn start(
        self,
        size: Size,
        options: &Options,
        upstream: &Upstream,
        certificate: &Certificate,
        directory: TempDir,
    ) -> Result<Peer> {
        let ports = Ports::free()?;
        match self {
            Self::Airclass => airclass::start(options, upstream.address(), certificate, &ports, directory),
            Self::Nginx => nginx::start(size, upstream.address(), certificate, &ports, directory),
        }
    }
}

/// Where a peer is to listen.
pub(crate) struct Ports {
    plain: SocketAddr,
    tls: SocketAddr,
    admin: SocketAddr,
}

impl Ports {
    /// Three that nobody has at this moment.
    fn free() -> Result<Self> {
        let held: Vec<_> =
            (0..3).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
        let address = |index: usize| held[index].local_addr();
        Ok(Self { plain: address(0)?, tls: address(1)?, admin: address(2)? })
    }
}

/// From start to listening.
const START_WITHIN: Duration = Duration::from_secs(10);

impl Peer {
    fn wait_for(mut process: Process, ports: &Ports, directory: TempDir, log: &Path) -> Result<Self> {
        let mut ended = Ok(());
        let up = clock::wait_until(START_WITHIN, || {
            ended = process.check(log);
            ended.is_err() || [ports.plain, ports.tls].iter().all(|port| TcpStream::connect(port).is_ok())
        });
        ended?;
        ensure!(up, "nobody listens on {} after {START_WITHIN:?}", ports.plain);
        Ok(Self { plain: ports.plain, tls: ports.tls, process, _directory: directory })
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
