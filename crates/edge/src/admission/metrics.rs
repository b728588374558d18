//! What operators see of who began and who waits.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts};
use telemetry::{Label, Telemetry};
use timetable::Class;

/// What a new session was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Come in.
    Admitted,
    /// Come in, before its soft slot.
    Continued,
    /// Its slot has not begun.
    Slot,
    /// Its place in line.
    Line,
    /// The last place in line: the one that was brought lets in no more.
    Spent,
}

impl Label for Turn {
    const ALL: &'static [Self] = &[Self::Admitted, Self::Continued, Self::Slot, Self::Line, Self::Spent];

    fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Continued => "continued",
            Self::Slot => "slot",
            Self::Line => "line",
            Self::Spent => "spent",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Both lines.
pub(super) const CLASSES: [Class; 2] = [Class::Exam, Class::Usual];

/// Counters of the door.
#[derive(Debug)]
pub(super) struct AdmissionMetrics {
    told: Vec<Vec<IntCounter>>,
    waiting: Vec<IntGauge>,
}

impl AdmissionMetrics {
    pub(super) fn register(telemetry: &Telemetry) -> Self {
        let opts = Opts::new(
            "edge_admission_total",
            "New sessions of planned lessons, by class and by what they were told",
        );
        let told = IntCounterVec::new(opts, &["class", "outcome"]).expect("a constant name is valid");
        let told = telemetry.register(told);
        let opts = Opts::new("edge_admission_waiting", "Places in line that have not had their turn");
        let waiting = IntGaugeVec::new(opts, &["class"]).expect("a constant name is valid");
        let waiting = telemetry.register(waiting);
        let of_class = |class: Class| {
            let counter = |what: &Turn| told.with_label_values(&[class.as_str(), what.as_str()]);
            Turn::ALL.iter().map(counter).collect()
        };
        Self {
            told: CLASSES.map(of_class).into(),
            waiting: CLASSES.map(|class| waiting.with_label_values(&[class.as_str()])).into(),
        }
    }

    pub(super) fn told(&self, class: Class, what: Turn) {
        self.told[place(class)][what.index()].inc();
    }

    pub(super) fn waiting(&self, class: Class, count: u64) {
        self.waiting[place(class)].set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

/// Of a class in [`CLASSES`].
const fn place(class: Class) -> usize {
    match class {
        Class::Exam => 0,
        Class::Usual => 1,
    }
}
