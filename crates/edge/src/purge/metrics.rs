//! What is counted of orders.

use super::door::now;
use crate::clock::Clock;
use ::purge::{Mode, Refusal, Report};
use jiff::Timestamp;
use prometheus::{Histogram, IntCounter, IntGauge};
use std::time::Duration;
use telemetry::{Label, Telemetry};

/// Counters of orders to purge.
#[derive(Debug)]
pub(super) struct PurgeMetrics {
    carried_out: IntCounter,
    refused: Vec<IntCounter>,
    objects: Vec<IntCounter>,
    fills_overtaken: IntCounter,
    seconds: Histogram,
    pub(super) standing: IntGauge,
    lag_seconds: Histogram,
}

/// From one URL to a walk over a few million entries.
const BUCKETS: [f64; 8] = [0.000_1, 0.001, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0];
/// From the same machine to the longest life of an order.
const LAG_BUCKETS: [f64; 8] = [0.01, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0];

impl PurgeMetrics {
    pub(super) fn register(telemetry: &Telemetry) -> Self {
        Self {
            carried_out: telemetry.counter("edge_purge_orders_total", "Orders to purge carried out"),
            refused: telemetry::counters::<Reason>(
                telemetry,
                "edge_purge_refused_total",
                "Orders to purge refused, by reason",
                "reason",
            ),
            objects: telemetry::counters::<How>(
                telemetry,
                "edge_purged_objects_total",
                "Responses that orders took out or made stale",
                "mode",
            ),
            fills_overtaken: telemetry.counter(
                "edge_purge_fills_overtaken_total",
                "Fills not kept because an order came after they were asked for",
            ),
            standing: telemetry.gauge(
                "edge_purge_standing",
                "Orders that have not yet met all that lies on disks; nobody is given what they mean",
            ),
            seconds: telemetry.seconds(
                "edge_purge_seconds",
                "From taking an order up to the last of it",
                &BUCKETS,
            ),
            lag_seconds: telemetry.seconds(
                "edge_purge_lag_seconds",
                "From giving an order, by the giver's clock, to the last of it",
                &LAG_BUCKETS,
            ),
        }
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        self.refused[Reason(refusal).index()].inc();
    }

    /// Responses that a disk gave up after the order's answer.
    pub(super) fn met_later(&self, mode: Mode, count: u64) {
        self.objects[How(mode).index()].inc_by(count);
    }

    pub(super) fn carried_out(&self, report: &Report, given_at: Timestamp) {
        self.carried_out.inc();
        self.objects[How(Mode::Hard).index()].inc_by(report.removed.memory + report.removed.disk);
        self.objects[How(Mode::Soft).index()].inc_by(report.softened.memory + report.softened.disk);
        self.fills_overtaken.inc_by(report.fills_overtaken);
        self.seconds.observe(Duration::from_micros(report.duration_us).as_secs_f64());
        let lag = Duration::try_from(now(Clock).duration_since(given_at)).unwrap_or_default();
        self.lag_seconds.observe(lag.as_secs_f64());
    }
}

telemetry::label_of! {
    /// A refusal as a label.
    struct Reason(Refusal);
}

/// How far, as a label.
#[derive(Debug, Clone, Copy)]
struct How(Mode);

impl Label for How {
    const ALL: &'static [Self] = &[Self(Mode::Hard), Self(Mode::Soft)];

    fn as_str(self) -> &'static str {
        self.0.as_str()
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}
