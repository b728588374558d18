//! The machine all figures are of.

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::process::Command;

/// 15,000 connections in one process, its own files beside them.
const DESCRIPTORS: u64 = 16_000;

/// What a reader must know before comparing figures with another machine's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    /// The peers' packages and versions.
    programs: Vec<String>,
    /// Of the last minute, before the run: above 0.5 somebody else was measured, too.
    load: String,
}

/// Debian's packages of the peers.
const PACKAGES: [&str; 4] = ["nginx-light", "varnish", "trafficserver", "ffmpeg"];

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned());
        Self {
            cpu,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            programs: versions(),
            load: read("/proc/loadavg").split_whitespace().next().unwrap_or_default().to_owned(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, programs, load } = self;
        write!(f, "{cores} x {cpu}, Linux {kernel}, load {load} before; {}", programs.join("; "))
    }
}

/// Where Debian keeps a server that a user's PATH does not find.
pub(crate) fn program(name: &str) -> String {
    let beside = format!("/usr/sbin/{name}");
    if Path::new(&beside).is_file() { beside } else { name.to_owned() }
}

/// The packages that are installed, with their versions.
fn versions() -> Vec<String> {
    let asked =
        Command::new("dpkg-query").args(["-W", "-f", "${Package} ${Version}\\n"]).args(PACKAGES).output();
    let said = asked.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&said).lines().map(str::to_owned).collect()
}

/// Takes all the descriptors the system gives; what we start inherits them.
pub(crate) fn raise_descriptor_limit() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("cannot raise the limit of open files")?;
    ensure!(
        most >= DESCRIPTORS,
        "only {most} open files are allowed; 15,000 connections need {DESCRIPTORS}: ulimit -Hn"
    );
    Ok(())
}
