//! `airclass edge` with its defaults.

use super::{Peer, Ports};
use crate::options::Options;
use crate::process::{self, Process};
use crate::tls::Certificate;
use anyhow::Result;
use std::net::SocketAddr;
use std::process::Command;
use tempfile::TempDir;

pub(super) fn start(
    options: &Options,
    upstream: SocketAddr,
    certificate: &Certificate,
    ports: &Ports,
    directory: TempDir,
) -> Result<Peer> {
    let program = process::sibling(options.airclass.as_ref(), "airclass", "cargo build --release -p cli")?;
    let mut command = Command::new(program);
    command
        .arg("edge")
        .args(["--upstream", &format!("http://{upstream}")])
        .args(["--listen", &ports.plain.to_string()])
        .args(["--tls-listen", &ports.tls.to_string()])
        .args(["--admin", &ports.admin.to_string()])
        .arg("--cert")
        .arg(&certificate.cert)
        .arg("--key")
        .arg(&certificate.key);
    let log = directory.path().join("airclass.log");
    let process = Process::start(command, &log)?;
    Peer::wait_for(process, ports, directory, &log)
}
