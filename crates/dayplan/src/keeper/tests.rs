//! A source that changes, goes away and lies.

use super::*;
use crate::clock::Sample;
use crate::options::Place;
use bytes::Bytes;
use jiff::SignedDuration;
use signing::SigningKey;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use testkit::plans::{KEY, entry, envelope, moment, plan, plan_of};
use timetable::{Plan, Refusal, SignedPlan};

/// What is published, by day; `None`: nobody answers.
#[derive(Default)]
struct Script {
    published: RefCell<Option<BTreeMap<Date, Bytes>>>,
    sample: Option<Sample>,
    age: Duration,
    /// Follows no plans itself.
    deaf: bool,
    asked: RefCell<Vec<Date>>,
}

impl Script {
    fn publish(&self, date: &str, bytes: impl Into<Bytes>) {
        let date: Date = date.parse().unwrap();
        self.published.borrow_mut().get_or_insert_default().insert(date, bytes.into());
    }
}

impl Source for Rc<Script> {
    async fn fetch(&self, date: Date, today: Date, known: Option<Digest>) -> Result<Fetched, Unheard> {
        (**self).fetch(date, today, known).await
    }
}

impl Source for Script {
    async fn fetch(&self, date: Date, _: Date, known: Option<Digest>) -> Result<Fetched, Unheard> {
        self.asked.borrow_mut().push(date);
        let published = self.published.borrow();
        let published = published.as_ref().ok_or_else(|| Unheard("nobody answers".to_owned()))?;
        let published = match published.get(&date) {
            None if self.deaf => Published::NotFollowed,
            None => Published::Nothing,
            Some(bytes) => {
                let text = SignedPlan::parse(bytes).map(|signed| Digest::of(signed.plan.as_bytes()));
                if known.is_some() && known == text {
                    Published::AsKnown
                } else {
                    Published::Envelope(bytes.clone())
                }
            }
        };
        Ok(Fetched { published, sample: self.sample, age: self.age })
    }
}

struct Scene {
    keeper: Keeper,
    plans: Plans,
    source: Script,
    telemetry: Telemetry,
}

impl Scene {
    fn at(now: &str, folder: &Path) -> Self {
        let keys = folder.join("keys.toml");
        std::fs::write(&keys, entry(&KEY)).unwrap();
        let config = PlanConfig {
            keys: TrustFile::read(&keys).unwrap(),
            place: Place::Own,
            tokens: None,
            state: Some(folder.join("state")),
            hosts: vec![],
            poll: Duration::from_secs(10),
            clock_offset: SignedDuration::ZERO,
        };
        let telemetry = Telemetry::new("test");
        let (keeper, plans) = Keeper::with(config, Clock::at(moment(now)), &telemetry);
        Self { keeper, plans, source: Script::default(), telemetry }
    }

    async fn round(&mut self) {
        self.keeper.round(&self.source, true).await;
    }

    /// Edition of the plan that is followed for 2026-09-01.
    fn edition(&self) -> Option<u64> {
        self.plans.current().on("2026-09-01".parse().unwrap()).map(|followed| followed.plan().edition)
    }

    fn metric(&self, name: &str) -> f64 {
        let families = self.telemetry.registry.gather();
        let of = |family: &prometheus::proto::MetricFamily| -> f64 {
            family.get_metric().iter().map(|m| m.get_counter().get_value() + m.get_gauge().get_value()).sum()
        };
        families.iter().find(|family| family.name() == name).map(of).unwrap()
    }

    fn report(&self) -> String {
        self.telemetry.readiness.report()
    }
}

fn edition(number: u64) -> Plan {
    Plan { edition: number, ..plan() }
}

#[tokio::test]
async fn a_source_that_follows_no_plans_is_told_until_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::at("05:00:00", folder.path());
    scene.source = Script { deaf: true, published: Some(BTreeMap::new()).into(), ..Script::default() };
    scene.round().await;
    assert!(scene.report().contains("plans: none; who is asked"), "{}", scene.report());
    // What it gives is open to all, here as there.
    assert!(scene.telemetry.readiness.is_ready(), "{}", scene.report());
    scene.source.deaf = false;
    scene.round().await;
    assert!(scene.report().contains("plans: none\n"), "{}", scene.report());
}

