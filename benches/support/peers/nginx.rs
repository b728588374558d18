//! nginx with `proxy_cache`, set up as well as we know how.

use super::{Peer, Ports, Size};
use crate::process::Process;
use crate::tls::Certificate;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Debian has it where a user's PATH does not look.
const PROGRAMS: [&str; 2] = ["/usr/sbin/nginx", "nginx"];

/// Slots a worker takes memory for: with 10,000 connections on two workers that is room for a fifth more than their
/// share, and with the least room for what the figures begin with.
const fn worker_connections(size: Size) -> usize {
    match size {
        Size::Least => 512,
        Size::Full => 6_144,
    }
}

pub(super) fn start(
    size: Size,
    upstream: SocketAddr,
    certificate: &Certificate,
    ports: &Ports,
    directory: TempDir,
) -> Result<Peer> {
    let root = directory.path();
    let (file, log) = (root.join("nginx.conf"), root.join("nginx.log"));
    std::fs::write(&file, configuration(size, upstream, certificate, ports, root))
        .context("cannot write nginx.conf")?;
    let program = PROGRAMS.into_iter().find(|program| Path::new(program).is_file()).unwrap_or(PROGRAMS[1]);
    let mut command = Command::new(program);
    command.arg("-e").arg(&log).arg("-p").arg(root).arg("-c").arg(&file);
    let process = Process::start(command, &log).context("Debian's package nginx is needed")?;
    Peer::wait_for(process, ports, directory, &log)
}

/// One worker a core and one listening socket a worker, files sent by the kernel from its page cache and their
/// descriptors kept open, connections to the origin kept, no log, one fill for many.
fn configuration(
    size: Size,
    upstream: SocketAddr,
    certificate: &Certificate,
    ports: &Ports,
    root: &Path,
) -> String {
    let (plain, tls) = (ports.plain, ports.tls);
    let (cert, key, root) = (certificate.cert.display(), certificate.key.display(), root.display());
    let slots = worker_connections(size);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
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
    open_file_cache max=1000 inactive=10m;
    open_file_cache_valid 10m;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/temp;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    proxy_cache_path {root}/cache levels=1:2 keys_zone=lessons:10m max_size=1g inactive=1h use_temp_path=off;
    upstream origin {{
        server {upstream};
        keepalive 32;
    }}
    server {{
        listen {plain} reuseport backlog=16384;
        listen {tls} ssl reuseport backlog=16384;
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
        }}
    }}
}}
"
    )
}
