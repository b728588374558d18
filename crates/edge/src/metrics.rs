//! What the edge counts. One set for all cores; every series exists from the start.

use crate::outcome::{FillOutcome, Outcome};
use crate::overload::{Reason, Shed};
use crate::quality::Quality;
use crate::upload::Uploaded;
use crate::upstream::UpstreamError;
use prometheus::{Gauge, GaugeVec, Histogram, IntCounter, IntGauge, Opts};
use serve::{InFlight, Level};
use telemetry::{Label, Telemetry};

/// Counters of one edge, shared by its cores.
#[derive(Debug)]
pub(crate) struct Metrics {
    requests: Vec<IntCounter>,
    response_bytes: Vec<IntCounter>,
    fills: Vec<IntCounter>,
    upstream_errors: Vec<IntCounter>,
    shed: Vec<IntCounter>,
    uploads: Vec<IntCounter>,
    overload_level: IntGauge,
    overload_share: Vec<Gauge>,
    requests_in_flight: IntGauge,
    client_requests_most: IntGauge,
    pub(crate) fill_seconds: Histogram,
    pub(crate) fills_in_flight: IntGauge,
    pub(crate) fill_bytes: IntCounter,
    pub(crate) upstream_connections: IntGauge,
    pub(crate) memory_bytes: IntGauge,
    pub(crate) memory_objects: IntGauge,
    pub(crate) memory_evictions: IntCounter,
    pub(crate) quality: Quality,
}

/// From a LAN's answer to the longest wait for a body.
const FILL_BUCKETS: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        Self {
            requests: telemetry::counters::<Outcome>(
                telemetry,
                "edge_requests_total",
                "Requests answered, by what became of them",
                "outcome",
            ),
            response_bytes: telemetry::counters::<Outcome>(
                telemetry,
                "edge_response_bytes_total",
                "Body bytes handed to clients' connections, by what became of the request",
                "outcome",
            ),
            fills: telemetry::counters::<FillOutcome>(
                telemetry,
                "edge_fills_total",
                "Times the upstream was asked on behalf of the cache, by how that ended",
                "outcome",
            ),
            upstream_errors: telemetry::counters::<UpstreamError>(
                telemetry,
                "edge_upstream_errors_total",
                "Questions that got no answer from upstream, by what was wrong with the last server asked",
                "kind",
            ),
            shed: telemetry::counters::<Shed>(
                telemetry,
                "edge_shed_total",
                "Work put off under pressure or beyond a client's bound, by what it was",
                "what",
            ),
            uploads: telemetry::counters::<Uploaded>(
                telemetry,
                "edge_uploads_total",
                "Requests with a body, by whether it was sent on to the upstream",
                "outcome",
            ),
            overload_level: telemetry.gauge(
                "edge_overload_level",
                "0 calm, 1 no refreshes, 2 no cold sessions, 3 no new sessions",
            ),
            overload_share: shares(telemetry),
            requests_in_flight: telemetry.gauge(
                "edge_requests_in_flight",
                "Requests being answered, of clients with an address; looked at once a second",
            ),
            client_requests_most: telemetry.gauge(
                "edge_client_requests_most",
                "Requests in flight of the client that has most of them; looked at once a second",
            ),
            fill_seconds: telemetry.seconds(
                "edge_fill_seconds",
                "From asking the upstream to the last byte of its answer",
                &FILL_BUCKETS,
            ),
            fills_in_flight: telemetry.gauge("edge_fills_in_flight", "Fills going on now"),
            fill_bytes: telemetry
                .counter("edge_fill_bytes_total", "Body bytes received from the upstream into the cache"),
            upstream_connections: telemetry
                .gauge("edge_upstream_connections", "Open connections to the upstream"),
            memory_bytes: telemetry
                .gauge("edge_memory_bytes", "Bytes held in the RAM tier, bookkeeping included"),
            memory_objects: telemetry.gauge("edge_memory_objects", "Entries held in the RAM tier"),
            memory_evictions: telemetry
                .counter("edge_memory_evictions_total", "Entries evicted from the RAM tier for room"),
            quality: Quality::register(telemetry),
        }
    }

    pub(crate) fn answered(&self, outcome: Outcome) {
        self.requests[outcome.index()].inc();
    }

    pub(crate) fn sent(&self, outcome: Outcome, bytes: u64) {
        self.response_bytes[outcome.index()].inc_by(bytes);
    }

    /// Bytes of every body so far.
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.response_bytes.iter().map(IntCounter::get).sum()
    }

    /// Bytes in the RAM tier.
    pub(crate) fn cached_bytes(&self) -> u64 {
        u64::try_from(self.memory_bytes.get()).unwrap_or_default()
    }

    pub(crate) fn shed(&self, what: Shed) {
        self.shed[what.index()].inc();
    }

    pub(crate) fn uploaded(&self, outcome: Uploaded) {
        self.uploads[outcome.index()].inc();
    }

    pub(crate) fn pressed(&self, level: Level, share: impl Fn(Reason) -> f64) {
        self.overload_level.set(level as i64);
        for &reason in Reason::ALL {
            self.overload_share[reason.index()].set(share(reason));
        }
    }

    pub(crate) fn in_flight(&self, requests: InFlight) {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.requests_in_flight.set(count(requests.all));
        self.client_requests_most.set(count(requests.most));
    }

    pub(crate) fn filled(&self, outcome: FillOutcome) {
        self.fills[outcome.index()].inc();
    }

    pub(crate) fn upstream_failed(&self, error: UpstreamError) {
        self.upstream_errors[error.index()].inc();
    }
}

/// One gauge for each reason.
fn shares(telemetry: &Telemetry) -> Vec<Gauge> {
    let options = Opts::new("edge_overload_share", "What is used of what there is, 0 to 1, by what it is");
    let family = GaugeVec::new(options, &["reason"]).expect("a constant name is valid");
    let family = telemetry.register(family);
    Reason::ALL.iter().map(|reason| family.with_label_values(&[reason.as_str()])).collect()
}
