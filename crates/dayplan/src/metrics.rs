//! What operators see of plans.

use jiff::Timestamp;
use prometheus::{IntCounter, IntGauge, IntGaugeVec, Opts};
use telemetry::{Label, Telemetry};
use timetable::Refusal;

/// Counters and gauges of plans.
#[derive(Debug)]
pub(crate) struct Metrics {
    editions: Vec<IntGauge>,
    refusals: Vec<IntCounter>,
    refused: IntGauge,
    heard: IntGauge,
    changes: IntCounter,
}

/// Which day's, as a label.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Day {
    Yesterday,
    Today,
    Tomorrow,
}

impl Label for Day {
    const ALL: &'static [Self] = &[Self::Yesterday, Self::Today, Self::Tomorrow];

    fn as_str(self) -> &'static str {
        match self {
            Self::Yesterday => "yesterday",
            Self::Today => "today",
            Self::Tomorrow => "tomorrow",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

telemetry::label_of! {
    /// A refusal as a label.
    struct Reason(Refusal);
}

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        let opts = Opts::new("airclass_plan_edition", "Edition of the day plan that is followed; 0: none");
        let editions =
            telemetry.register(IntGaugeVec::new(opts, &["day"]).expect("a constant name is valid"));
        Self {
            editions: Day::ALL.iter().map(|day| editions.with_label_values(&[day.as_str()])).collect(),
            refusals: telemetry::counters::<Reason>(
                telemetry,
                "airclass_plan_refusals_total",
                "Published day plans that were refused, each counted once, by reason",
                "reason",
            ),
            refused: telemetry.gauge(
                "airclass_plan_refused",
                "1 while a plan is published that is refused, and an older one or none is followed",
            ),
            heard: telemetry.gauge(
                "airclass_plan_heard_timestamp_seconds",
                "When the source of plans last answered, or the control that an agent hears, in seconds since 1970; 0: never",
            ),
            changes: telemetry
                .counter("airclass_plan_changes_total", "Times that another day plan was followed"),
        }
    }

    pub(crate) fn follows(&self, day: Day, edition: u64) {
        self.editions[day.index()].set(i64::try_from(edition).unwrap_or(i64::MAX));
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        self.refusals[Reason(refusal).index()].inc();
    }

    pub(crate) fn alarm(&self, refused: bool) {
        self.refused.set(i64::from(refused));
    }

    pub(crate) fn heard(&self, now: Timestamp) {
        self.heard.set(now.as_second());
    }

    pub(crate) fn changed(&self) {
        self.changes.inc();
    }
}
