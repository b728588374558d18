//! What operators see of steering.

use prometheus::{IntCounterVec, IntGauge, Opts};
use steering::Ring;
use telemetry::Telemetry;

/// Counters and gauges.
pub(crate) struct Metrics {
    nodes: IntGauge,
    told: IntCounterVec,
}

/// How an answer names that nobody had room.
const NOBODY: &str = "nobody";

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        let told = Opts::new("airclass_steer_told_total", "Answers, by how near the first node is");
        Self {
            nodes: telemetry.gauge("airclass_steer_nodes", "Nodes that students may be sent to"),
            told: telemetry.register(IntCounterVec::new(told, &["ring"]).expect("a constant name is valid")),
        }
    }

    pub(crate) fn nodes(&self, count: usize) {
        self.nodes.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn told(&self, ring: Option<Ring>) {
        self.told.with_label_values(&[ring.map_or(NOBODY, Ring::as_str)]).inc();
    }
}
