//! A night and a morning: twelve lessons for one bell, an origin, a parent, three edges. The plan is followed, the lessons are
//! fetched and proved, the origin dies, and at the bell everything opens by itself on every edge.

use jiff::{SignedDuration, Timestamp};
use journeys::process::metric;
use journeys::{Airclass, client};
use package::catalogue::Catalogue;
use package::{Description, Lesson};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use testkit::packages::{Made, made};
use testkit::plans::{KEY, entry, envelope, fill, lesson, moment, plan};
use timetable::Plan;
use timetable::plan::{Fill, Media};

const LESSONS: usize = 12;
const WORD: &str = "nodes-nodes-nodes-nodes";
/// How long the slowest machine may take for one step.
const PATIENCE: Duration = Duration::from_secs(180);
/// The bell is moved to four seconds from now, eight, twelve, until it is seen to come; a minute must do.
const SLOWEST: i64 = 16;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// What all nodes have in common.
struct Site {
    folder: TempDir,
    /// From the wall clock to the morning of the plan.
    offset: SignedDuration,
    lessons: Vec<(String, Made)>,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        std::fs::write(folder.path().join("keys.toml"), entry(&KEY))
            .expect("a scratch folder, and an answer of ours");
        std::fs::write(folder.path().join("words"), format!("{WORD}\n"))
            .expect("a scratch folder, and an answer of ours");
        let lessons: Vec<_> =
            (0..LESSONS).map(|n| (format!("l{n:02}"), made(&format!("l{n}"), 3, 20_000))).collect();
        let site = Self { offset: moment("06:00:00").duration_since(Timestamp::now()), folder, lessons };
        let mut catalogue = Catalogue::default();
        for (name, made) in &site.lessons {
            made.publish(&site.store(), name);
            let (id, manifest) = (made.sealed.id(), made.sealed.manifest());
            catalogue.upsert(Lesson::new(
                name.parse().expect("a name"),
                id,
                manifest,
                &Description::default(),
                name,
            ));
        }
        let rendered = catalogue.render();
        for (path, bytes) in rendered.shards {
            put(&site.store().join(path.as_str()), &bytes);
        }
        put(&site.store().join("catalogue/version.json"), &rendered.version);
        site
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// What it is where the nodes live.
    fn now(&self) -> Timestamp {
        Timestamp::now() + self.offset
    }

    async fn wait_until(&self, moment: Timestamp) {
        let left = Duration::try_from(moment.duration_since(self.now())).unwrap_or_default();
        tokio::time::sleep(left).await;
    }

    /// Has the plan published, for this bell.
    fn publish(&self, edition: u64, bell: Timestamp) {
        self.publish_until(edition, bell, moment("2026-09-02T00:00:00+08:00"));
    }

    /// The same, with the lessons kept until then.
    fn publish_until(&self, edition: u64, bell: Timestamp, pin_until: Timestamp) {
        let mut day =
            Plan { edition, lessons: vec![], clips: vec![], fill: vec![], channels: vec![], ..plan() };
        for (name, made) in &self.lessons {
            let media = Media::of(&made.sealed);
            day.fill.push(Fill { until: bell, pin_until, ..fill(&media, bell) });
            day.lessons.push(lesson(name, bell, media));
        }
        let place = self.store().join("plans/2026-09-01.json");
        put(&place.with_extension("new"), &envelope(&day));
        std::fs::rename(place.with_extension("new"), place).expect("a scratch folder, and an answer of ours");
    }

    /// Starts a node.
    fn start(&self, what: &[&str]) -> Airclass {
        let path = |name: &str| {
            self.folder.path().join(name).to_str().expect("scratch folders have plain names").to_owned()
        };
        let (keys, words, offset) =
            (path("keys.toml"), path("words"), format!("--clock-offset={}", self.offset));
        let plan = ["--plan-keys", &keys, "--plan-tokens", &words, "--plan-poll", "100ms", &offset];
        Airclass::start(
            &[what, &["--listen", "127.0.0.1:0", "--plan-host", "lessons.example"], &plan[..]].concat(),
        )
    }

    fn edge(&self, upstream: SocketAddr, more: &[&str]) -> Airclass {
        let upstream = format!("http://{upstream}");
        self.start(&[&["edge", "--upstream", &upstream, "--fill-rate", "1Gbit/s"], more].concat())
    }

    /// Every path that a student may ask for, and what is there.
    fn files(&self) -> Vec<(String, bytes::Bytes)> {
        let files = self.lessons.iter().flat_map(|(name, made)| made.files(name));
        files.map(|(path, bytes)| (format!("/{path}"), bytes)).collect()
    }
}

