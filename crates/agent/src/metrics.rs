//! What operators see of the agent.

use crate::line::Trouble;
use crate::renew::Standing;
use crate::state::State;
use fleet::Effect;
use jiff::Timestamp;
use prometheus::{IntCounter, IntGauge};
use std::cell::RefCell;
use std::rc::Rc;
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
    /// Why the control takes this node for none, as it said last.
    disowned: Rc<RefCell<Option<String>>>,
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
            disowned: Rc::default(),
            telemetry: telemetry.clone(),
        }
    }

    /// How it is with the certificate of `state`.
    pub(crate) fn certified(&self, state: &State, now: Timestamp) {
        self.expiry.set(state.until.as_second());
        let standing = Standing::of(state, now);
        self.late.set(i64::from(matches!(standing, Standing::Late | Standing::Over)));
        match trouble(standing, state, self.disowned.borrow().as_deref()) {
            Some(reason) => self.telemetry.readiness.fail(Check::Certificate, reason),
            None => self.telemetry.readiness.pass(Check::Certificate),
        }
        self.telemetry.readiness.note("certificate_until", state.until.to_string());
    }

    pub(crate) fn renewal(&self, outcome: Renewal) {
        self.renewals[outcome.index()].inc();
    }

    /// The control has answered the node of `state`.
    pub(crate) fn heard(&self, state: &State, now: Timestamp) {
        self.heard.set(now.as_second());
        if self.disowned.take().is_some() {
            self.certified(state, now);
        }
    }

    /// It has answered that the certificate of `state` is nobody's whom it knows. What goes wrong on the way says nothing of that.
    pub(crate) fn unheard(&self, trouble: &Trouble, state: &State, now: Timestamp) {
        if trouble.disowns() {
            self.disowned.replace(Some(trouble.to_string()));
            self.certified(state, now);
        }
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

/// Why the certificate of `state` is good for nothing.
fn trouble(standing: Standing, state: &State, disowned: Option<&str>) -> Option<String> {
    match (standing, disowned) {
        (Standing::Over, _) => {
            Some(format!("it has run out at {}: enrol this node anew, with another token", state.until))
        }
        (_, Some(said)) => Some(format!(
            "the control does not take it ({said}): enrol this node anew, with another token and home"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet::Refusal;

    /// `/readyz` went on saying that the certificate is well, whatever the control said.
    #[test]
    fn a_node_that_the_control_has_put_out_says_so_until_it_is_heard_again() {
        let telemetry = Telemetry::new("test");
        let metrics = Metrics::register(&telemetry);
        let now = Timestamp::from_second(1_788_249_600).unwrap();
        let node = "hubei/dianxin/acme/a/1".parse().unwrap();
        let state = State::new(
            "https://control.example".to_owned(),
            node,
            now,
            now + jiff::SignedDuration::from_hours(24),
        );
        let refused = |refusal: Refusal| Trouble::Refused {
            refused: refusal.as_str().to_owned(),
            problem: refusal.to_string(),
        };
        metrics.certified(&state, now);
        for (trouble, ready) in [
            (Trouble::Unreachable("gone".to_owned()), true),
            (Trouble::Untrusted("an alert".to_owned()), true),
            (refused(Refusal::StoreAway), true),
            (refused(Refusal::Revoked), false),
            (refused(Refusal::UnknownNode), false),
            (refused(Refusal::OldCertificate), false),
        ] {
            metrics.unheard(&trouble, &state, now);
            // As it is looked at now and then.
            metrics.certified(&state, now);
            assert_eq!(telemetry.readiness.is_ready(), ready, "{trouble}");
            // One lost way later.
            metrics.unheard(&Trouble::Unreachable("gone".to_owned()), &state, now);
            assert_eq!(telemetry.readiness.is_ready(), ready, "{trouble}");
            metrics.heard(&state, now);
            assert!(telemetry.readiness.is_ready(), "{trouble}");
        }
    }
}
