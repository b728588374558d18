//! Traffic Server, set up as well as we know how.

use super::{Plan, ROOM_MIB, SMALL_RAM_MIB, Setup};
use crate::machine;
use crate::process::Process;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

pub(super) fn start(plan: &Plan<'_>, log: &Path) -> Result<Process> {
    let root = plan.directory.path();
    let etc = root.join("etc");
    for directory in ["etc", "run", "log", "cache"] {
        std::fs::create_dir(root.join(directory))?;
    }
    for (file, text) in [
        ("etc/records.config", records(plan, root)),
        ("etc/remap.config", format!("map / http://{}/\n", plan.upstream)),
        ("etc/storage.config", format!("{}/cache {ROOM_MIB}M\n", root.display())),
        ("etc/ssl_multicert.config", certificate(plan)),
        // Without it nobody is let in.
        ("etc/ip_allow.yaml", ALL_ALLOWED.to_owned()),
        ("runroot.yaml", layout(root, &etc)),
    ] {
        std::fs::write(root.join(file), text).with_context(|| format!("cannot write {file}"))?;
    }
    let mut command = Command::new(machine::program("traffic_server"));
    command.arg(format!("--run-root={}/runroot.yaml", root.display()));
    Process::start(command, log).context("Debian's package trafficserver is needed: scripts/setup --bench")
}

/// One event thread a core and one listening socket a thread, everything that is asked for in its RAM cache, no log.
fn records(plan: &Plan<'_>, root: &Path) -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (ip, plain, tls) = (plan.ports.plain.ip(), plan.ports.plain.port(), plan.ports.tls.port());
    let ram = match plan.setup {
        Setup::Least | Setup::Full | Setup::Logged => ROOM_MIB,
        Setup::Disk => SMALL_RAM_MIB,
    } << 20;
    let directory = root.display();
    format!(
        "CONFIG proxy.config.http.server_ports STRING {plain}:ip-in={ip} {tls}:ssl:ip-in={ip}
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.crash_log_helper STRING NULL
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT {threads}
CONFIG proxy.config.exec_thread.listen INT 1
CONFIG proxy.config.accept_threads INT 0
CONFIG proxy.config.net.listen_backlog INT 16384
CONFIG proxy.config.net.connections_throttle INT 18000
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.cache.ram_cache.size INT {ram}
CONFIG proxy.config.cache.enable_read_while_writer INT 1
CONFIG proxy.config.http.background_fill_completed_threshold FLOAT 0.0
CONFIG proxy.config.http.cache.open_write_fail_action INT 5
CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 120
CONFIG proxy.config.http.insert_response_via_str INT 0
CONFIG proxy.config.ssl.server.cert.path STRING {directory}
CONFIG proxy.config.ssl.server.private_key.path STRING {directory}
"
    )
}

fn certificate(plan: &Plan<'_>) -> String {
    let (cert, key) = (plan.certificate.cert.display(), plan.certificate.key.display());
    format!("dest_ip=* ssl_cert_name={cert} ssl_key_name={key}\n")
}

const ALL_ALLOWED: &str = "ip_allow:
  - apply: in
    ip_addrs: 0/0
    action: allow
    methods: ALL
";

/// Where its files are; Debian's places for programs and libraries.
fn layout(root: &Path, etc: &Path) -> String {
    let mut text = String::new();
    for name in ["prefix", "exec_prefix", "includedir", "infodir", "mandir", "datadir"] {
        text.push_str(&format!("{name}: {}\n", root.display()));
    }
    for (name, directory) in
        [("localstatedir", "run"), ("runtimedir", "run"), ("logdir", "log"), ("cachedir", "cache")]
    {
        text.push_str(&format!("{name}: {}\n", root.join(directory).display()));
    }
    for (name, directory) in [
        ("bindir", "/usr/bin"),
        ("sbindir", "/usr/bin"),
        ("libdir", "/usr/lib/trafficserver"),
        ("libexecdir", "/usr/lib/trafficserver/modules"),
    ] {
        text.push_str(&format!("{name}: {directory}\n"));
    }
    text.push_str(&format!("sysconfdir: {}\n", etc.display()));
    text
}
