//! Varnish, set up as well as we know how.

use super::{CONNECTIONS, Plan, ROOM_MIB, Setup};
use crate::machine;
use crate::process::Process;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// Threads are Varnish's unit of work, one a request that is being answered: enough for all connections at once, in
/// two pools as by default.
const POOLS: usize = 2;

/// What Varnish notes of every request in its log in shared memory. Nobody reads it here, and none of the others
/// writes a log.
const LOG: [&str; 28] = [
    "Begin",
    "End",
    "Filters",
    "Hit",
    "HitMiss",
    "Length",
    "Link",
    "ReqAcct",
    "ReqHeader",
    "ReqMethod",
    "ReqProtocol",
    "ReqStart",
    "ReqUnset",
    "ReqURL",
    "RespHeader",
    "RespProtocol",
    "RespReason",
    "RespStatus",
    "RespUnset",
    "SessClose",
    "SessOpen",
    "Timestamp",
    "VCL_acl",
    "VCL_call",
    "VCL_Log",
    "VCL_return",
    "VCL_use",
    "Witness",
];

pub(super) fn start(plan: &Plan<'_>, log: &Path) -> Result<Process> {
    let root = plan.directory.path();
    let file = root.join("edge.vcl");
    std::fs::write(&file, rules(plan)).context("cannot write the VCL")?;
    let storage = match plan.setup {
        Setup::Least | Setup::Full | Setup::Logged => format!("malloc,{ROOM_MIB}m"),
        // A file in memory's place: mapped, so that the page cache is its RAM.
        Setup::Disk => format!("file,{}/storage,{ROOM_MIB}m", root.display()),
    };
    let mask: Vec<String> = LOG.iter().map(|tag| format!("-{tag}")).collect();
    let mut command = Command::new(machine::program("varnishd"));
    command.arg("-F").args(["-j", "none"]).arg("-n").arg(root.join("work")).arg("-f").arg(&file);
    command.args(["-a", &plan.ports.plain.to_string()]).args(["-T", "none"]).args(["-s", &storage]);
    for (name, value) in [
        ("thread_pools", POOLS.to_string()),
        ("thread_pool_max", (CONNECTIONS / POOLS).to_string()),
        ("listen_depth", "16384".to_owned()),
        // As long as the others keep a connection; five seconds by default.
        ("timeout_idle", "75".to_owned()),
        ("http_gzip_support", "off".to_owned()),
        ("vsl_mask", mask.join(",")),
    ] {
        command.args(["-p", &format!("{name}={value}")]);
    }
    Process::start(command, log).context("Debian's package varnish is needed: scripts/setup --bench")
}

/// The built-in rules without their questions about methods, cookies and authorisation.
fn rules(plan: &Plan<'_>) -> String {
    let (host, port) = (plan.upstream.ip(), plan.upstream.port());
    format!(
        "vcl 4.1;
backend origin {{ .host = \"{host}\"; .port = \"{port}\"; }}
sub vcl_recv {{ return (hash); }}
sub vcl_backend_response {{ return (deliver); }}
"
    )
}
