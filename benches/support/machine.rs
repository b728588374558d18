//! The machine all figures are of.

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::Serialize;
use std::fmt;
use std::process::Command;

/// 10,000 connections in one process, its own files beside them.
const DESCRIPTORS: u64 = 12_000;

/// What a reader must know before comparing figures with another machine's.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    nginx: String,
    ffmpeg: String,
    /// Of the last minute, before the run: above 0.5 somebody else was measured, too.
    load: String,
}

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
            nginx: version("nginx", "-v"),
            ffmpeg: version("ffmpeg", "-version"),
            load: read("/proc/loadavg").split_whitespace().next().unwrap_or_default().to_owned(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, nginx, load, .. } = self;
        write!(f, "{cores} x {cpu}, Linux {kernel}, {nginx}, load {load}")
    }
}

/// The first line a program says of itself.
fn version(program: &str, flag: &str) -> String {
    let Ok(output) = Command::new(program).arg(flag).output() else { return format!("{program} is missing") };
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned()
}

/// Takes all the descriptors the system gives; what we start inherits them.
pub(crate) fn raise_descriptor_limit() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("cannot raise the limit of open files")?;
    ensure!(
        most >= DESCRIPTORS,
        "only {most} open files are allowed; 10,000 connections need {DESCRIPTORS}: ulimit -Hn"
    );
    Ok(())
}
