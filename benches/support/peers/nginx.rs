//! nginx with `proxy_cache`, set up as well as we know how.

use super::{CONNECTIONS, Plan, ROOM_MIB, Setup};
use crate::machine;
use crate::process::Process;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// Slots a worker takes memory for: room for a fifth more than the workers' share, and with the least room for what
/// the figures begin with.
fn worker_connections(setup: Setup, workers: usize) -> usize {
    match setup {
        Setup::Least => 512,
        Setup::Full | Setup::Disk | Setup::Logged => CONNECTIONS / workers * 6 / 5,
    }
}

pub(super) fn start(plan: &Plan<'_>, log: &Path) -> Result<Process> {
    let root = plan.directory.path();
    let file = root.join("nginx.conf");
    std::fs::write(&file, configuration(plan, root)).context("cannot write nginx.conf")?;
    let mut command = Command::new(machine::program("nginx"));
    command.arg("-e").arg(log).arg("-p").arg(root).arg("-c").arg(&file);
    Process::start(command, log).context("Debian's package nginx-light is needed: scripts/setup --bench")
}

/// One worker a core and one listening socket a worker, files sent by the kernel from its page cache and their
/// descriptors kept open, connections to the origin kept, no log, one fill for many. Its disk tier is the same files.
fn configuration(plan: &Plan<'_>, root: &Path) -> String {
    let (plain, tls, upstream) = (plan.ports.plain, plan.ports.tls, plan.upstream);
    let (cert, key, root) = (plan.certificate.cert.display(), plan.certificate.key.display(), root.display());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let slots = worker_connections(plan.setup, workers);
    format!(
        "daemon off;
worker_processes {workers};
worker_rlimit_nofile 20000;
pid {root}/nginx.pid;
error_log {root}/nginx.log crit;
events {{ worker_connections {slots}; }}
http {{
    access_log off;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 100000000;
    keepalive_time 24h;
    open_file_cache max=1000 inactive=10m;
    open_file_cache_valid 10m;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/temp;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    proxy_cache_path {root}/cache levels=1:2 keys_zone=lessons:10m max_size={ROOM_MIB}m inactive=1h use_temp_path=off;
    upstream origin {{
        server {upstream};
        keepalive 32;
    }}
    server {{
        listen {plain} reuseport backlog=16384;
        listen {tls} ssl http2 reuseport backlog=16384;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_tickets on;
        ssl_session_cache off;
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_cache lessons;
            proxy_cache_lock on;
            add_header X-Cache $upstream_cache_status;
        }}
    }}
}}
"
    )
}
