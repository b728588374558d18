//! Counters that all cores write to with each request, striped: each core adds in a place of its own, and who reads adds the places
//! up. A count in one place is passed from core to core, and each of them waits for it; and where others may write, too, a core has to
//! lock it, and waits for all that it has written before.

use crate::{Label, Telemetry};
use prometheus::core::{Collector, Desc};
use prometheus::proto;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Places of cores at most. Threads beyond so many share one, which costs time and no count.
const MOST_STRIPES: usize = 64;
/// The place of all threads that have none of their own.
const SHARED: usize = 0;
/// This one, and one for each core.
static PLACES: LazyLock<usize> =
    LazyLock::new(|| 1 + std::thread::available_parallelism().map_or(1, usize::from).min(MOST_STRIPES));
/// Counts in what a core takes from another at once: two lines of 64 bytes, which are fetched together.
const COUNTS: usize = 16;

/// A counter for each value of its labels.
#[derive(Debug, Clone)]
pub struct StripedCounters(Arc<Family>);

impl StripedCounters {
    /// Registers a counter for each of `values`, of one word a label, made at the start. They are counted by their places in that list.
    ///
    /// # Panics
    /// As [`Telemetry::register`].
    pub fn register(
        telemetry: &Telemetry,
        name: &str,
        help: &str,
        labels: &[&str],
        values: &[Vec<&str>],
    ) -> Self {
        telemetry.register(Self(Arc::new(Family::new(name, help, labels, values, &[]))))
    }

    /// Counts one.
    pub fn inc(&self, index: usize) {
        self.inc_by(index, 1);
    }

    /// Counts so many.
    pub fn inc_by(&self, index: usize, by: u64) {
        self.0.stripes.add(index, by);
    }

    /// How many were counted.
    pub fn get(&self, index: usize) -> u64 {
        self.0.stripes.sum(index)
    }

    /// The counter of one value.
    pub fn of(&self, index: usize) -> StripedCounter {
        StripedCounter { family: self.clone(), index }
    }

    /// How many were counted of all values.
    pub fn sum(&self) -> u64 {
        (0..self.0.labels.len()).map(|index| self.get(index)).sum()
    }
}

impl Collector for StripedCounters {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0.desc]
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let metric = |index| {
            let mut counter = proto::Counter::default();
            #[expect(clippy::cast_precision_loss, reason = "what the format has")]
            counter.set_value(self.get(index) as f64);
            let mut metric = proto::Metric::default();
            metric.set_counter(counter);
            metric
        };
        self.0.collect(proto::MetricType::COUNTER, metric)
    }
}

/// One of [`StripedCounters`].
#[derive(Debug, Clone)]
pub struct StripedCounter {
    family: StripedCounters,
    index: usize,
}

impl StripedCounter {
    /// Counts so many.
    pub fn inc_by(&self, by: u64) {
        self.family.inc_by(self.index, by);
    }

    /// How many were counted.
    pub fn get(&self) -> u64 {
        self.family.get(self.index)
    }
}

/// A histogram of seconds for each value of its label.
#[derive(Debug, Clone)]
pub struct StripedHistograms(Arc<Family>);

impl StripedHistograms {
    /// Registers a histogram for each value of `L`, with buckets up to `bounds`, in seconds, ascending.
    ///
    /// # Panics
    /// As [`Telemetry::register`].
    pub fn register<L: Label>(
        telemetry: &Telemetry,
        name: &str,
        help: &str,
        label: &str,
        bounds: &'static [f64],
    ) -> Self {
        telemetry.register(Self(Arc::new(Family::new(name, help, &[label], &values_of::<L>(), bounds))))
    }