fn put(file: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(file.parent().expect("a scratch folder, and an answer of ours"))
        .expect("a scratch folder, and an answer of ours");
    std::fs::write(file, bytes).expect("a scratch folder, and an answer of ours");
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds() {
            tokio::time::sleep(PAUSE).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

#[expect(clippy::cast_possible_truncation, reason = "a small number")]
fn edition(node: &Airclass) -> i64 {
    metric(node.admin, "airclass_plan_edition{day=\"today\"}") as i64
}

/// The least ready of its bells.
fn ready(node: &Airclass, site: &Site) -> bool {
    let page = journeys::raw::exchange_only(
        node.admin,
        b"GET /fill HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    let text = String::from_utf8(page).expect("a text");
    let said: serde_json::Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).expect("a body"))
        .expect("a scratch folder, and an answer of ours");
    let bells = said["bells"].as_array().expect("a scratch folder, and an answer of ours");
    !bells.is_empty()
        && bells.iter().all(|bell| bell["covered"] == true && bell["lessons"] == site.lessons.len())
}

/// What an operator is told: every bell is covered, and nobody knows of another.
fn covered(edges: &[Airclass]) {
    let nodes: Vec<_> = edges.iter().map(|edge| format!("--node=http://{}", edge.admin)).collect();
    let ask = |bell: &str| {
        let nodes = nodes.iter().map(String::as_str);
        journeys::airclass(
            &["timetable", "readiness", "--bell", bell].into_iter().chain(nodes).collect::<Vec<_>>(),
        )
    };
    let said = ask("2026-09-01T07:30");
    assert_eq!(said.code(), Some(0), "{} {}", said.stdout, said.stderr);
    let lines = said.stdout.lines().filter(|line| line.contains("100.00 %   12 lessons")).count();
    assert_eq!(lines, edges.len(), "{}", said.stdout);
    let said = ask("2026-09-01T07:31");
    assert_eq!(said.code(), Some(1), "{} {}", said.stdout, said.stderr);
    assert!(said.stderr.starts_with("FILL_NOT_COVERED"), "{}", said.stderr);
}

#[test]
fn twelve_lessons_are_here_before_the_bell_and_open_at_it_with_the_origin_dead() {
    let site = Site::new();
    let store = site.store();
    let origin = site.start(&["origin", "--store", store.to_str().unwrap()]);
    let parent = site.edge(origin.address(), &[]);
    let edges: Vec<_> =
        (0..3).map(|n| site.edge(parent.address(), &["--name", &format!("edge-{n}")])).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // The night: the plan goes down the tiers, and the lessons come after it.
        site.publish(1, moment("07:30:00"));
        until("the plan is followed everywhere", || {
            edges.iter().chain([&parent, &origin]).all(|node| edition(node) == 1)
        })
        .await;
        until("everything is fetched", || edges.iter().chain([&parent]).all(|node| ready(node, &site))).await;
        assert_eq!(client::get(edges[0].admin, "/readyz", &[]).await.status, 200);
        covered(&edges);

        // Nothing public names a package.
        let names: Vec<_> = site.lessons.iter().map(|(_, made)| made.sealed.id().to_string()).collect();
        for node in edges.iter().map(Airclass::address).chain([parent.address(), origin.address()]) {
            let mut paths = vec!["/".to_owned(), "/catalogue/version.json".to_owned()];
            let version = client::get(node, "/catalogue/version.json", &[]).await;
            let version: serde_json::Value = serde_json::from_slice(&version.body).unwrap();
            let shards = version["shards"].as_array().unwrap().iter();
            paths.extend(shards.map(|shard| format!("/{}", shard["path"].as_str().unwrap())));
            for (name, _) in &site.lessons {
                paths.extend(["main.m3u8", "lesson.json", "x"].map(|file| format!("/lessons/{name}/{file}")));
            }
            paths.extend(
                ["/timetable/plans/2026-09-01.json", "/plans/2026-09-01.json", "/p/"].map(str::to_owned),
            );
            for path in paths {
                for accept in ["*/*", "text/html", "application/json"] {
                    let answer = client::get(node, &path, &[("accept", accept)]).await;
                    let said = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
                    assert!(!names.iter().any(|name| said.contains(name)), "{path}: {said}");
                }
            }
        }

        until("what comes before a lesson is here, too", || {
            edges.iter().all(|edge| {
                let wanted = metric(edge.admin, "airclass_fill_front_wanted");
                wanted > 0.0 && metric(edge.admin, "airclass_fill_front_held") >= wanted
            })
        })
        .await;

        // In the morning the bell is moved to a few seconds from now, and then the origin dies.
        let mut bell = site.now();
        for number in 2.. {
            assert!(number < SLOWEST, "this machine is too slow to see a bell");
            bell = (site.now() + SignedDuration::from_secs(4 * number)).round(jiff::Unit::Second).unwrap();
            site.publish(number.unsigned_abs(), bell);
            until("the new plan is followed", || edges.iter().all(|node| edition(node) == number)).await;
            if site.now() + SignedDuration::from_millis(1_500) < bell {
                break;
            }
        }
        drop(origin);
        drop(parent);
        let asked_before: f64 = edges.iter().map(|edge| metric(edge.admin, "edge_fill_bytes_total")).sum();

        let pointers: Vec<_> =
            site.files().into_iter().filter(|(path, _)| path.ends_with("/main.m3u8")).collect();
        site.wait_until(bell - SignedDuration::from_secs(1)).await;
        for edge in &edges {
            for (path, _) in &pointers {
                let answer = client::get(edge.address(), path, &[]).await;
                // A machine that took a second for this has nothing to say about the instant.
                if site.now() < bell {
                    assert_eq!(answer.status, 403, "{path} {:?}", answer.headers);
                    assert!(answer.field("retry-after").parse::<u64>().unwrap() >= 1);
                }
            }
        }
        site.wait_until(bell + SignedDuration::from_secs(1)).await;
        for edge in &edges {
            for (path, bytes) in site.files() {
                let answer = client::get(edge.address(), &path, &[]).await;
                assert_eq!(answer.status, 200, "{path}");
                assert!(answer.body == bytes, "{path}: {} bytes", answer.body.len());
                let said = answer.headers.get_all("cache-status").iter().map(|line| line.to_str().unwrap());
                let ours = said.filter(|line| line.starts_with("edge-")).collect::<Vec<_>>();
                assert!(
                    ours.iter().all(|line| line.contains("; hit")) && !ours.is_empty(),
                    "{path}: {ours:?}"
                );
            }
        }
        let asked: f64 = edges.iter().map(|edge| metric(edge.admin, "edge_fill_bytes_total")).sum();
        assert_eq!(asked, asked_before, "not a byte from further up");
    });
}

