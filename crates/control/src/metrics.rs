//! What operators see of the control.

use fleet::{Refusal, Registry, Standing};
use jiff::Timestamp;
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts};
use telemetry::{Check, Telemetry};

/// Counters and gauges.
#[derive(Clone)]
pub(crate) struct Metrics {
    records: IntGauge,
    nodes: IntGaugeVec,
    refused: IntCounterVec,
    store: IntGauge,
    ready: IntGauge,
    silent: IntGauge,
    late: IntGauge,
    expiry: IntGauge,
    telemetry: Telemetry,
}

/// How those nodes are that are enrolled.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Fleet {
    /// So many are to be given traffic, by what they say.
    pub(crate) ready: i64,
    /// So many were not heard for long.
    pub(crate) silent: i64,
    /// So many should have renewed their certificates.
    pub(crate) late: i64,
    /// When the first certificate ends.
    pub(crate) first: Option<Timestamp>,
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
            ready: telemetry
                .gauge("airclass_control_nodes_ready", "Enrolled nodes that are heard and say that they are ready"),
            silent: telemetry.gauge(
                "airclass_control_nodes_silent",
                "Enrolled nodes that have not been heard for five minutes",
            ),
            late: telemetry.gauge(
                "airclass_control_nodes_certificate_late",
                "Enrolled nodes that should have renewed their certificates: less than a sixth of its life is left",
            ),
            expiry: telemetry.gauge(
                "airclass_control_certificate_expiry_timestamp_seconds",
                "When the first of the enrolled nodes' certificates ends, in seconds since 1970; 0: there is none",
            ),
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

    pub(crate) fn fleet(&self, fleet: Fleet) {
        self.ready.set(fleet.ready);
        self.silent.set(fleet.silent);
        self.late.set(fleet.late);
        self.expiry.set(fleet.first.map_or(0, Timestamp::as_second));
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
