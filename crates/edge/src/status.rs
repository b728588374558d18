//! What operators see of this node on its admin listener: `/status.json`, `/samples.json`, and the page that shows them
//! (crate `board`, which has the rules). Made on the admin listener's thread when it is asked for, out of what `/metrics` is made of.

mod day;

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::outcome::Outcome;
use crate::policy::Release;
use crate::prefill::Told;
use board::{Facts, Figures, Ring, Sample, Status};
use jiff::Timestamp;
use serde::Serialize;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use telemetry::{Label, Readiness, Telemetry, Worker};
use tokio::time::Instant;

/// Longest wait at the end for a sample that is being taken.
const TAKEN_WITHIN: Duration = Duration::from_secs(1);

/// Takes samples, until dropped.
#[derive(Debug)]
pub(crate) struct Board {
    stop: Option<SyncSender<()>>,
    watching: Worker,
}

/// What the documents are made of.
pub(crate) struct Sources {
    /// By which the node is known upstream.
    pub(crate) name: String,
    pub(crate) release: Release,
    /// Where something is fetched beforehand.
    pub(crate) fill: Option<Told>,
    pub(crate) metrics: Arc<Metrics>,
}

struct Watch {
    sources: Sources,
    registry: prometheus::Registry,
    readiness: Arc<Readiness>,
    began: Instant,
    tiers: Vec<(&'static str, &'static str)>,
    ring: Mutex<Ring>,
}

impl Board {
    /// Has the documents and the page answered, and begins to take samples. To be called when all metrics are registered.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub(crate) fn start(sources: Sources, telemetry: &Telemetry) -> io::Result<Self> {
        let watch = Arc::new(Watch::new(sources, telemetry));
        watch.take();
        let (status, samples) = (Arc::clone(&watch), Arc::clone(&watch));
        telemetry.pages.route("/status.json", move || json(&status.status()));
        telemetry.pages.route("/samples.json", move || json(&*samples.ring()));
        for file in board::files() {
            telemetry.pages.file(file.path, file.media_type, file.bytes);
        }
        let (stop, stopped) = sync_channel(0);
        let watching = Worker::start("board", move || watch.run(&stopped))?;
        Ok(Self { stop: Some(stop), watching })
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Nothing is lost with it.
        let _ = self.watching.ends_within(TAKEN_WITHIN);
    }
}

impl Watch {
    fn new(sources: Sources, telemetry: &Telemetry) -> Self {
        Self {
            sources,
            registry: telemetry.registry.clone(),
            readiness: Arc::clone(&telemetry.readiness),
            began: Instant::now(),
            tiers: Outcome::ALL.iter().map(|outcome| (outcome.as_str(), outcome.tier().as_str())).collect(),
            ring: Mutex::default(),
        }
    }

    fn run(&self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(board::EVERY) == Err(RecvTimeoutError::Timeout) {
            self.take();
        }
    }

    fn take(&self) {
        let (_, sample) = self.look();
        self.ring().push(sample);
    }

    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> (Figures, Sample) {
        let figures = Figures::of(self.registry.gather());
        let sample = Sample::read(self.now(), self.began.elapsed(), &figures, &self.tiers);
        (figures, sample)
    }

    /// By the clock that lessons open by.
    fn now(&self) -> Timestamp {
        let wall = || Timestamp::try_from(Clock.now()).unwrap_or(Timestamp::UNIX_EPOCH);
        self.sources.release.plans().map_or_else(wall, dayplan::Plans::now)
    }

    fn status(&self) -> Status {
        let (figures, sample) = self.look();
        let Sources { name, release, fill, metrics } = &self.sources;
        let current = release.plans().map(dayplan::Plans::snapshot).unwrap_or_default();
        let filled = fill.as_ref().map(Told::bells).unwrap_or_default();
        let checks = self.readiness.checks().into_iter();
        let facts = Facts {
            name: name.clone(),
            checks: checks.map(|(check, why)| board::Checked { check: check.as_str(), why }).collect(),
            bells: day::bells(&current, &filled, sample.at),
            lessons: day::lessons(&current, metrics.watched.first(Instant::now())),
            zone_s: current.plans().next().map(|plan| plan.zone.offset_s()),
        };
        Status::new(facts, &figures, sample, &self.ring())
    }
}

fn json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("our types have string keys and no failing serializer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Tier;
    use serde_json::Value;
    use telemetry::Check;

    fn watch() -> (Watch, Telemetry, Arc<Metrics>) {
        let telemetry = Telemetry::new("edge");
        let metrics = Arc::new(Metrics::register(&telemetry));
        let sources = Sources {
            name: "edge-1".to_owned(),
            release: Release::default(),
            fill: None,
            metrics: Arc::clone(&metrics),
        };
        (Watch::new(sources, &telemetry), telemetry, metrics)
    }

    fn document(watch: &Watch) -> Value {
        serde_json::from_slice(&json(&watch.status())).unwrap()
    }

    #[test]
    fn each_answer_is_counted_in_the_tier_that_gave_it_and_in_no_other() {
        let (watch, _telemetry, metrics) = watch();
        // Different numbers for all, so that none stands in for another.
        for (place, &outcome) in Outcome::ALL.iter().enumerate() {
            (0..=place).for_each(|_| metrics.answered(outcome));
            metrics.sent(outcome, 1 << place);
        }
        let counts = &document(&watch)["counts"];
        for &tier in Tier::ALL {
            let of_tier = || Outcome::ALL.iter().enumerate().filter(|(_, outcome)| outcome.tier() == tier);
            let (requests, bytes): (u64, u64) =
                of_tier().fold((0, 0), |(r, b), (place, _)| (r + place as u64 + 1, b + (1 << place)));
            assert_eq!(counts[format!("requests_{}", tier.as_str())], requests, "{tier:?}");
            assert_eq!(counts[format!("bytes_{}", tier.as_str())], bytes, "{tier:?}");
        }
    }

    #[test]
    fn readiness_and_samples_are_as_they_are_now() {
        let (watch, telemetry, metrics) = watch();
        telemetry.readiness.pass(Check::Listening);
        assert_eq!(document(&watch)["ready"], true);
        telemetry.readiness.fail(Check::Clock, "off");
        let text = document(&watch);
        assert_eq!((&text["ready"], &text["checks"][1]["why"]), (&Value::from(false), &Value::from("off")));
        assert_eq!(text["alarms"][0]["alarm"], "not_ready");
        watch.take();
        metrics.sent(Outcome::Hit, 5);
        watch.take();
        let samples: Value = serde_json::from_slice(&json(&*watch.ring())).unwrap();
        assert_eq!(samples["bytes_ram"], serde_json::json!([0, 5]));
    }
}