#[test]
fn what_is_filled_lies_pinned_on_the_disk_over_kills_and_is_let_go_when_its_time_is_over() {
    let mut site = Site::new();
    let (store, disk, state) =
        (site.store(), site.folder.path().join("disk"), site.folder.path().join("state"));
    let text = |path: &Path| path.to_str().expect("scratch folders have plain names").to_owned();
    let (disk, state, store) = (text(&disk), text(&state), text(&store));
    let kept = ["--disk", &disk, "--disk-size", "256MiB", "--plan-state", &state];
    let pinned = |edge: &Airclass| metric(edge.admin, &format!("edge_disk_pinned_bytes{{disk=\"{disk}\"}}"));
    let nobody = "127.0.0.1:1".parse().expect("an address");
    std::fs::create_dir(&disk).expect("a scratch folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");

    // The night.
    let origin = site.start(&["origin", "--store", &store]);
    let edge = site.edge(origin.address(), &kept);
    site.publish(1, moment("07:30:00"));
    let bytes: usize = site.files().iter().map(|(_, bytes)| bytes.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let bytes = bytes as f64;
    runtime.block_on(async {
        until("everything is fetched", || ready(&edge, &site)).await;
        until("and pinned", || pinned(&edge) >= bytes).await;
    });
    drop((edge, origin));

    // Killed, and after the bell nobody can be asked: all of it is found, served, and still pinned.
    site.offset += SignedDuration::from_hours(2);
    let edge = site.edge(nobody, &kept);
    runtime.block_on(async {
        until("it is as ready as before, whatever the time", || ready(&edge, &site)).await;
        for (path, bytes) in site.files() {
            let answer = client::get(edge.address(), &path, &[]).await;
            assert!(answer.status == 200 && answer.body == bytes, "{path}: {}", answer.status);
        }
    });
    runtime.block_on(until("all of it is pinned still", || pinned(&edge) >= bytes));
    drop(edge);

    // Killed once more, in the night: all of it is found and proved.
    site.offset -= SignedDuration::from_hours(2);
    let edge = site.edge(nobody, &[&kept[..], &["--plan", &store]].concat());
    runtime.block_on(async {
        until("it is all here", || ready(&edge, &site)).await;
        until("and pinned", || pinned(&edge) >= bytes).await;
        // With what comes before a lesson, which stays. Their day is over in a moment.
        let mut whole = pinned(&edge);
        let now = site.now();
        site.publish_until(2, now + SignedDuration::from_secs(1), now + SignedDuration::from_secs(4));
        until("the new plan is followed", || edition(&edge) == 2).await;
        until("nothing of them is kept any more", || {
            let now = pinned(&edge);
            whole = whole.max(now);
            now <= whole - bytes
        })
        .await;
        let (path, bytes) = site.files().swap_remove(0);
        let answer = client::get(edge.address(), &path, &[]).await;
        assert!(answer.status == 200 && answer.body == bytes, "it may go, and has not");
    });
}
