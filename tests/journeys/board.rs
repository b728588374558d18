//! The operators' page in Chromium: an origin and an edge with a day, a lesson that is fetched through it, a bell that comes.

use jiff::{SignedDuration, Timestamp};
use journeys::process::{beside_tests, metric};
use journeys::{Airclass, client, node, project};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use testkit::packages::{Made, made};
use testkit::plans::{KEY, entry, envelope, fill, lesson, moment, plan};
use timetable::Plan;
use timetable::plan::{Fill, Lane, Media};

/// By which nodes know each other.
const WORD: &str = "nodes-nodes-nodes-nodes";
/// How long the slowest machine may take for one step.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// From the page's wish to the bell.
const TO_BELL: SignedDuration = SignedDuration::from_secs(6);

struct Site {
    folder: TempDir,
    /// From the wall clock to six in the morning of the plan.
    offset: SignedDuration,
    /// One that is open, and one that opens at the bell.
    open: Made,
    late: Made,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        std::fs::write(folder.path().join("keys.toml"), entry(&KEY)).expect("a scratch folder takes files");
        std::fs::write(folder.path().join("words"), format!("{WORD}\n"))
            .expect("a scratch folder takes files");
        let site = Self {
            offset: moment("06:00:00").duration_since(Timestamp::now()),
            open: made("open", 6, 60_000),
            late: made("late", 3, 20_000),
            folder,
        };
        site.open.publish(&site.path("store"), "open");
        site.late.publish(&site.path("store"), "late");
        std::fs::create_dir(site.path("disk")).expect("a scratch folder takes folders");
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("scratch folders have plain names").to_owned()
    }

    fn now(&self) -> Timestamp {
        Timestamp::now() + self.offset
    }

    /// Has the plan published, with this bell for the second lesson.
    fn publish(&self, edition: u64, bell: Timestamp) {
        let (open, late) = (Media::of(&self.open.sealed), Media::of(&self.late.sealed));
        let early = moment("05:30:00");
        let mut first = lesson("open", early, open.clone());
        first.title = "分数的初步认识".to_owned();
        first.subject = Some("数学".to_owned());
        let day = Plan {
            edition,
            lessons: vec![lesson("late", bell, late.clone()), first],
            clips: vec![],
            // Its bell has rung: in the night's lane nobody would fetch it any more.
            fill: vec![Fill { lane: Lane::Express, ..fill(&open, early) }, fill(&late, bell)],
            channels: vec![],
            ..plan()
        };
        let place = self.path("store/plans/2026-09-01.json");
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("a scratch folder takes folders");
        std::fs::write(place.with_extension("new"), envelope(&day)).expect("a scratch folder takes files");
        std::fs::rename(place.with_extension("new"), place).expect("a scratch folder");
    }

    fn start(&self, what: &[&str]) -> Airclass {
        let (keys, words) = (self.text("keys.toml"), self.text("words"));
        let offset = format!("--clock-offset={}", self.offset);
        let plan = [
            "--plan-keys",
            &keys,
            "--plan-tokens",
            &words,
            "--plan-poll",
            "100ms",
            "--plan-host",
            "lessons.example",
            &offset,
        ];
        Airclass::start(&[what, &["--listen", "127.0.0.1:0"], &plan[..]].concat())
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let looks = PATIENCE.as_millis() / PAUSE.as_millis();
    let held = (0..looks).any(|_| {
        let held = holds();
        if !held {
            // Another process is waited for.
            std::thread::park_timeout(PAUSE);
        }
        held
    });
    assert!(held, "{what}");
}

/// What a player does: the pointer, then every piece, telling of itself.
fn play(edge: SocketAddr, made: &Made) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for (path, bytes) in made.files("open") {
            let told = [("cmcd-session", "sid=\"one\"")];
            let answer = client::get(edge, &format!("/{path}"), &told).await;
            assert!(answer.status == 200 && answer.body == bytes, "{path}: {}", answer.status);
        }
    });
}

fn read(admin: SocketAddr, path: &str) -> serde_json::Value {
    let ask = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = journeys::raw::exchange_only(admin, ask.as_bytes());
    let text = String::from_utf8(answer).expect("a text");
    serde_json::from_str(text.split_once("\r\n\r\n").expect("a body").1).expect("our own JSON")
}

/// Gives the page its bell once it asks for it; unless it is over before.
fn ring(site: &Site, asks: &Path, edge: &Airclass, is_over: &AtomicBool) {
    while !asks.exists() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        std::thread::park_timeout(PAUSE);
    }
    let bell = (site.now() + TO_BELL).round(jiff::Unit::Second).expect("a moment of this century");
    site.publish(2, bell);
    until("the new plan is followed", || metric(edge.admin, "airclass_plan_edition{day=\"today\"}") > 1.0);
}

#[test]
fn operators_see_in_chromium_what_the_metrics_say_and_the_bell_come() {
    journeys::net::apart();
    let site = Site::new();
    site.publish(1, moment("07:30:00"));
    let origin = site.start(&["origin", "--store", &site.text("store")]);
    let upstream = format!("http://{}", origin.address());
    let edge = site.start(&[
        "edge",
        "--upstream",
        &upstream,
        "--fill-rate",
        "1Gbit/s",
        "--bandwidth-cap",
        "10Gbit/s",
        "--disk",
        &site.text("disk"),
        "--disk-size",
        "64MiB",
        "--owner",
        "bofei",
        "--province",
        "hubei",
        "--carrier",
        "dianxin",
        "--site",
        "wuhan-1",
    ]);
    until("both bells are covered", || {
        let bells = read(edge.admin, "/status.json")["bells"].clone();
        let ready = |bell: &serde_json::Value| bell["ready_ratio"] == 1.0;
        bells.as_array().is_some_and(|bells| bells.len() == 2 && bells.iter().all(ready))
    });
    play(edge.address(), &site.open);
    play(edge.address(), &site.open);
    let sent: usize = site.open.objects.values().map(bytes::Bytes::len).sum();
    let asks = site.path("asks");
    let pictures = beside_tests("board-pictures").to_str().expect("a plain name").to_owned();
    let is_over = AtomicBool::new(false);
    let finished = std::thread::scope(|scope| {
        scope.spawn(|| ring(&site, &asks, &edge, &is_over));
        let finished = node::run_with(
            &project().join("tests/browser/board.js"),
            &[
                ("AIRCLASS_ADMIN", format!("http://{}/", edge.admin)),
                ("AIRCLASS_ASK", site.text("asks")),
                ("AIRCLASS_PACKAGE", site.open.sealed.id().to_string()),
                ("AIRCLASS_LESSON_BYTES", (2 * sent).to_string()),
                ("AIRCLASS_UPSTREAM", origin.address().to_string()),
                ("AIRCLASS_PICTURES", pictures.clone()),
            ],
        );
        is_over.store(true, Ordering::Relaxed);
        finished
    });
    println!("{}", finished.stdout);
    assert!(finished.status.success(), "{}\n{}\n{}", edge.log(), finished.stderr, finished.stdout);
}
