//! What a feed counts.

use prometheus::{Histogram, IntCounter, IntGauge};
use telemetry::{Label, Telemetry, counters};

/// What a period carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// What the plan says.
    Planned,
    /// The slate: the plan says nothing.
    NothingPlanned,
    /// The slate: segments did not come in time.
    NotThere,
    /// The slate: segments make no sense.
    Unreadable,
    /// The slate: the segment is larger than the rate.
    TooLarge,
}

impl Label for Shown {
    const ALL: &'static [Self] =
        &[Self::Planned, Self::NothingPlanned, Self::NotThere, Self::Unreadable, Self::TooLarge];

    fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::NothingPlanned => "nothing_planned",
            Self::NotThere => "not_there",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// A kind of destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Udp,
    Srt,
    File,
}

impl Label for Way {
    const ALL: &'static [Self] = &[Self::Udp, Self::Srt, Self::File];

    fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Srt => "srt",
            Self::File => "file",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// From 100 µs to a second.
const BEHIND: [f64; 9] = [0.000_1, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1.0];

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    shown: Vec<IntCounter>,
    sent: Vec<IntCounter>,
    lost: Vec<IntCounter>,
    pub(crate) behind: Histogram,
    pub(crate) late: IntCounter,
    pub(crate) skipped: IntCounter,
    pub(crate) clock_error_us: IntGauge,
    pub(crate) receivers: IntGauge,
    pub(crate) refused_plans: IntCounter,
}

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        let counter = |name, help| telemetry.counter(name, help);
        Self {
            shown: counters::<Shown>(
                telemetry,
                "feed_segments_total",
                "Segments by what they carry",
                "shown",
            ),
            sent: counters::<Way>(
                telemetry,
                "feed_datagrams_total",
                "Datagrams handed to the network",
                "way",
            ),
            lost: counters::<Way>(
                telemetry,
                "feed_datagrams_lost_total",
                "Datagrams that could not be",
                "way",
            ),
            behind: telemetry.seconds("feed_behind_seconds", "How late a datagram left", &BEHIND),
            late: counter("feed_late_total", "Datagrams that left more than 20 ms late"),
            skipped: counter(
                "feed_skipped_packets_total",
                "Packets not sent because their time was long past",
            ),
            clock_error_us: telemetry
                .gauge("feed_clock_error_microseconds", "Wall clock minus the feed's own pace"),
            receivers: telemetry.gauge("feed_srt_receivers", "SRT connections that are up"),
            refused_plans: counter("feed_plans_refused_total", "Plans that were not followed"),
        }
    }

    pub(crate) fn shown(&self, shown: Shown) {
        self.shown[shown.index()].inc();
    }

    pub(crate) fn sent(&self, way: Way) {
        self.sent[way.index()].inc();
    }

    pub(crate) fn lost(&self, way: Way) {
        self.lost[way.index()].inc();
    }

    pub(crate) fn lost_so_far(&self) -> u64 {
        self.lost.iter().map(IntCounter::get).sum()
    }
}
