//! The registry, read by name: what `/metrics` would say at this moment.

use prometheus::proto::{Metric, MetricFamily, MetricType};

/// Everything that was counted and measured at one moment.
#[derive(Debug, Default)]
pub struct Figures(Vec<MetricFamily>);

/// One series of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    metric: &'a Metric,
    /// A counter's or a gauge's value; how many observations a histogram has.
    pub value: f64,
}

impl<'a> Series<'a> {
    /// The value of its label `name`; empty where it has none.
    pub fn label(&self, name: &str) -> &'a str {
        self.metric.get_label().iter().find(|pair| pair.name() == name).map_or("", |pair| pair.value())
    }
}

impl Figures {
    /// As `Registry::gather` gives them, in any order.
    pub fn of(mut families: Vec<MetricFamily>) -> Self {
        families.sort_by(|a, b| a.name().cmp(b.name()));
        Self(families)
    }

    /// All series of `name`; none where nobody registered it.
    pub fn each<'a>(&'a self, name: &str) -> impl Iterator<Item = Series<'a>> + use<'a> {
        let place = self.0.binary_search_by(|family| family.name().cmp(name)).ok();
        let family = place.map(|place| &self.0[place]);
        let kind = family.map_or(MetricType::UNTYPED, MetricFamily::get_field_type);
        let metrics = family.map_or(&[][..], MetricFamily::get_metric);
        metrics.iter().map(move |metric| Series { metric, value: value(kind, metric) })
    }

    /// Of a metric without labels, or of the first series. `None` where there is none.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.each(name).next().map(|series| series.value)
    }

    /// Over all series.
    pub fn sum(&self, name: &str) -> f64 {
        self.each(name).map(|series| series.value).sum()
    }

    /// Over those whose label `label` is one that `keep` wants.
    pub fn sum_where(&self, name: &str, label: &str, keep: impl Fn(&str) -> bool) -> f64 {
        self.each(name).filter(|series| keep(series.label(label))).map(|series| series.value).sum()
    }
}

fn value(kind: MetricType, metric: &Metric) -> f64 {
    match kind {
        MetricType::COUNTER => metric.get_counter().get_value(),
        MetricType::GAUGE => metric.get_gauge().get_value(),
        MetricType::HISTOGRAM => metric.get_histogram().get_sample_count() as f64,
        MetricType::SUMMARY | MetricType::UNTYPED => 0.0,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use prometheus::{GaugeVec, Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

    /// Names, labels and values.
    pub(crate) type Rows<'a> = &'a [(&'a str, &'a [(&'a str, &'a str)], f64)];

    /// Gauges.
    pub(crate) fn gauges(rows: Rows<'_>) -> Figures {
        let registry = Registry::new();
        let mut families: Vec<(&str, GaugeVec)> = Vec::new();
        for (name, labels, value) in rows {
            let (names, values): (Vec<&str>, Vec<&str>) = labels.iter().copied().unzip();
            let family = match families.iter().find(|(known, _)| known == name) {
                Some((_, family)) => family.clone(),
                None => {
                    let family = GaugeVec::new(Opts::new(*name, "help"), &names).unwrap();
                    registry.register(Box::new(family.clone())).unwrap();
                    families.push((name, family.clone()));
                    family
                }
            };
            family.with_label_values(&values).set(*value);
        }
        Figures::of(registry.gather())
    }

    #[test]
    fn what_is_registered_is_found_by_name() {
        let registry = Registry::new();
        let counter = IntCounterVec::new(Opts::new("a_total", "help"), &["kind", "way"]).unwrap();
        registry.register(Box::new(counter.clone())).unwrap();
        counter.with_label_values(&["x", "in"]).inc_by(3);
        counter.with_label_values(&["y", "in"]).inc_by(4);
        let histogram = Histogram::with_opts(HistogramOpts::new("b_seconds", "help")).unwrap();
        registry.register(Box::new(histogram.clone())).unwrap();
        histogram.observe(0.5);
        histogram.observe(7.0);
        let figures = Figures::of(registry.gather());
        assert_eq!((figures.sum("a_total"), figures.value("a_total")), (7.0, Some(3.0)));
        assert_eq!(figures.sum_where("a_total", "kind", |kind| kind == "y"), 4.0);
        assert_eq!(figures.sum_where("a_total", "no_such_label", str::is_empty), 7.0);
        assert_eq!(figures.sum("b_seconds"), 2.0, "observations");
        assert_eq!((figures.sum("c"), figures.value("c"), figures.each("").count()), (0.0, None, 0));
        assert_eq!(
            figures.each("a_total").map(|series| series.label("kind")).collect::<Vec<_>>(),
            ["x", "y"]
        );
    }
}
