//! What operators see of steering.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts};
use steering::Ring;
use telemetry::{Label, Telemetry, counters};

/// Counters and gauges.
pub(crate) struct Metrics {
    nodes: IntGauge,
    told: IntCounterVec,
    dns: Vec<IntCounter>,
    limited: IntCounter,
}

/// What came of a message of DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DnsOutcome {
    /// Records were told.
    Answered,
    /// The name has none of that kind.
    NoData,
    /// Nobody has room.
    Nobody,
    /// The name is not ours.
    Refused,
    /// It was no question that can be read.
    Malformed,
    /// It was no question at all.
    Ignored,
    /// Its network asks too often.
    Limited,
}

impl Label for DnsOutcome {
    const ALL: &'static [Self] = &[
        Self::Answered,
        Self::NoData,
        Self::Nobody,
        Self::Refused,
        Self::Malformed,
        Self::Ignored,
        Self::Limited,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NoData => "no_data",
            Self::Nobody => "nobody",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Ignored => "ignored",
            Self::Limited => "limited",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// How an answer names that nobody had room.
const NOBODY: &str = "nobody";

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        let told = Opts::new("airclass_steer_told_total", "Answers, by how near the first node is");
        Self {
            nodes: telemetry.gauge("airclass_steer_nodes", "Nodes that students may be sent to"),
            told: telemetry.register(IntCounterVec::new(told, &["ring"]).expect("a constant name is valid")),
            dns: counters::<DnsOutcome>(
                telemetry,
                "airclass_steer_dns_total",
                "Messages of DNS, by what came of them",
                "outcome",
            ),
            limited: telemetry.counter(
                "airclass_steer_limited_total",
                "Questions over HTTP from addresses that ask too often",
            ),
        }
    }

    pub(crate) fn nodes(&self, count: usize) {
        self.nodes.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn dns(&self, outcome: DnsOutcome) {
        self.dns[outcome.index()].inc();
    }

    pub(crate) fn limited(&self) {
        self.limited.inc();
    }

    pub(crate) fn told(&self, ring: Option<Ring>) {
        self.told.with_label_values(&[ring.map_or(NOBODY, Ring::as_str)]).inc();
    }
}
