//! What operators see of the agent.

use crate::renew::Standing;
use crate::state::State;
use fleet::Effect;
use jiff::Timestamp;
use prometheus::{IntCounter, IntGauge};
use telemetry::{Check, Label, Telemetry, counters};

/// Counters and gauges.
#[derive(Clone)]
pub(crate) struct Metrics {
    expiry: IntGauge,
    late: IntGauge,
    renewals: Vec<IntCounter>,
    heard: IntGauge,
    orders: Vec<IntCounter>,
    last: IntGauge,
    telemetry: Telemetry,
}

/// What came of a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Another certificate is here.
    Renewed,
    /// None is; it is tried again.
    Failed,
}

impl Label for Renewal {
    const ALL: &'static [Self] = &[Self::Renewed, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Failed => "failed",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// What came of an order, as a label.
#[derive(Debug, Clone, Copy)]
enum Came {
    Done,
    Overtaken,
    Refused,
}

impl Label for Came {
    const ALL: &'static [Self] = &[Self::Done, Self::Overtaken, Self::Refused];

    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Overtaken => "overtaken",
            Self::Refused => "refused",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        Self {
            expiry: telemetry.gauge(
                "airclass_node_certificate_expiry_timestamp_seconds",
                "Until when the node's certificate counts at the control, in seconds since 1970",
            ),
            late: telemetry.gauge(
                "airclass_node_certificate_late",
                "1 while the certificate should have been renewed: less than a sixth of its life is left, or nothing",
            ),
            renewals: counters::<Renewal>(
                telemetry,
                "airclass_node_renewals_total",
                "Renewals of the node's certificate that were tried, by what came of them",
                "outcome",
            ),
            heard: telemetry.gauge(
                "airclass_node_control_heard_timestamp_seconds",
                "When the control last answered the node, in seconds since 1970; 0: never",
            ),
            orders: counters::<Came>(
                telemetry,
                "airclass_node_orders_total",
                "Orders of the control, by what came of them; a plan of a day that is not near counts once the edge has judged it",
                "effect",
            ),
            last: telemetry.gauge("airclass_node_order", "Number of the last order that was looked at"),
            telemetry: telemetry.clone(),
        }
    }

    /// How it is with the certificate of `state`.
    pub(crate) fn certified(&self, state: &State, now: Timestamp) {
        self.expiry.set(state.until.as_second());
        let standing = Standing::of(state, now);
        self.late.set(i64::from(matches!(standing, Standing::Late | Standing::Over)));
        match standing {
            Standing::Over => self.telemetry.readiness.fail(
                Check::Certificate,
                format!("it has run out at {}: enrol this node anew, with another token", state.until),
            ),
            _ => self.telemetry.readiness.pass(Check::Certificate),
        }
        self.telemetry.readiness.note("certificate_until", state.until.to_string());
    }

    pub(crate) fn renewal(&self, outcome: Renewal) {
        self.renewals[outcome.index()].inc();
    }

    pub(crate) fn heard(&self, now: Timestamp) {
        self.heard.set(now.as_second());
    }

    /// What came of an order, once for each.
    pub(crate) fn came(&self, effect: &Effect) {
        let came = match effect {
            Effect::Done => Came::Done,
            Effect::Overtaken => Came::Overtaken,
            Effect::Refused(_) => Came::Refused,
        };
        self.orders[came.index()].inc();
    }

    /// The last order that was looked at.
    pub(crate) fn at(&self, number: u64) {
        self.last.set(i64::try_from(number).unwrap_or(i64::MAX));
    }
}
