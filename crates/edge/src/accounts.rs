//! What this node has sent, written down minute by minute for the bill: `counters ─► meter ─► lines ─► a file a month`.
//!
//! A thread of its own looks once a second at counters that connections keep anyhow, so a disk that is slow or full costs
//! nobody anything: lines wait for it, a day of them. What dies with the process is the minute that is not over.

mod book;
mod options;

pub use options::{NodeConfig, NodeOptions};

use crate::clock::Clock;
use accounting::{Contract, Meter, Minute, Readings, RunId};
use book::{Book, month95};
use jiff::Timestamp;
use prometheus::{GaugeVec, IntCounter, IntGauge, IntGaugeVec, Opts};
use serve::{Family, Sent};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use telemetry::{Label, Telemetry, Worker};
use tokio::time::Instant;

/// How often counters are read. Bytes between two looks are shared out evenly.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for the last minutes at the end: a folder may hang.
const WRITTEN_WITHIN: Duration = Duration::from_secs(2);
/// Seconds a sample.
const SAMPLE_S: u64 = 300;

/// Who writes it down, until dropped; then what is left is written, within bounds.
#[derive(Debug)]
pub(crate) struct Accounts {
    stop: Option<SyncSender<()>>,
    writing: Worker,
}

impl Accounts {
    /// Begins to write down what `sent` counts. `None` where nobody has said whose node it is.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub(crate) fn start(
        config: Option<&NodeConfig>,
        sent: Sent,
        telemetry: &Telemetry,
    ) -> io::Result<Option<Self>> {
        let Some(config) = config else { return Ok(None) };
        let metrics = Metrics::register(config, telemetry);
        let Some(directory) = config.accounts.clone() else { return Ok(None) };
        let contract = Contract { commit: config.commit, ..book::MONTH_95 };
        let run = RunId(u64::try_from(now().as_millisecond()).unwrap_or_default());
        let book = Book::new(directory, run, config.identity.clone());
        let keeper = Keeper { book, sent, contract, metrics };
        let (stop, stopped) = sync_channel(0);
        let writing = Worker::start("accounts", move || keeper.run(&stopped))?;
        Ok(Some(Self { stop: Some(stop), writing }))
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        drop(self.stop.take());
        if !self.writing.ends_within(WRITTEN_WITHIN) {
            tracing::error!("the accounts' folder has not taken the last minutes in time; they may be lost");
        }
    }
}

fn now() -> Timestamp {
    Timestamp::try_from(Clock.now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

struct Keeper {
    book: Book,
    sent: Sent,
    contract: Contract,
    metrics: Metrics,
}

impl Keeper {
    fn run(mut self, stopped: &Receiver<()>) {
        let began = Instant::now();
        let mut meter = Meter::begin(self.readings(began));
        self.tell_bill(now());
        let mut sample = now().as_second().div_euclid(SAMPLE_S.cast_signed());
        while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            let readings = self.readings(began);
            let jumps = meter.jumps();
            let over = meter.read(readings);
            self.metrics.jumps.inc_by(meter.jumps() - jumps);
            if over.is_empty() {
                continue;
            }
            self.write(over);
            let current = readings.now.as_second().div_euclid(SAMPLE_S.cast_signed());
            if current != sample {
                sample = current;
                self.tell_bill(readings.now);
            }
        }
        let last = self.readings(began);
        let mut rest = meter.read(last);
        rest.extend(meter.end());
        self.write(rest);
    }

    fn readings(&self, began: Instant) -> Readings {
        let sent = [Family::V4, Family::V6].map(|family| self.sent.bytes(family));
        Readings { now: now(), elapsed: began.elapsed(), sent }
    }

    fn write(&mut self, lines: Vec<Minute>) {
        match self.book.write(lines) {
            Ok(written) => self.metrics.minutes.inc_by(written),
            Err(error) => {
                self.metrics.errors.inc();
                tracing::error!(%error, waiting = self.book.waiting(), "accounts cannot be written");
            }
        }
        self.metrics.lost.inc_by(self.book.take_lost());
    }

    /// Brings the month's bill so far into the metrics.
    fn tell_bill(&self, now: Timestamp) {
        let standing = month95(&self.book, &self.contract, now);
        let metrics = &self.metrics;
        metrics.month95.set(i64::try_from(standing.bill.rate).unwrap_or(i64::MAX));
        if let Some(free) = standing.bill.free {
            metrics.level.set(i64::try_from(free.level).unwrap_or(i64::MAX));
            metrics.free_seconds.set(i64::try_from(free.left as u64 * SAMPLE_S).unwrap_or(i64::MAX));
        }
        for (family, rate) in [Family::V4, Family::V6].into_iter().zip(standing.last) {
            metrics.sample.with_label_values(&[family.as_str()]).set(rate as f64);
        }
    }
}

/// What is counted about the accounts themselves, and where they stand.
struct Metrics {
    minutes: IntCounter,
    errors: IntCounter,
    lost: IntCounter,
    jumps: IntCounter,
    month95: IntGauge,
    level: IntGauge,
    free_seconds: IntGauge,
    sample: GaugeVec,
}

impl Metrics {
    fn register(config: &NodeConfig, telemetry: &Telemetry) -> Self {
        let identity = &config.identity;
        let info = IntGaugeVec::new(
            Opts::new("airclass_node_info", "1; the labels say whose node it is and in whose network"),
            &["owner", "province", "carrier", "site"],
        );
        let info = telemetry.register(info.expect("a constant name is valid"));
        let labels = [
            identity.owner.as_str(),
            identity.province.as_str(),
            identity.carrier.as_str(),
            identity.site.as_str(),
        ];
        info.with_label_values(&labels).set(1);
        let sample = GaugeVec::new(
            Opts::new("edge_accounts_sample_bps", "The last whole five-minute sample, by IP family"),
            &["family"],
        );
        let sample = telemetry.register(sample.expect("a constant name is valid"));
        for family in Family::ALL {
            sample.with_label_values(&[family.as_str()]).set(0.0);
        }
        Self {
            minutes: telemetry.counter("edge_accounts_records_total", "Minutes written down for the bill"),
            errors: telemetry
                .counter("edge_accounts_write_errors_total", "Times minutes could not be written down"),
            lost: telemetry.counter(
                "edge_accounts_lost_records_total",
                "Minutes given up because they could not be written down for a day",
            ),
            jumps: telemetry.counter("edge_accounts_clock_jumps_total", "Times the wall clock has jumped"),
            month95: telemetry.gauge(
                "edge_accounts_month95_bps",
                "The 95th percentile of this month's samples so far",
            ),
            level: telemetry.gauge(
                "edge_accounts_level_bps",
                "What this month is billed at least: the commitment, or more samples than are free have passed at it",
            ),
            free_seconds: telemetry.gauge(
                "edge_accounts_free_seconds",
                "Time of this month that may still be above the level without raising the bill",
            ),
            sample,
        }
    }
}
