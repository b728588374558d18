//! Steering as a service: `source (control or file) → roster`, and `request → question → choose → manifest | list`.
//!
//! | asked | answered |
//! |---|---|
//! | `GET /steering.json` (`_HLS_pathway`, `_HLS_throughput`) | a content steering manifest (RFC 8216bis §7.1) whose pathways are nodes |
//! | `GET /v1/nodes` (`ip`, `at`) | nodes for an app or a portal, as HTTPDNS answers |
//! | A, AAAA, HTTPS of a name of ours, over UDP and TCP | the same in DNS ([`dns`]) |
//!
//! Students are told of nodes by name, before or between segments; media is never redirected. When the control is away, the
//! last roster goes on. Nobody is remembered: what is kept is how much each node was promised.

mod clock;
mod desk;
mod dns;
mod limit;
mod metrics;
mod options;
mod question;
mod source;
mod words;

pub use options::{Config, Options};

use bytes::Bytes;
use desk::Desk;
use dns::Sockets;
use faults::{AnyFault, Findings};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use serve::{CoreId, Peer, Reply, RequestBody, Service};
use settings::SettingsError;
use source::Source;
use std::sync::Arc;
use telemetry::{Check, Telemetry};

/// Reads what `options` name and finds what a start would refuse, or wait for: a file of nodes that is not there. Binds
/// nothing, and asks no control.
pub fn check(options: &Options) -> Findings {
    let mut findings = Findings::default();
    findings.take(telemetry::check(&options.log).map_err(|problem| SettingsError::value("log", problem)));
    if let Some(config) = findings.take(Config::resolve(options)) {
        if let Source::File(path) = &config.source {
            let nodes = source::read(path);
            findings.take(nodes.map_err(|problem| SettingsError::value("nodes", problem)));
        }
        serve::check(&config.serve, &mut findings);
    }
    findings
}

/// Serves until the process is asked to stop.
///
/// # Errors
/// An option that cannot be, an address that is taken.
pub fn run(options: &Options) -> Result<(), AnyFault> {
    telemetry::init(&options.log).map_err(|problem| SettingsError::value("log", problem))?;
    let Config { source, settings, dns, serve } = Config::resolve(options)?;
    let telemetry = Telemetry::new("steer");
    telemetry.readiness.fail(Check::Upstream, "no nodes are known yet");
    let desk = Arc::new(Desk::new(settings, &telemetry));
    // Bound before the process gives up that right.
    let sockets = Sockets::bind(&dns.listen).map_err(|(address, error)| {
        SettingsError::value("dns", format!("cannot listen at {address}: {error}"))
    })?;
    let limiter = dns::limiter(dns.rate);
    let (server, admin) = serve::open(serve, &telemetry)?;
    if !dns.listen.is_empty() {
        let at: Vec<_> = sockets.addresses().iter().map(ToString::to_string).collect();
        tracing::info!(listen = at.join(","), "dns listening");
    }
    let running = server.start(move |CoreId(core), _drain| {
        if core == 0 {
            drop(tokio::task::spawn_local(source.clone().follow(Arc::clone(&desk), telemetry.clone())));
        }
        let dns = dns::Server::new(Arc::clone(&desk), dns.zone.clone(), Arc::clone(&limiter));
        if let Err(error) = sockets.share().and_then(|sockets| dns.start(sockets)) {
            tracing::error!(%error, "this core does not answer in DNS");
        }
        OnCore(Arc::clone(&desk))
    })?;
    serve::run_until_signalled(running, &admin)
}

/// One core's service.
struct OnCore(Arc<Desk>);

impl Service for OnCore {
    type Body = Full<Bytes>;

    fn call(
        &self,
        request: Request<RequestBody>,
        peer: Peer,
    ) -> Reply<Self::Body, impl Future<Output = Response<Self::Body>> + use<> + 'static> {
        Reply::<_, std::future::Ready<_>>::Now(match *request.method() {
            Method::GET => self.0.answer(request.uri(), peer.address.ip()),
            _ => words::plain(StatusCode::METHOD_NOT_ALLOWED, "只支持 GET。\nOnly GET is answered.\n"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was well checked, and told nobody of any node.
    #[test]
    fn a_check_finds_a_file_of_nodes_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let nodes = folder.path().join("nodes.json");
        let options = Options { nodes: Some(nodes.clone()), ..Options::default() };
        let said = || check(&options).into_faults().iter().map(AnyFault::line).collect::<String>();
        assert!(said().contains("nodes.json: No such file"), "{}", said());
        std::fs::write(&nodes, "{").unwrap();
        assert!(said().contains("nodes.json: EOF while parsing"), "{}", said());
        std::fs::write(&nodes, "{\"nodes\":[]}").unwrap();
        assert!(!said().contains("nodes.json"), "{}", said());
    }
}
