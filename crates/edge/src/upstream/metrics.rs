//! What is counted about groups and their servers. Labels are names from the configuration: as many as it has, and no
//! more.

use crate::metrics::FILL_BUCKETS;
use parents::retry::Failure;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
};
use telemetry::{Label, Telemetry};

/// What became of one question to one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// An answer.
    Answer,
    /// 502, 503 or 504.
    Unwell,
    /// No connection, or none free.
    Unreached,
    /// Sent, and no answer, or none in time.
    Unanswered,
    /// What came cannot be read.
    Unreadable,
    /// An answer whose body broke off.
    Broken,
}

impl Label for Asked {
    const ALL: &'static [Self] =
        &[Self::Answer, Self::Unwell, Self::Unreached, Self::Unanswered, Self::Unreadable, Self::Broken];

    fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Unwell => "unwell",
            Self::Unreached => "unreached",
            Self::Unanswered => "unanswered",
            Self::Unreadable => "unreadable",
            Self::Broken => "broken",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// What became of a second server that was asked beside a slow one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hedged {
    /// It was quicker.
    Won,
    /// It was not.
    Lost,
}

impl Label for Hedged {
    const ALL: &'static [Self] = &[Self::Won, Self::Lost];

    fn as_str(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// What became of a body that broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BrokenBody {
    /// The rest came from elsewhere.
    Resumed,
    /// Nobody had the rest of the same.
    Failed,
    /// It had broken off too often.
    NotTried,
}

impl Label for BrokenBody {
    const ALL: &'static [Self] = &[Self::Resumed, Self::Failed, Self::NotTried];

    fn as_str(self) -> &'static str {
        match self {
            Self::Resumed => "resumed",
            Self::Failed => "failed",
            Self::NotTried => "not_tried",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// What a neighbour said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeerSaid {
    /// Had it.
    Hit,
    /// Had not, or not fresh.
    Miss,
    /// Nothing in time.
    Failed,
    /// Was not asked: its connections were all in use.
    Busy,
}

impl Label for PeerSaid {
    const ALL: &'static [Self] = &[Self::Hit, Self::Miss, Self::Failed, Self::Busy];

    fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Failed => "failed",
            Self::Busy => "busy",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// All families; made once, and from them each group's and server's own.
#[derive(Debug)]
pub(super) struct Families {
    up: IntGaugeVec,
    load: IntGaugeVec,
    seconds: HistogramVec,
    asked: IntCounterVec,
    retries: IntCounterVec,
    budget: IntGaugeVec,
    denied: IntCounterVec,
    hedges: IntCounterVec,
    resumed: IntCounterVec,
    peers: IntCounterVec,
}

const PARENT: [&str; 2] = ["group", "parent"];

impl Families {
    pub(super) fn register(telemetry: &Telemetry) -> Self {
        let gauges = |name, help, labels: &[&str]| {
            let family = IntGaugeVec::new(Opts::new(name, help), labels).expect("a constant name is valid");
            telemetry.register(family)
        };
        let counters = |name, help, labels: &[&str]| {
            let family = IntCounterVec::new(Opts::new(name, help), labels).expect("a constant name is valid");
            telemetry.register(family)
        };
        Self {
            up: gauges("edge_parent_up", "1 while a server is asked, 0 while it is down", &PARENT),
            load: gauges("edge_parent_load", "Questions going on with a server", &PARENT),
            seconds: telemetry.register(
                HistogramVec::new(
                    HistogramOpts::new(
                        "edge_parent_seconds",
                        "From a question to a server to the last byte of its answer, or to giving it up",
                    )
                    .buckets(FILL_BUCKETS.to_vec()),
                    &PARENT,
                )
                .expect("a constant name is valid"),
            ),
            asked: counters(
                "edge_parent_requests_total",
                "Questions to a server, by what became of them",
                &["group", "parent", "outcome"],
            ),
            retries: counters(
                "edge_upstream_retries_total",
                "Questions sent to another server, by what was wrong with the one before",
                &["group", "reason"],
            ),
            budget: gauges(
                "edge_retry_budget",
                "Retries and hedges that may be made at once, as of the last question",
                &["group"],
            ),
            denied: counters(
                "edge_retry_budget_denied_total",
                "Retries that were not made because the budget was used up",
                &["group"],
            ),
            hedges: counters(
                "edge_hedges_total",
                "Second servers asked beside a slow one, by which was quicker",
                &["group", "outcome"],
            ),
            resumed: counters(
                "edge_broken_bodies_total",
                "Bodies with a strong validator that broke off on their way here, by what became of them",
                &["group", "outcome"],
            ),
            peers: counters(
                "edge_peer_requests_total",
                "Questions to neighbours for what they hold, by what they said",
                &["group", "outcome"],
            ),
        }
    }

    pub(super) fn parent(&self, group: &str, parent: &str) -> ParentMetrics {
        let up = self.up.with_label_values(&[group, parent]);
        up.set(1);
        let asked = |outcome: &Asked| self.asked.with_label_values(&[group, parent, outcome.as_str()]);
        ParentMetrics {
            up,
            load: self.load.with_label_values(&[group, parent]),
            seconds: self.seconds.with_label_values(&[group, parent]),
            asked: Asked::ALL.iter().map(asked).collect(),
        }
    }

    /// A server is no more: whether it is up is nobody's question. What it was asked stays counted.
    pub(super) fn forget(&self, group: &str, parent: &str) {
        // Not there is as good.
        let _ = self.up.remove_label_values(&[group, parent]);
        let _ = self.load.remove_label_values(&[group, parent]);
    }

    pub(super) fn group(&self, group: &str) -> GroupMetrics {
        let each = |family: &IntCounterVec, names: &[&str]| -> Vec<IntCounter> {
            names.iter().map(|name| family.with_label_values(&[group, name])).collect()
        };
        GroupMetrics {
            retries: each(&self.retries, &Failure::ALL.map(Failure::as_str)),
            budget: self.budget.with_label_values(&[group]),
            denied: self.denied.with_label_values(&[group]),
            hedges: each(&self.hedges, &names::<Hedged>()),
            resumed: each(&self.resumed, &names::<BrokenBody>()),
            peers: each(&self.peers, &names::<PeerSaid>()),
        }
    }
}

fn names<L: Label>() -> Vec<&'static str> {
    L::ALL.iter().map(|label| label.as_str()).collect()
}

/// One server's.
#[derive(Debug)]
pub(super) struct ParentMetrics {
    pub(super) up: IntGauge,
    pub(super) load: IntGauge,
    pub(super) seconds: Histogram,
    asked: Vec<IntCounter>,
}

impl ParentMetrics {
    pub(super) fn asked(&self, outcome: Asked) {
        self.asked[outcome.index()].inc();
    }
}

/// One group's.
#[derive(Debug)]
pub(super) struct GroupMetrics {
    retries: Vec<IntCounter>,
    pub(super) budget: IntGauge,
    pub(super) denied: IntCounter,
    hedges: Vec<IntCounter>,
    resumed: Vec<IntCounter>,
    peers: Vec<IntCounter>,
}

impl GroupMetrics {
    pub(super) fn retried(&self, after: Failure) {
        self.retries[after.index()].inc();
    }

    pub(super) fn hedged(&self, outcome: Hedged) {
        self.hedges[outcome.index()].inc();
    }

    pub(super) fn broke_off(&self, outcome: BrokenBody) {
        self.resumed[outcome.index()].inc();
    }

    pub(super) fn peer_said(&self, outcome: PeerSaid) {
        self.peers[outcome.index()].inc();
    }
}