#[tokio::test]
async fn a_newer_plan_is_followed_and_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::at("05:00:00", folder.path());
    assert!(!scene.telemetry.readiness.is_ready(), "{}", scene.report());
    scene.source.publish("2026-09-01", envelope(&edition(3)));
    scene.round().await;
    assert_eq!(scene.edition(), Some(3));
    assert!(scene.telemetry.readiness.is_ready(), "{}", scene.report());
    let mut changes = scene.plans.changes();
    changes.mark_unchanged();
    scene.round().await;
    assert!(!changes.has_changed().unwrap(), "nothing has changed");
    scene.source.publish("2026-09-01", envelope(&edition(4)));
    scene.source.publish("2026-09-02", envelope(&plan_of("2026-09-02")));
    scene.round().await;
    assert!(changes.has_changed().unwrap());
    assert_eq!(scene.edition(), Some(4));
    assert_eq!(scene.plans.current().plans().count(), 2);
    assert!(
        scene.report().contains("plans: 2026-09-01 edition 4; 2026-09-02 edition 3"),
        "{}",
        scene.report()
    );

    // Another process without a source follows the same, and its own day comes from the shelf.
    let mut again = Scene::at("05:00:10", folder.path());
    assert_eq!(again.edition(), Some(4));
    again.round().await;
    assert_eq!(again.edition(), Some(4));
    assert!(again.telemetry.readiness.is_ready(), "{}", again.report());
}

#[tokio::test]
async fn what_is_wrong_is_refused_once_with_a_reason_and_the_last_good_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    let stranger = SigningKey::generate().unwrap();
    let good = envelope(&edition(3));
    let mut forged = SignedPlan::by(&edition(9), &[&KEY]);
    forged.plan = edition(10).to_text();
    let contradictory = Plan { lessons: plan().lessons.into_iter().rev().collect(), ..edition(9) };
    for (what, bytes, reason) in [
        ("a wrong signature", Bytes::from(forged.to_bytes()), Refusal::WrongSignature),
        ("a stranger's", SignedPlan::by(&edition(9), &[&stranger]).to_bytes().into(), Refusal::UnknownKey),
        ("an old edition", envelope(&edition(2)), Refusal::OldEdition),
        (
            "the same edition",
            envelope(&Plan { made_at: moment("01:00:00"), ..edition(3) }),
            Refusal::SameEdition,
        ),
        ("another day", envelope(&plan_of("2026-09-02")), Refusal::AnotherDay),
        ("half of one", good.slice(..good.len() / 2), Refusal::HalfWritten),
        ("no plan", Bytes::from("<html>"), Refusal::Malformed),
        ("an empty file", Bytes::new(), Refusal::HalfWritten),
        ("one that contradicts itself", envelope(&contradictory), Refusal::Contradictory),
    ] {
        let place = folder.path().join(what);
        std::fs::create_dir(&place).unwrap();
        let mut scene = Scene::at("05:00:00", &place);
        scene.source.publish("2026-09-01", good.clone());
        scene.round().await;
        assert_eq!((scene.edition(), scene.metric("airclass_plan_refused")), (Some(3), 0.0), "{what}");
        scene.source.publish("2026-09-01", bytes);
        for _ in 0..3 {
            scene.round().await;
        }
        assert_eq!(scene.edition(), Some(3), "{what}");
        assert_eq!(scene.metric("airclass_plan_refused"), 1.0, "{what}");
        assert_eq!(scene.metric("airclass_plan_refusals_total"), 1.0, "{what} is counted once");
        assert!(
            scene.report().contains(&format!("refused {}", reason.as_str())),
            "{what}: {}",
            scene.report()
        );
        let keys = format!("(signed by {}; trusted: {})", stranger.id(), KEY.id());
        assert_eq!(scene.report().contains(&keys), reason == Refusal::UnknownKey, "{}", scene.report());
        assert!(scene.telemetry.readiness.is_ready(), "{what}: the last good one is followed");
        scene.source.publish("2026-09-01", envelope(&edition(5)));
        scene.round().await;
        assert_eq!((scene.edition(), scene.metric("airclass_plan_refused")), (Some(5), 0.0), "{what}");
    }
}

