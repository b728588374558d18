//! An edge to which something happens.

use crate::cleanup::Workplace;
use crate::load::Target;
use crate::options::Options;
use crate::peers::{self, Ports, airclass};
use crate::process::Process;
use crate::tls::Certificate;
use crate::{clock, metrics};
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Nobody listens there.
pub(super) const NOBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
/// From an event to what the edge says of it. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where an edge lives: its program, its files, its ports. It may be started there again.
pub(super) struct Home {
    program: PathBuf,
    folder: TempDir,
    pub(super) ports: Ports,
    pub(super) certificate: Certificate,
}

impl Home {
    pub(super) fn new(options: &Options, workplace: &Workplace) -> Result<Self> {
        let folder = workplace.directory("faults-")?;
        let certificate = Certificate::issue(folder.path())?;
        Ok(Self { program: airclass::program(options)?, folder, ports: Ports::free()?, certificate })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The edge's command line, up to what is special about it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        self.give_arguments(&mut command);
        command
    }

    /// The same, run by `around`, which ends with executing what it is given.
    pub(super) fn command_in(&self, mut around: Command) -> Command {
        around.arg(&self.program);
        self.give_arguments(&mut around);
        around
    }

    fn give_arguments(&self, command: &mut Command) {
        let Ports { plain, tls, admin } = &self.ports;
        command
            .arg("edge")
            .args(["--listen", &plain.to_string(), "--tls-listen", &tls.to_string()])
            .args(["--admin", &admin.to_string()])
            .arg("--cert")
            .arg(&self.certificate.cert)
            .arg("--key")
            .arg(&self.certificate.key);
    }

    /// Starts it, and waits until it listens.
    pub(super) fn start(&self, command: Command) -> Result<Edge<'_>> {
        let log = self.path("output.log");
        let mut process = Process::start(command, &log)?;
        peers::wait_for(&mut process, &log, &[self.ports.plain, self.ports.tls, self.ports.admin])?;
        Ok(Edge { home: self, process })
    }

    /// As [`Home::start`], before `upstream` and with these flags.
    pub(super) fn start_before(&self, upstream: SocketAddr, flags: &[&str]) -> Result<Edge<'_>> {
        let mut command = self.command();
        command.args(["--upstream", &format!("http://{upstream}")]).args(flags);
        self.start(command)
    }

    /// Starts `command` before `upstream` with `disk`, which is in use when this returns.
    pub(super) fn start_with_disk(
        &self,
        mut command: Command,
        upstream: SocketAddr,
        disk: &Path,
        flags: &[&str],
    ) -> Result<Edge<'_>> {
        command.args(["--upstream", &format!("http://{upstream}")]).arg("--disk").arg(disk).args(flags);
        let edge = self.start(command)?;
        edge.wait_for_disk(disk, "online")?;
        Ok(edge)
    }
}

/// A running one.
pub(super) struct Edge<'a> {
    home: &'a Home,
    process: Process,
}

impl Edge<'_> {
    pub(super) fn target(&self) -> Target {
        Target::plain(self.home.ports.plain)
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// All metrics of a name together.
    pub(super) fn metric(&self, name: &str) -> Result<f64> {
        metrics::sum(self.home.ports.admin, name)
    }

    /// Waits until the edge says that `disk` is in this state.
    pub(super) fn wait_for_disk(&self, disk: &Path, state: &str) -> Result<()> {
        let name = format!("edge_disk_state{{disk=\"{}\",state=\"{state}\"}}", disk.display());
        self.wait_until(|| metrics::value(self.home.ports.admin, &name).is_ok_and(|value| value == 1.0))
            .with_context(|| format!("the disk is not {state}"))
    }

    /// Waits until something holds of it.
    pub(super) fn wait_until(&self, done: impl FnMut() -> bool) -> Result<()> {
        if clock::wait_until(PATIENCE, done) {
            return Ok(());
        }
        bail!("not within {PATIENCE:?}; the edge says: {}", self.log().trim())
    }

    /// What it has logged.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.home.path("output.log")).unwrap_or_default()
    }

    /// Ends it as a power cut does.
    pub(super) fn kill(self) -> Result<()> {
        self.process.kill()
    }
}
