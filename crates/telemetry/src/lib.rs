//! What a service tells its operators: metrics, readiness with reasons, logs.
//!
//! `admin → registry | readiness | orders | pages | posts`, `logs`. The admin listener runs on a thread of its own, so that it answers
//! while every core is busy with students. Metric labels come from enums, never from paths or client input.

mod admin;
mod labels;
mod logs;
mod orders;
mod pages;
mod posts;
mod readiness;
mod striped;
mod worker;

pub use admin::{Admin, AdminError, Hosts};
pub use labels::{Label, counters, striped_counters};
pub use logs::{LogFormat, LogOptions, check, finish_logs, init, refilter, renew_log_writer};
pub use orders::{Answer, Order, Orders, Told};
pub use pages::Pages;
pub use posts::{Answering, Post, Posts};
pub use readiness::{Check, Readiness};
pub use striped::{StripedCounter, StripedCounters, StripedHistograms, count_alone};
pub use worker::Worker;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, IntGaugeVec, Opts};
use std::sync::Arc;

/// One service's registry and readiness. Cheap to clone.
#[derive(Clone)]
pub struct Telemetry {
    /// Where the service registers its metrics.
    pub registry: prometheus::Registry,
    /// Whether the service should be given traffic, and why not.
    pub readiness: Arc<Readiness>,
    /// What the admin listener is told to pass on.
    pub orders: Arc<Orders>,
    /// What the service takes by POST on its admin listener.
    pub posts: Arc<Posts>,
    /// What the service shows on its admin listener.
    pub pages: Arc<Pages>,
    /// `airclass_ready` and `airclass_check`, brought up to date when they are asked for.
    ready: IntGauge,
    checks: IntGaugeVec,
}

impl Telemetry {
    /// A registry with the process's own figures and `airclass_build_info{service,version}`.
    pub fn new(service: &'static str) -> Self {
        let registry = prometheus::Registry::new();
        let process = prometheus::process_collector::ProcessCollector::for_self();
        let build = prometheus::IntGauge::with_opts(
            Opts::new("airclass_build_info", "1; the labels say what runs")
                .const_label("service", service)
                .const_label("version", settings::version()),
        )
        .expect("a constant name is valid");
        build.set(1);
        registry.register(Box::new(process)).expect("a new registry has no duplicates");
        registry.register(Box::new(build)).expect("a new registry has no duplicates");
        registry.register(Box::new(logs::LOST.clone())).expect("a new registry has no duplicates");
        let ready = IntGauge::new(
            "airclass_ready",
            "1 when the process should be given traffic; /readyz says why not",
        )
        .expect("a constant name is valid");
        registry.register(Box::new(ready.clone())).expect("a new registry has no duplicates");
        let checks = IntGaugeVec::new(
            Opts::new("airclass_check", "1 while a check of /readyz holds, 0 while it does not, by check"),
            &["check"],
        )
        .expect("a constant name is valid");
        registry.register(Box::new(checks.clone())).expect("a new registry has no duplicates");
        Self {
            registry,
            readiness: Arc::default(),
            orders: Arc::default(),
            posts: Arc::default(),
            pages: Arc::default(),
            ready,
            checks,
        }
    }

    /// A counter, registered. Names are constants of a service, so a bad one is a programmer's mistake.
    ///
    /// # Panics
    /// As [`Telemetry::register`].
    pub fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.register(IntCounter::new(name, help).expect("a constant name is valid"))
    }

    /// A gauge, registered.
    ///
    /// # Panics
    /// As [`Telemetry::register`].
    pub fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.register(IntGauge::new(name, help).expect("a constant name is valid"))
    }

    /// A histogram of seconds, registered.
    ///
    /// # Panics
    /// As [`Telemetry::register`], and when the buckets do not ascend.
    pub fn seconds(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.register(Histogram::with_opts(options).expect("constant buckets ascend"))
    }

    /// Registers `metric` and gives it back.
    ///
    /// # Panics
    /// When the name is taken: two metrics of one service share a name, which only a programmer can cause.
    pub fn register<C: prometheus::core::Collector + Clone + 'static>(&self, metric: C) -> C {
        self.registry.register(Box::new(metric.clone())).expect("metric names of a service are distinct");
        metric
    }
}
