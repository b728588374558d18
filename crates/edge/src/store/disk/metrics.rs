//! What an operator sees of the disks: read from them when somebody looks.

use super::DiskTier;
use diskstore::{Counters, Report, State};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounterVec, IntGaugeVec, Opts};
use std::sync::{Arc, Weak};
use telemetry::Telemetry;

/// Shows the disks of `tier` among the metrics.
pub(super) fn register(telemetry: &Telemetry, tier: &Arc<DiskTier>) {
    telemetry.register(Disks { tier: Arc::downgrade(tier), families: Arc::new(Families::new()) });
}

#[derive(Clone)]
struct Disks {
    tier: Weak<DiskTier>,
    families: Arc<Families>,
}

/// A gauge's name, what it is, and where it is read.
type Gauge = (&'static str, &'static str, fn(&Report<'_>) -> u64);
/// A counter's name, what it is, its operation where there are several, and where it is read.
type Count = (&'static str, &'static str, &'static [(&'static str, fn(&Counters) -> u64)]);

const GAUGES: [Gauge; 5] = [
    ("edge_disk_objects", "Objects on the disk", |report| report.objects),
    ("edge_disk_bytes", "Bytes of the disk that hold something", |report| report.used_bytes),
    ("edge_disk_pinned_bytes", "Bytes of what is kept whatever is asked for", |report| report.pinned_bytes),
    ("edge_disk_index_bytes", "Memory of the disk's index", |report| report.index_bytes),
    ("edge_disk_waiting_bytes", "Bytes waiting to be written", |report| report.waiting_bytes),
];

const COUNTS: [Count; 10] = [
    (
        "edge_disk_operations_total",
        "Records and blocks read whole, records written",
        &[("read", |counters| counters.reads.value()), ("write", |counters| counters.writes.value())],
    ),
    (
        "edge_disk_operation_bytes_total",
        "Their bytes",
        &[
            ("read", |counters| counters.read_bytes.value()),
            ("write", |counters| counters.written_bytes.value()),
        ],
    ),
    (
        "edge_disk_jobs_total",
        "Pieces of work of the disk's own threads: what was not in the kernel's memory, what was written",
        &[("read", |counters| counters.read_jobs.value()), ("write", |counters| counters.write_jobs.value())],
    ),
    (
        "edge_disk_job_micros_total",
        "What these took, in microseconds",
        &[
            ("read", |counters| counters.read_micros.value()),
            ("write", |counters| counters.write_micros.value()),
        ],
    ),
    (
        "edge_disk_errors_total",
        "Operations that the system failed",
        &[
            ("read", |counters| counters.read_errors.value()),
            ("write", |counters| counters.write_errors.value()),
        ],
    ),
    (
        "edge_disk_dropped_total",
        "Operations given up because the disk was slower than what came, or away",
        &[
            ("read", |counters| counters.dropped_reads.value()),
            ("write", |counters| counters.dropped_writes.value()),
        ],
    ),
    (
        "edge_checksum_failures_total",
        "Records and blocks that were not as they had been written; none was served",
        &[("read", |counters| counters.checksum_failures.value())],
    ),
    (
        "edge_disk_evictions_total",
        "Objects given up for room",
        &[("write", |counters| counters.evictions.value())],
    ),
    (
        "edge_disk_kept_total",
        "Objects written again instead, because they are popular or pinned",
        &[("write", |counters| counters.kept.value())],
    ),
    (
        "edge_disk_lost_pins_total",
        "Pinned objects given up all the same: more is pinned than there is room for",
        &[("write", |counters| counters.lost_pins.value())],
    ),
];

struct Families {
    state: IntGaugeVec,
    gauges: Vec<IntGaugeVec>,
    counts: Vec<IntCounterVec>,
}

impl Families {
    fn new() -> Self {
        let gauge = |name, help, labels: &[&str]| {
            IntGaugeVec::new(Opts::new(name, help), labels).expect("a constant name is valid")
        };
        let count = |&(name, help, _): &Count| {
            IntCounterVec::new(Opts::new(name, help), &["disk", "op"]).expect("a constant name is valid")
        };
        Self {
            state: gauge("edge_disk_state", "1 for the state that the disk is in", &["disk", "state"]),
            gauges: GAUGES.iter().map(|(name, help, _)| gauge(name, help, &["disk"])).collect(),
            counts: COUNTS.iter().map(count).collect(),
        }
    }

    fn take_in(&self, report: &Report<'_>) {
        for state in State::ALL {
            self.state
                .with_label_values(&[report.label, state.as_str()])
                .set(i64::from(state == report.state));
        }
        for ((.., read), gauge) in GAUGES.iter().zip(&self.gauges) {
            gauge.with_label_values(&[report.label]).set(i64::try_from(read(report)).unwrap_or(i64::MAX));
        }
        for ((.., operations), count) in COUNTS.iter().zip(&self.counts) {
            for (operation, read) in *operations {
                let shown = count.with_label_values(&[report.label, operation]);
                shown.inc_by(read(report.counters).saturating_sub(shown.get()));
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = &dyn Collector> {
        let gauges = std::iter::once(&self.state).chain(&self.gauges).map(|gauge| gauge as &dyn Collector);
        gauges.chain(self.counts.iter().map(|count| count as &dyn Collector))
    }
}

impl Collector for Disks {
    fn desc(&self) -> Vec<&Desc> {
        self.families.all().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        if let Some(tier) = self.tier.upgrade() {
            tier.disks.reports().for_each(|report| self.families.take_in(&report));
        }
        self.families.all().flat_map(Collector::collect).collect()
    }
}
