//! `airclass edge` with its defaults.

use super::{Plan, ROOM_MIB, SMALL_RAM_MIB, Setup};
use crate::options::Options;
use crate::process::{self, Process};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where it lies.
pub(crate) fn program(options: &Options) -> Result<PathBuf> {
    process::sibling(options.airclass.as_ref(), "airclass", "cargo build --release -p cli")
}

/// Whether this edge has a disk tier.
pub(crate) fn has_disk(options: &Options) -> Result<bool> {
    let help = Command::new(program(options)?).args(["edge", "--help"]).output()?;
    Ok(String::from_utf8_lossy(&help.stdout).contains("--disk "))
}

pub(super) fn start(options: &Options, plan: &Plan<'_>, log: &Path) -> Result<Process> {
    let mut command = Command::new(program(options)?);
    command
        .arg("edge")
        .args(["--upstream", &format!("http://{}", plan.upstream)])
        .args(["--listen", &plan.ports.plain.to_string()])
        .args(["--tls-listen", &plan.ports.tls.to_string()])
        .args(["--admin", &plan.ports.admin.to_string()])
        .arg("--cert")
        .arg(&plan.certificate.cert)
        .arg("--key")
        .arg(&plan.certificate.key);
    if plan.setup == Setup::Disk {
        let disk = plan.directory.path().join("disk");
        std::fs::create_dir(&disk).context("no directory for the disk tier")?;
        command
            .args(["--ram", &format!("{SMALL_RAM_MIB}MiB")])
            .arg("--disk")
            .arg(disk)
            .args(["--disk-size", &format!("{ROOM_MIB}MiB")]);
    }
    if plan.setup == Setup::Logged {
        let folder = plan.directory.path().join("access");
        std::fs::create_dir(&folder).context("no directory for the access log")?;
        command.arg("--access-log").arg(folder);
    }
    Process::start(command, log)
}