    /// Counts a span.
    pub fn observe(&self, index: usize, span: Duration) {
        let Family { bounds, stripes, .. } = &*self.0;
        let seconds = span.as_secs_f64();
        let bucket = bounds.iter().position(|bound| seconds <= *bound).unwrap_or(bounds.len());
        let first = index * self.0.counts();
        stripes.add(first + bucket, 1);
        stripes.add(first + bounds.len() + 1, u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
    }
}

impl Collector for StripedHistograms {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0.desc]
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let Family { bounds, stripes, .. } = &*self.0;
        let metric = |index| {
            let first = index * self.0.counts();
            let mut count = 0;
            let mut buckets = Vec::with_capacity(bounds.len());
            for (at, bound) in bounds.iter().enumerate() {
                count += stripes.sum(first + at);
                let mut bucket = proto::Bucket::default();
                bucket.set_cumulative_count(count);
                bucket.set_upper_bound(*bound);
                buckets.push(bucket);
            }
            let mut histogram = proto::Histogram::default();
            histogram.set_bucket(buckets);
            histogram.set_sample_count(count + stripes.sum(first + bounds.len()));
            histogram
                .set_sample_sum(Duration::from_nanos(stripes.sum(first + bounds.len() + 1)).as_secs_f64());
            let mut metric = proto::Metric::default();
            metric.set_histogram(histogram);
            metric
        };
        self.0.collect(proto::MetricType::HISTOGRAM, metric)
    }
}

/// Metrics of one name.
#[derive(Debug)]
struct Family {
    desc: Desc,
    /// Of each metric.
    labels: Vec<Vec<proto::LabelPair>>,
    /// Of histograms.
    bounds: &'static [f64],
    stripes: Stripes,
}

impl Family {
    fn new(name: &str, help: &str, labels: &[&str], values: &[Vec<&str>], bounds: &'static [f64]) -> Self {
        let names = labels.iter().map(|&label| label.to_owned()).collect();
        let desc = Desc::new(name.to_owned(), help.to_owned(), names, HashMap::new())
            .expect("a constant name is valid");
        let pairs = |words: &Vec<&str>| {
            let mut pairs: Vec<_> = labels.iter().zip(words).map(|(label, word)| pair(label, word)).collect();
            pairs.sort_by(|a, b| a.name().cmp(b.name()));
            pairs
        };
        let labels: Vec<_> = values.iter().map(pairs).collect();
        let counts = labels.len() * counts(bounds);
        Self { desc, labels, bounds, stripes: Stripes::new(counts) }
    }

    /// Counts that one metric has.
    fn counts(&self) -> usize {
        counts(self.bounds)
    }

    fn collect(
        &self,
        kind: proto::MetricType,
        metric: impl Fn(usize) -> proto::Metric,
    ) -> Vec<proto::MetricFamily> {
        let labelled = |(index, labels): (usize, &Vec<proto::LabelPair>)| {
            let mut metric = metric(index);
            metric.set_label(labels.clone());
            metric
        };
        let mut family = proto::MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(kind);
        family.set_metric(self.labels.iter().enumerate().map(labelled).collect());
        vec![family]
    }
}

/// A list of one word for each value of `L`.
pub(crate) fn values_of<L: Label>() -> Vec<Vec<&'static str>> {
    L::ALL.iter().map(|value| vec![value.as_str()]).collect()
}

/// One of a counter; of a histogram one a bucket, one of what is beyond them, and the sum in nanoseconds.
fn counts(bounds: &[f64]) -> usize {
    if bounds.is_empty() { 1 } else { bounds.len() + 2 }
}

