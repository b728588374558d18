//! What operators see of the control.

use fleet::{Refusal, Registry, Standing};
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts};
use telemetry::{Check, Telemetry};

/// Counters and gauges.
#[derive(Clone)]
pub(crate) struct Metrics {
    records: IntGauge,
    nodes: IntGaugeVec,
    refused: IntCounterVec,
    store: IntGauge,
    telemetry: Telemetry,
}

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        let nodes = Opts::new("airclass_control_nodes", "Nodes that ever enrolled, by standing");
        let refused = Opts::new("airclass_control_refused_total", "Questions that were refused, by reason");
        Self {
            records: telemetry.gauge("airclass_control_records", "Number of the last record"),
            nodes: telemetry
                .register(IntGaugeVec::new(nodes, &["standing"]).expect("a constant name is valid")),
            refused: telemetry
                .register(IntCounterVec::new(refused, &["reason"]).expect("a constant name is valid")),
            store: telemetry.gauge("airclass_control_store_up", "1 while the store answers"),
            telemetry: telemetry.clone(),
        }
    }

    pub(crate) fn registry(&self, registry: &Registry) {
        self.records.set(i64::try_from(registry.end().0).unwrap_or(i64::MAX));
        let (mut enrolled, mut revoked) = (0, 0);
        for (_, member) in registry.nodes() {
            match member.standing {
                Standing::Enrolled => enrolled += 1,
                Standing::Revoked => revoked += 1,
            }
        }
        self.nodes.with_label_values(&["enrolled"]).set(enrolled);
        self.nodes.with_label_values(&["revoked"]).set(revoked);
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        self.refused.with_label_values(&[refusal.as_str()]).inc();
    }

    pub(crate) fn store(&self, there: bool) {
        self.store.set(i64::from(there));
        match there {
            true => self.telemetry.readiness.pass(Check::Store),
            false => self.telemetry.readiness.fail(Check::Store, "gives no answer; nodes go on"),
        }
    }
}
