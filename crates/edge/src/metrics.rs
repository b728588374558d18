//! What the edge counts. One set for all cores; every series exists from the start.

use crate::delivery::{Answered, Kind, Rung, Watched};
use crate::outcome::{FillOutcome, MissClass, Outcome, Tier};
use crate::overload::{Reason, Shed};
use crate::patience::PlaceFor;
use crate::quality::Quality;
use crate::upload::Uploaded;
use crate::upstream::UpstreamError;
use prometheus::{Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntGauge, Opts};
use serve::{Family, InFlight, Level, Sent};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use telemetry::{Label, StripedCounters, StripedHistograms, Telemetry};
use tokio::time::Instant;

/// Counters of one edge, shared by its cores.
#[derive(Debug)]
pub(crate) struct Metrics {
    requests: StripedCounters,
    response_bytes: StripedCounters,
    fills: Vec<IntCounter>,
    misses: Vec<IntCounter>,
    kind_requests: StripedCounters,
    kind_bytes: StripedCounters,
    rung_requests: StripedCounters,
    rung_bytes: StripedCounters,
    slower_than_realtime: StripedCounters,
    segment_seconds: StripedHistograms,
    first_byte_seconds: StripedHistograms,
    pub(crate) fills_again: IntCounter,
    upstream_errors: Vec<IntCounter>,
    shed: Vec<IntCounter>,
    uploads: Vec<IntCounter>,
    places_lost: Vec<IntCounter>,
    overload_level: IntGauge,
    overload_share: Vec<Gauge>,
    requests_in_flight: IntGauge,
    client_requests_most: IntGauge,
    pub(crate) fill_seconds: Histogram,
    pub(crate) fills_in_flight: IntGauge,
    pub(crate) fill_waiters: Histogram,
    pub(crate) fill_bytes: IntCounter,
    pub(crate) upstream_connections: IntGauge,
    pub(crate) memory_bytes: IntGauge,
    pub(crate) memory_objects: IntGauge,
    pub(crate) memory_evictions: IntCounter,
    pub(crate) quality: Quality,
    pub(crate) answered: Answered,
    pub(crate) watched: Watched,
    /// What connections have given to the network, as it goes; nothing before there are any.
    on_the_wire: OnceLock<Sent>,
}

/// All cores' metrics as one core holds them: each answer holds them, and would else change a count that all cores do.
pub(crate) type CoreMetrics = Rc<Arc<Metrics>>;

/// From memory's answer to a page that nobody waits for any longer.
const FIRST_BYTE_BUCKETS: [f64; 9] = [0.000_5, 0.002, 0.01, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0];
/// A segment plays for 4.8 s: shares of it.
const SEGMENT_BUCKETS: [f64; 8] = [0.05, 0.15, 0.6, 1.2, 2.4, 4.8, 9.6, 30.0];
/// From a LAN's answer to the longest wait for a body.
pub(crate) const FILL_BUCKETS: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// From a fill for one to a bell.
const WAITER_BUCKETS: [f64; 8] = [0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 1_000.0, 10_000.0];

/// A fill that goes on.
pub(crate) struct CountedFill(IntGauge);

impl Drop for CountedFill {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        Self {
            requests: telemetry::striped_counters::<Outcome>(
                telemetry,
                "edge_requests_total",
                "Requests answered, by what became of them",
                "outcome",
            ),
            response_bytes: telemetry::striped_counters::<Outcome>(
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
            misses: telemetry::counters::<MissClass>(
                telemetry,
                "edge_misses_total",
                "Requests that the cache did not answer: content was not here, health is trouble of this node or its upstreams",
                "class",
            ),
            kind_requests: telemetry::striped_counters::<Kind>(
                telemetry,
                "edge_kind_requests_total",
                "Answers that are over, by what they were of",
                "kind",
            ),
            kind_bytes: telemetry::striped_counters::<Kind>(
                telemetry,
                "edge_kind_bytes_total",
                "Body bytes handed to clients' connections, by what they were of",
                "kind",
            ),
            rung_requests: telemetry::striped_counters::<Rung>(
                telemetry,
                "edge_rung_requests_total",
                "Answers that are over, by rung of the lesson",
                "rung",
            ),
            rung_bytes: telemetry::striped_counters::<Rung>(
                telemetry,
                "edge_rung_bytes_total",
                "Body bytes handed to clients' connections, by rung of the lesson",
                "rung",
            ),
            slower_than_realtime: telemetry::striped_counters::<Rung>(
                telemetry,
                "edge_delivery_slower_than_realtime_total",
                "Segments that took longer than the 4.8 s that they play, by rung",
                "rung",
            ),
            segment_seconds: StripedHistograms::register::<Rung>(
                telemetry,
                "edge_segment_delivery_seconds",
                "From a segment's request to its last byte, by rung",
                "rung",
                &SEGMENT_BUCKETS,
            ),
            first_byte_seconds: StripedHistograms::register::<Tier>(
                telemetry,
                "edge_first_byte_seconds",
                "From a request to its answer's head, by where the answer came from",
                "tier",
                &FIRST_BYTE_BUCKETS,
            ),
            fills_again: telemetry
                .counter("edge_fills_again_total", "Fills of something that had been filled and kept before"),
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
            places_lost: telemetry::counters::<PlaceFor>(
                telemetry,
                "edge_places_lost_total",
                "Clients that took next to nothing and lost their place to another who wanted it, by what it was for",
                "place",
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
            fill_waiters: telemetry.register(
                Histogram::with_opts(
                    HistogramOpts::new(
                        "edge_fill_waiters",
                        "Requests that joined a fill that was going on, by fill",
                    )
                    .buckets(WAITER_BUCKETS.to_vec()),
                )
                .expect("constant buckets ascend"),
            ),
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
            answered: Answered::register(telemetry),
            watched: Watched::new(Instant::now()),
            on_the_wire: OnceLock::new(),
        }
    }