fn pair(name: &str, value: &str) -> proto::LabelPair {
    let mut pair = proto::LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

#[repr(align(128))]
#[derive(Debug, Default)]
struct Line([AtomicU64; COUNTS]);

/// So many counts, each in all places.
#[derive(Debug)]
struct Stripes {
    lines: Box<[Line]>,
    /// Of one place.
    each: usize,
}

impl Stripes {
    fn new(counts: usize) -> Self {
        let each = counts.div_ceil(COUNTS);
        Self { lines: (0..each * *PLACES).map(|_| Line::default()).collect(), each }
    }

    fn count(&self, place: usize, index: usize) -> &AtomicU64 {
        &self.lines[place * self.each + index / COUNTS].0[index % COUNTS]
    }

    fn add(&self, index: usize, by: u64) {
        let place = PLACE.get();
        let count = self.count(place, index);
        if place == SHARED {
            count.fetch_add(by, Ordering::Relaxed);
        } else {
            // Nobody else writes to it.
            count.store(count.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
        }
    }

    fn sum(&self, index: usize) -> u64 {
        let counts = (0..*PLACES).map(|place| self.count(place, index).load(Ordering::Relaxed));
        counts.fold(0, u64::wrapping_add)
    }
}

thread_local! {
    /// This thread's place.
    static PLACE: Cell<usize> = const { Cell::new(SHARED) };
}

/// Gives this thread a place of its own, for as long as the process lives: for those that serve. There is one for each core.
pub fn count_alone() {
    static OWNED: AtomicUsize = AtomicUsize::new(SHARED + 1);
    if PLACE.get() == SHARED {
        let own = OWNED.fetch_add(1, Ordering::Relaxed);
        PLACE.set(if own < *PLACES { own } else { SHARED });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREADS: usize = 9;

    fn text(telemetry: &Telemetry) -> String {
        prometheus::TextEncoder::new().encode_to_string(&telemetry.registry.gather()).unwrap()
    }

    #[test]
    fn what_each_thread_counts_is_added_up() {
        let telemetry = Telemetry::new("test");
        let values: Vec<_> = (0..40).map(|n| [format!("v{n}"), "x".to_owned()]).collect();
        let words: Vec<_> = values.iter().map(|[b, a]| vec![b.as_str(), a]).collect();
        let counters =
            StripedCounters::register(&telemetry, "test_things_total", "things", &["b", "a"], &words);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let counters = &counters;
                scope.spawn(move || {
                    // More than there are places for.
                    if thread > 0 {
                        count_alone();
                        count_alone();
                    }
                    counters.inc(0);
                    counters.inc_by(39, 1_000);
                });
            }
        });
        assert_eq!((counters.get(0), counters.get(1), counters.sum()), (9, 0, 9 * 1_001));
        let text = text(&telemetry);
        for line in [
            "# TYPE test_things_total counter\n",
            "test_things_total{a=\"x\",b=\"v0\"} 9\n",
            "test_things_total{a=\"x\",b=\"v1\"} 0\n",
            "test_things_total{a=\"x\",b=\"v39\"} 9000\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[derive(Clone, Copy)]
    enum Tier {
        Ram,
        Disk,
    }

    impl Label for Tier {
        const ALL: &'static [Self] = &[Self::Ram, Self::Disk];

        fn as_str(self) -> &'static str {
            match self {
                Self::Ram => "ram",
                Self::Disk => "disk",
            }
        }

        fn index(self) -> usize {
            self as usize
        }
    }

    #[test]
    fn a_span_is_in_the_first_bucket_that_holds_it() {
        let telemetry = Telemetry::new("test");
        let name = "test_wait_seconds";
        let spans = StripedHistograms::register::<Tier>(&telemetry, name, "waits", "tier", &[0.5, 2.0]);
        for millis in [0, 500, 501, 2_001] {
            spans.observe(Tier::Disk.index(), Duration::from_millis(millis));
        }
        let text = text(&telemetry);
        for line in [
            "# TYPE test_wait_seconds histogram\n",
            "test_wait_seconds_bucket{tier=\"disk\",le=\"0.5\"} 2\n",
            "test_wait_seconds_bucket{tier=\"disk\",le=\"2\"} 3\n",
            "test_wait_seconds_bucket{tier=\"disk\",le=\"+Inf\"} 4\n",
            "test_wait_seconds_sum{tier=\"disk\"} 3.002\n",
            "test_wait_seconds_count{tier=\"disk\"} 4\n",
            "test_wait_seconds_count{tier=\"ram\"} 0\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