#[tokio::test]
async fn without_any_plan_a_node_says_why_it_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::at("05:00:00", folder.path());
    scene.round().await;
    assert!(
        scene.report().contains("plan: not ok: none for 2026-09-01: nobody answers"),
        "{}",
        scene.report()
    );
    // A holiday is known to be one.
    scene.source.published.replace(Some(BTreeMap::new()));
    scene.round().await;
    assert!(scene.telemetry.readiness.is_ready(), "{}", scene.report());
    // What is published and cannot be believed is none.
    scene.source.publish("2026-09-01", "<html>");
    scene.round().await;
    assert!(scene.report().contains("plan: not ok: none for 2026-09-01: the published one is refused"));
}

#[tokio::test]
async fn a_source_that_goes_away_takes_nothing_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::at("05:00:00", folder.path());
    scene.source.publish("2026-09-01", envelope(&edition(3)));
    scene.round().await;
    for published in [None, Some(BTreeMap::new())] {
        scene.source.published.replace(published);
        scene.round().await;
        assert_eq!(scene.edition(), Some(3));
        assert!(scene.telemetry.readiness.is_ready(), "{}", scene.report());
    }
}

#[tokio::test(start_paused = true)]
async fn days_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::at("23:59:00", folder.path());
    for date in ["2026-08-31", "2026-09-01", "2026-09-02", "2026-09-03"] {
        scene.source.publish(date, envelope(&plan_of(date)));
    }
    scene.round().await;
    let dates = |scene: &Scene| -> Vec<String> {
        scene.plans.current().plans().map(|plan| plan.date.to_string()).collect()
    };
    assert_eq!(dates(&scene), ["2026-08-31", "2026-09-01", "2026-09-02"]);
    tokio::time::advance(Duration::from_secs(120)).await;
    scene.round().await;
    assert_eq!(dates(&scene), ["2026-09-01", "2026-09-02", "2026-09-03"]);
    let today = scene.plans.current().today(scene.plans.now()).map(|plan| plan.date.to_string());
    assert_eq!(today.as_deref(), Some("2026-09-02"));
    let kept = std::fs::read_dir(folder.path().join("state")).unwrap().count();
    assert_eq!(kept, 3, "what is over is cleared away");
}

/// A machine whose clock had stopped over night looked for the plans of another day, and never again: what was shut was open.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_put_right_finds_the_plans_on_the_shelf() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::at("05:00:00", folder.path());
    scene.source.publish("2026-09-01", envelope(&edition(3)));
    scene.round().await;
    // Nobody answers from here on.
    let mut again = Scene::at("2020-01-01T00:00:00+08:00", folder.path());
    again.round().await;
    assert_eq!(again.edition(), None);
    let off = moment("05:01:00").duration_since(again.plans.now());
    tokio::time::advance(off.unsigned_abs()).await;
    again.round().await;
    assert_eq!(again.edition(), Some(3));
    assert!(again.telemetry.readiness.is_ready(), "{}", again.report());
}

