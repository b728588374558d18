//! What operators see of the fill.

use super::front::Standing;
use super::ledger::Ready;
use crate::fill::Unproved;
use jiff::Timestamp;
use prometheus::{GaugeVec, IntCounter, IntGauge, IntGaugeVec, Opts};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use telemetry::{Label, Telemetry};
use timetable::Zone;

/// What became of a thing that was to be brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brought {
    /// It was here already.
    Held,
    /// It is not here, and it is no time for fetching.
    Absent,
    /// From an upstream, proved.
    Fetched,
    /// Other bytes than the plan names: dropped.
    Wrong,
    /// Nobody answered.
    NoServer,
    /// Another answer than 200.
    Status,
    /// It did not come whole.
    BrokenOff,
    /// This node may not keep it.
    NotKept,
    /// It is larger than anything that this node keeps.
    TooLarge,
    /// There is no room left for what is pinned.
    NoRoom,
    /// The disk is away, or behind.
    NotPinned,
    /// It was changed or purged meanwhile.
    Overtaken,
}

impl Brought {
    pub(super) fn of(unproved: Unproved) -> Self {
        match unproved {
            Unproved::Upstream(_) => Self::NoServer,
            Unproved::Status(_) => Self::Status,
            Unproved::BrokenOff => Self::BrokenOff,
            Unproved::Wrong(_) => Self::Wrong,
            Unproved::NotKept => Self::NotKept,
            Unproved::Overtaken => Self::Overtaken,
        }
    }
}

impl Label for Brought {
    const ALL: &'static [Self] = &[
        Self::Held,
        Self::Absent,
        Self::Fetched,
        Self::Wrong,
        Self::NoServer,
        Self::Status,
        Self::BrokenOff,
        Self::NotKept,
        Self::TooLarge,
        Self::NoRoom,
        Self::NotPinned,
        Self::Overtaken,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Absent => "absent",
            Self::Fetched => "fetched",
            Self::Wrong => "wrong",
            Self::NoServer => "no_server",
            Self::Status => "status",
            Self::BrokenOff => "broken_off",
            Self::NotKept => "not_kept",
            Self::TooLarge => "too_large",
            Self::NoRoom => "no_room",
            Self::NotPinned => "not_pinned",
            Self::Overtaken => "overtaken",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Counters and gauges of the fill.
#[derive(Debug)]
pub(crate) struct FillMetrics {
    objects: Vec<IntCounter>,
    bytes: IntCounter,
    paused: IntGauge,
    ratio: GaugeVec,
    bell: IntGaugeVec,
    wanted: IntGaugeVec,
    held: IntGaugeVec,
    front_wanted: IntGauge,
    front_held: IntGauge,
    /// Bells that have series.
    bells: Mutex<BTreeSet<Timestamp>>,
}

impl FillMetrics {
    pub(super) fn register(telemetry: &Telemetry) -> Self {
        // The one label that is no enum: a day has some forty bells, and those of past days go.
        let opts = |name: &str, help: &str| Opts::new(name, help);
        let ratio = opts(
            "airclass_fill_ready_ratio",
            "Share of what a bell's lessons need that is here; 1: all of it",
        );
        let bell =
            opts("airclass_fill_bell_timestamp_seconds", "When a bell of the ratio is, in Unix seconds");
        let wanted = opts("airclass_fill_wanted_bytes", "Bytes that a bell's lessons need");
        let held = opts("airclass_fill_held_bytes", "Bytes of them that are here, proved and pinned");
        let gauges = |opts| IntGaugeVec::new(opts, &["bell"]).expect("a constant name is valid");
        Self {
            objects: telemetry::counters::<Brought>(
                telemetry,
                "airclass_fill_objects_total",
                "Objects fetched beforehand, by what became of them",
                "outcome",
            ),
            bytes: telemetry.counter("airclass_fill_bytes_total", "Bytes fetched beforehand and proved"),
            paused: telemetry.gauge("airclass_fill_paused", "1 while live traffic leaves the fill no room"),
            ratio: telemetry.register(GaugeVec::new(ratio, &["bell"]).expect("a constant name is valid")),
            bell: telemetry.register(gauges(bell)),
            wanted: telemetry.register(gauges(wanted)),
            held: telemetry.register(gauges(held)),
            front_wanted: telemetry.gauge(
                "airclass_fill_front_wanted",
                "Addresses of page, catalogue, timetable and guides that the upstream's /front.json lists",
            ),
            front_held: telemetry
                .gauge("airclass_fill_front_held", "Those of them that are here, for a day without origin"),
            bells: Mutex::default(),
        }
    }

    pub(super) fn brought(&self, outcome: Brought, bytes: u64) {
        self.objects[outcome.index()].inc();
        self.bytes.inc_by(bytes);
    }

    /// How far it is with what comes before a lesson.
    pub(super) fn front(&self, standing: Standing) {
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.front_wanted.set(whole(standing.wanted));
        self.front_held.set(whole(standing.held));
    }

    /// The same, as it was told last.
    pub(super) fn front_standing(&self) -> Standing {
        let count = |gauge: &IntGauge| usize::try_from(gauge.get()).unwrap_or_default();
        Standing { wanted: count(&self.front_wanted), held: count(&self.front_held) }
    }

    pub(super) fn paused(&self, paused: bool) {
        self.paused.set(i64::from(paused));
    }

    pub(super) fn ready(&self, zone: Zone, ready: &BTreeMap<Timestamp, Ready>) {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in bells.iter().filter(|bell| !ready.contains_key(bell)) {
            let name = name(zone, *gone);
            // A series that is not there need not go.
            let _ = (
                self.ratio.remove_label_values(&[&name]),
                self.bell.remove_label_values(&[&name]),
                self.wanted.remove_label_values(&[&name]),
                self.held.remove_label_values(&[&name]),
            );
        }
        *bells = ready.keys().copied().collect();
        let whole = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        for (bell, ready) in ready {
            let name = name(zone, *bell);
            self.ratio.with_label_values(&[&name]).set(ready.ratio());
            self.bell.with_label_values(&[&name]).set(bell.as_second());
            self.wanted.with_label_values(&[&name]).set(whole(ready.wanted));
            self.held.with_label_values(&[&name]).set(whole(ready.held));
        }
    }
}

/// As a bell is called: `2026-09-01T08:30`.
pub(super) fn name(zone: Zone, bell: Timestamp) -> String {
    zone.local(bell).strftime("%Y-%m-%dT%H:%M").to_string()
}
