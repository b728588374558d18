//! The origin is killed a minute before the bell: home page, catalogue, search, guide and the lesson of the bell are all there, over
//! HTTP, in Chromium with and without JavaScript, and after the edge itself was killed and begun again.

use jiff::{SignedDuration, Timestamp};
use journeys::process::{Signal, metric};
use journeys::store::put;
use journeys::{Airclass, client, ingest, node, project};
use package::front::FRONT;
use package::manifest::Manifest;
use package::{Front, Sealed};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use testkit::plans::{KEY, entry, envelope, fill, lesson, moment, plan, programme};
use timetable::guide::{Day, ics, xmltv};
use timetable::plan::{Channel, Fill, Media, Show};
use timetable::{Kind, Plan};

/// By which nodes know each other.
const WORD: &str = "nodes-nodes-nodes-nodes";
/// How long the slowest machine may take for one step.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// From the page's wish to the bell.
const TO_BELL: SignedDuration = SignedDuration::from_secs(4);
/// As in `config/sample-lesson.toml`, and how it is typed.
const TITLE: &str = "分数的初步认识（示例课）";
const PINYIN: &str = "fenshu";

struct Site {
    folder: TempDir,
    /// From the wall clock to six in the morning of the plan.
    offset: SignedDuration,
}

impl Site {
    /// A store with a real lesson, its day and its guides.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let site = Self { offset: moment("06:00:00").duration_since(Timestamp::now()), folder };
        for name in ["store", "disk", "state", "plans"] {
            std::fs::create_dir(site.path(name)).expect("a scratch folder takes folders");
        }
        put(site.folder.path(), "keys.toml", entry(&KEY).as_bytes());
        put(site.folder.path(), "words", format!("{WORD}\n").as_bytes());
        let (file, store) = (site.text("lesson.mp4"), site.text("store"));
        let meta = project().join("config/sample-lesson.toml");
        let meta = meta.to_str().expect("a plain name");
        let size = ["--width", "640", "--height", "360", "--seconds", "15"];
        for step in [
            [&["sample", "--out", &file][..], &size].concat(),
            vec!["run", &file, "--store", &store, "--lesson", "sample", "--meta", meta],
        ] {
            let done = ingest(&step);
            assert!(done.status.success(), "{done:?}");
        }
        let day = site.day(1, moment("08:30:00"));
        let store = site.path("store");
        put(&store, "timetable/days.json", b"{\"days\":[\"2026-09-01\"]}\n");
        put(&store, "timetable/2026-09-01.json", &Day::of(&day, None).to_bytes());
        put(&store, "guide/primary.xml", xmltv(&[&day], Some("primary")).as_bytes());
        put(&store, "guide/primary.ics", ics(&[&day], Some("primary")).as_bytes());
        site.publish(1, moment("08:30:00"));
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

    fn package(&self) -> Sealed {
        let package = std::fs::read_dir(self.path("store/p")).expect("a store").next();
        let manifest = package.expect("a package").expect("a folder").path().join("manifest.json");
        Manifest::parse(&std::fs::read(manifest).expect("a manifest")).expect("our own manifest")
    }

    fn day(&self, edition: u64, bell: Timestamp) -> Plan {
        let media = Media::of(&self.package());
        let mut first = lesson("sample", bell, media.clone());
        (first.title, first.subject) = (TITLE.to_owned(), Some("数学".to_owned()));
        first.grades = vec![3.try_into().expect("a grade")];
        let mut show =
            programme(6_375, 6_375 + media.segments.0, Kind::Lesson, Show::Lesson(first.lesson.clone()));
        show.title = TITLE.to_owned();
        let channel = Channel {
            channel: "primary".parse().expect("a name"),
            title: "小学".into(),
            grades: vec![],
            discontinuities_before: 0,
            programmes: vec![
                programme(0, 6_375, Kind::Gap, Show::Nothing),
                show,
                programme(6_375 + media.segments.0, 18_000, Kind::Gap, Show::Nothing),
            ],
        };
        let until = bell.max(moment("07:00:00"));
        let fill = Fill { until, ..fill(&media, bell) };
        Plan {
            edition,
            lessons: vec![first],
            clips: vec![],
            fill: vec![fill],
            channels: vec![channel],
            ..plan()
        }
    }

    /// Puts the day where the nodes look for it: no origin is needed for that.
    fn publish(&self, edition: u64, bell: Timestamp) {
        let place = self.path("plans/2026-09-01.json");
        std::fs::write(place.with_extension("new"), envelope(&self.day(edition, bell)))
            .expect("a scratch folder takes files");
        std::fs::rename(place.with_extension("new"), place).expect("a scratch folder");
    }

    fn start(&self, what: &[&str]) -> Airclass {
        let (keys, words, plans) = (self.text("keys.toml"), self.text("words"), self.text("plans"));
        let offset = format!("--clock-offset={}", self.offset);
        let plan = [
            "--plan-keys",
            &keys,
            "--plan-tokens",
            &words,
            "--plan",
            &plans,
            "--plan-poll",
            "100ms",
            "--plan-host",
            "lessons.example",
            &offset,
        ];
        Airclass::start(&[what, &["--listen", "127.0.0.1:0"], &plan[..]].concat())
    }