/// A node whose clock was set back just behind midnight let go of the plan that was tomorrow's by then; without a shelf and an answer of the
/// source that was the end of it.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_over_midnight_loses_no_plan() {
    for keeps in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let mut scene = Scene::at("23:59:00", folder.path());
        if !keeps {
            scene.keeper.shelf = None;
        }
        let days = ["2026-08-31", "2026-09-01", "2026-09-02", "2026-09-03"];
        for date in days {
            scene.source.publish(date, envelope(&plan_of(date)));
        }
        scene.round().await;
        let minutes = |count: i64| SignedDuration::from_mins(count);
        let follows = |scene: &Scene, date: &str| scene.plans.current().on(date.parse().unwrap()).is_some();
        scene.plans.clock().set(minutes(2));
        scene.round().await;
        assert!(follows(&scene, "2026-09-03"));
        // Nobody answers from here on, and midnight comes again.
        scene.source.published.replace(None);
        scene.plans.clock().set(minutes(-2));
        scene.round().await;
        for date in &days[1..] {
            assert!(follows(&scene, date), "{date}");
        }
        let today = scene.plans.current().today(scene.plans.now()).map(|plan| plan.date.to_string());
        assert_eq!(today.as_deref(), Some("2026-09-01"));
        assert!(scene.telemetry.readiness.is_ready(), "{}", scene.report());
        scene.plans.clock().set(minutes(2));
        scene.round().await;
        for date in &days[1..] {
            assert!(follows(&scene, date), "{date}, with a shelf: {keeps}");
        }
        assert!(scene.telemetry.readiness.is_ready(), "{}", scene.report());
        // A clock that was days ahead leaves nothing of that behind.
        scene.plans.clock().set(minutes(-3 * 24 * 60));
        scene.round().await;
        assert!(!follows(&scene, "2026-09-03"));
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_known_how_long_the_source_is_silent_whoever_stands_between() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::at("05:00:00", folder.path());
    let heard = |scene: &Scene| scene.metric("airclass_plan_heard_timestamp_seconds") as i64;
    assert_eq!(heard(&scene), 0, "never");
    scene.round().await;
    assert_eq!(heard(&scene), 0, "nobody answers");
    scene.source.publish("2026-09-01", envelope(&plan()));
    scene.round().await;
    assert_eq!(heard(&scene), moment("05:00:00").as_second());
    // The folder is there, and the agent that fills it hears nobody.
    scene.source.age = Duration::from_secs(3_600);
    scene.round().await;
    assert_eq!(heard(&scene), moment("04:00:00").as_second());
}

#[tokio::test]
async fn the_sources_clock_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::at("08:29:00", folder.path());
    scene.source.sample = Some(Sample { ahead: SignedDuration::from_secs(-7), uncertain: Duration::ZERO });
    scene.source.publish("2026-09-01", envelope(&plan()));
    scene.round().await;
    assert!(scene.report().contains("clock: not ok: 7.000 s behind"), "{}", scene.report());
}

#[tokio::test(start_paused = true)]
async fn today_is_asked_for_often_the_others_seldom_and_nobody_who_does_not_answer_is_pressed() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::at("05:00:00", folder.path());
    let today = "2026-09-01".parse().unwrap();
    scene.source.publish("2026-09-01", envelope(&edition(3)));
    let source = Rc::new(scene.source);
    scene.keeper.poll = Duration::from_secs(2);
    let (keeper, asked) = (scene.keeper, Rc::clone(&source));
    let running = keeper.run(asked, false);
    let watch = async {
        sleep(Duration::from_secs(20)).await;
        let asked = source.asked.take();
        let often = asked.iter().filter(|date| **date == today).count();
        assert!((8..=14).contains(&often), "{asked:?}");
        assert!((2..=6).contains(&(asked.len() - often)), "{asked:?}");
        // A tier down learns of a change within one wait.
        source.publish("2026-09-01", envelope(&edition(4)));
        let mut changes = scene.plans.changes();
        changes.mark_unchanged();
        let learned = tokio::time::timeout(Duration::from_millis(2_500), changes.changed()).await;
        assert!(learned.is_ok(), "later than the longest wait");
        source.published.replace(None);
        source.asked.take();
        sleep(Duration::from_secs(120)).await;
        assert!((9..=20).contains(&source.asked.borrow().len()), "{:?}", source.asked);
    };
    tokio::select! { () = running => {}, () = watch => {} }
}

/// Mended by hand before the bell, it was looked at again ten seconds later.
#[tokio::test(start_paused = true)]
async fn a_folder_that_could_not_be_read_is_looked_at_as_often_as_one_that_can() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::at("05:00:00", folder.path());
    scene.keeper.poll = Duration::from_millis(500);
    let source = Rc::new(scene.source);
    source.published.replace(None);
    let (keeper, asked) = (scene.keeper, Rc::clone(&source));
    let running = keeper.run(asked, true);
    let watch = async {
        sleep(Duration::from_secs(60)).await;
        source.published.replace(Some(Default::default()));
        source.publish("2026-09-01", envelope(&edition(3)));
        let mut changes = scene.plans.changes();
        let learned = tokio::time::timeout(Duration::from_secs(1), changes.changed()).await;
        assert!(learned.is_ok(), "later than twice a second");
    };
    tokio::select! { () = running => {}, () = watch => {} }
}