    pub(crate) fn answered(&self, outcome: Outcome) {
        self.requests.inc(outcome.index());
        if let Some(class) = outcome.miss() {
            self.misses[class.index()].inc();
        }
    }

    pub(crate) fn first_byte(&self, outcome: Outcome, after: Duration) {
        self.first_byte_seconds.observe(outcome.tier().index(), after);
    }

    pub(crate) fn delivered(&self, kind: Kind, rung: Rung, bytes: u64) {
        self.kind_requests.inc(kind.index());
        self.kind_bytes.inc_by(kind.index(), bytes);
        self.rung_requests.inc(rung.index());
        self.rung_bytes.inc_by(rung.index(), bytes);
    }

    pub(crate) fn segment_delivered(&self, rung: Rung, took: Duration, slow: bool) {
        self.segment_seconds.observe(rung.index(), took);
        if slow {
            self.slower_than_realtime.inc(rung.index());
        }
    }

    pub(crate) fn sent(&self, outcome: Outcome, bytes: u64) {
        self.response_bytes.inc_by(outcome.index(), bytes);
    }

    /// From now on [`Metrics::sent_bytes`] goes by what connections count.
    pub(crate) fn follow(&self, sent: Sent) {
        // A process has one server.
        let _ = self.on_the_wire.set(sent);
    }

    /// Bytes sent so far, counted in the second in which they are sent: a download of ten minutes is in six hundred of them.
    ///
    /// Bodies are counted when they end; what goes over unix sockets is counted there alone.
    pub(crate) fn sent_bytes(&self) -> u64 {
        let bodies = self.response_bytes.sum();
        let wire = |sent: &Sent| Family::ALL.iter().map(|&family| sent.bytes(family)).sum();
        bodies.max(self.on_the_wire.get().map_or(0, wire))
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

    pub(crate) fn lost_place(&self, what: PlaceFor) {
        self.places_lost[what.index()].inc();
    }

    /// How many have lost such a place.
    #[cfg(test)]
    pub(crate) fn places_lost(&self, what: PlaceFor) -> u64 {
        self.places_lost[what.index()].get()
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

    /// Counts a fill among those that go on, until what is given back is dropped, however it ends.
    pub(crate) fn fill_begins(&self) -> CountedFill {
        self.fills_in_flight.inc();
        CountedFill(self.fills_in_flight.clone())
    }

    pub(crate) fn filled(&self, outcome: FillOutcome) {
        self.fills[outcome.index()].inc();
    }

    /// How many have ended so.
    #[cfg(test)]
    pub(crate) fn fills(&self, outcome: FillOutcome) -> u64 {
        self.fills[outcome.index()].get()
    }

    /// How often this was given up.
    #[cfg(test)]
    pub(crate) fn given_up(&self, what: Shed) -> u64 {
        self.shed[what.index()].get()
    }

    pub(crate) fn upstream_failed(&self, error: UpstreamError) {
        self.upstream_errors[error.index()].inc();
    }
}

/// One histogram for each value of a label.
pub(crate) fn histograms<L: Label>(
    telemetry: &Telemetry,
    name: &str,
    help: &str,
    label: &str,
    buckets: &[f64],
) -> Vec<Histogram> {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    let family = HistogramVec::new(options, &[label]).expect("a constant name is valid");
    let family = telemetry.register(family);
    L::ALL.iter().map(|value| family.with_label_values(&[value.as_str()])).collect()
}

/// One gauge for each reason.
fn shares(telemetry: &Telemetry) -> Vec<Gauge> {
    let options = Opts::new("edge_overload_share", "What is used of what there is, 0 to 1, by what it is");
    let family = GaugeVec::new(options, &["reason"]).expect("a constant name is valid");
    let family = telemetry.register(family);
    Reason::ALL.iter().map(|reason| family.with_label_values(&[reason.as_str()])).collect()
}