    fn edge(&self, upstream: &str) -> Airclass {
        let (disk, state) = (self.text("disk"), self.text("state"));
        let kept = ["--disk", &disk, "--disk-size", "256MiB", "--plan-state", &state];
        self.start(
            &[&["edge", "--upstream", upstream, "--fill-rate", "1Gbit/s", "--name", "edge-1"], &kept[..]]
                .concat(),
        )
    }

    /// Gives the page its bell once it asks for it.
    fn ring(&self, edge: &Airclass) {
        until("the page asks for its bell", || self.path("asks").exists());
        let bell = (self.now() + TO_BELL).round(jiff::Unit::Second).expect("a moment of this century");
        self.publish(2, bell);
        until("the new plan is followed", || {
            metric(edge.admin, "airclass_plan_edition{day=\"today\"}") > 1.0
        });
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

/// Whether all that its bells need is here.
fn is_covered(edge: &Airclass) -> bool {
    let ask = b"GET /fill HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let text = String::from_utf8(journeys::raw::exchange_only(edge.admin, ask)).expect("a text");
    let said: serde_json::Value =
        serde_json::from_str(text.split_once("\r\n\r\n").expect("a body").1).expect("our own JSON");
    let bells = said["bells"].as_array().expect("a list");
    !bells.is_empty() && bells.iter().all(|bell| bell["covered"] == true)
}

/// Everything that comes before a lesson, in both forms.
async fn the_front_is_there(edge: &Airclass, front: &Front) {
    for path in &front.paths {
        for coding in ["identity", "gzip"] {
            let answer = client::get(edge.address(), path, &[("accept-encoding", coding)]).await;
            assert_eq!(answer.status, 200, "{path} {:?}", answer.headers);
            assert!(!answer.body.is_empty(), "{path}");
        }
    }
    let page = client::get(edge.address(), "/list/primary-3/~sample", &[]).await;
    assert!(String::from_utf8_lossy(&page.body).contains("<video"), "the lesson without JavaScript");
}

/// The lesson, byte for byte as its manifest says, and from here.
async fn the_lesson_is_there(edge: &Airclass, package: &Sealed) {
    let pointer = client::get(edge.address(), "/lessons/sample/main.m3u8", &[]).await;
    assert_eq!(pointer.status, 200, "{:?}", pointer.headers);
    let bundle = |path: &str| path.starts_with("bundle/");
    for object in package.manifest().objects.iter().filter(|object| !bundle(object.path.as_str())) {
        let path = format!("/{}", package.id().object(&object.path));
        let answer = client::get(edge.address(), &path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(package::Digest::of(&answer.body), object.sha256, "{path}");
        assert!(answer.field("cache-status").starts_with("edge-1; hit"), "{path}");
    }
}

#[test]
fn killed_origin_before_the_bell_home_page_catalogue_guide_and_lessons_all_work() {
    let site = Site::new();
    let mut origin = site.start(&["origin", "--store", &site.text("store")]);
    let upstream = format!("http://{}", origin.address());
    let edge = site.edge(&upstream);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let of = |name: &str| metric(edge.admin, name);
    until("the lesson is here", || is_covered(&edge));
    until("and all that comes before it", || {
        let wanted = of("airclass_fill_front_wanted");
        wanted > 0.0 && of("airclass_fill_front_held") >= wanted
    });
    let (front, package) = runtime.block_on(async {
        let list = client::get(origin.address(), FRONT, &[]).await;
        (Front::parse(&list.body).expect("our own list"), site.package())
    });
    for path in ["/", "/timetable/2026-09-01.json", "/guide/primary.xml", "/list/primary-3/~sample"] {
        assert!(front.paths.iter().any(|listed| listed == path), "{path} is not among {:?}", front.paths);
    }

    // 08:29.
    origin.signal(Signal::KILL);
    origin.wait();
    runtime.block_on(async {
        the_front_is_there(&edge, &front).await;
        let shut = client::get(edge.address(), "/lessons/sample/main.m3u8", &[]).await;
        assert_eq!(shut.status, 403, "{:?}", shut.headers);
    });
    let finished = std::thread::scope(|scope| {
        scope.spawn(|| site.ring(&edge));
        node::run_with(
            &project().join("tests/browser/morning.js"),
            &[
                ("AIRCLASS_URL", format!("http://{}/", edge.address())),
                ("AIRCLASS_ASK", site.text("asks")),
                ("AIRCLASS_AHEAD_MS", site.offset.as_millis().to_string()),
                ("AIRCLASS_TITLE", TITLE.to_owned()),
                ("AIRCLASS_PINYIN", PINYIN.to_owned()),
            ],
        )
    });
    println!("{}", finished.stdout);
    assert!(finished.status.success(), "{}\n{}\n{}", edge.log(), finished.stderr, finished.stdout);

    // And the edge, too: what its disk kept is all that there is.
    drop(edge);
    let edge = site.edge(&upstream);
    until("it follows its plan", || metric(edge.admin, "airclass_plan_edition{day=\"today\"}") > 1.0);
    runtime.block_on(async {
        the_front_is_there(&edge, &front).await;
        the_lesson_is_there(&edge, &package).await;
    });
}
