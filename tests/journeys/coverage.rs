//! 班级学情 through the built programs: what is told of a class, and that nobody is in anything that a node keeps.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use jiff::Timestamp;
use journeys::process::metric;
use journeys::raw::{Loose, post};
use journeys::store::put;
use journeys::{Airclass, airclass, client};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use testkit::plans::{KEY, entry, envelope, moment, plan};
use tokio::time::Instant;

/// What a client says of itself with each word; none of it may be found anywhere.
const MARK: &str = "zhang-xiaoming-of-no-7-phone";
/// Devices that say a word, one after the other.
const DEVICES: u32 = 20;
/// The longest wait for what a client does not see: that a node has read its plan, that the last connection has ended.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest file that is searched.
const FILE: u64 = 1 << 24;

struct Scene {
    scratch: TempDir,
    edge: Airclass,
    class: String,
}

impl Scene {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let text = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
        for folder in ["counts", "log"] {
            std::fs::create_dir(scratch.path().join(folder)).unwrap();
        }
        put(scratch.path(), "keys.toml", entry(&KEY).as_bytes());
        put(scratch.path(), "plans/2026-09-01.json", &envelope(&plan()));
        put(scratch.path(), "noise", "5a".repeat(32).as_bytes());
        let origin = Loose::start(|_| {
            b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\nhello".to_vec()
        });
        let noon = format!("--clock-offset={}", moment("12:00:00").duration_since(Timestamp::now()));
        let (keys, plans, counts, log) = (text("keys.toml"), text("plans"), text("counts"), text("log"));
        let (public, _) = sealing(scratch.path());
        let edge = Airclass::edge(
            origin.address,
            &[
                "--plan-keys",
                &keys,
                "--plan",
                &plans,
                &noon,
                "--coverage",
                &counts,
                "--access-log",
                &log,
                "--access-log-seal-to",
                &public,
            ],
        );
        // A node listens before it has read its plan, and a lesson that it does not know is not counted.
        let until = Instant::now() + PATIENCE;
        while metric(edge.admin, "airclass_plan_edition{day=\"today\"}") < 1.0 {
            assert!(Instant::now() < until, "it does not follow its plan: {}", edge.log());
        }
        let class = airclass(&["coverage", "code"]).stdout.trim().to_owned();
        Self { scratch, edge, class }
    }

    /// One device's word about a lesson, and all that its client may say of itself beside it.
    fn say(&self, class: &str, lesson: &str, minutes: &str) {
        let word = format!(
            r#"{{"class":"{class}","lesson":"{lesson}","began":true,"seen":[{minutes}],"again":[]}}"#
        );
        let fields = format!(
            "User-Agent: {MARK}-agent\r\nCookie: session={MARK}-cookie\r\nX-Forwarded-For: {MARK}-address\r\nReferer: https://{MARK}.example/\r\n"
        );
        let answer = post(self.edge.address(), &format!("/coverage?device={MARK}"), &fields, &word);
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("set-cookie"), "{answer}");
    }

    fn ends(&mut self) {
        self.edge.terminate();
        self.edge.wait();
    }

    /// Everything that is published of the day, by file name.
    fn published(&self, out: &str) -> Vec<(String, Vec<u8>)> {
        let path = |name: &str| self.scratch.path().join(name).to_str().unwrap().to_owned();
        let (counts, noise, told) = (path("counts"), path("noise"), path(out));
        let published = airclass(&[
            "coverage",
            "publish",
            &counts,
            "--day",
            "2026-09-01",
            "--noise",
            &noise,
            "--out",
            &told,
        ]);
        assert_eq!(published.code(), Some(0), "{}", published.stderr);
        files(Path::new(&told)).into_iter().map(|path| (name(&path), std::fs::read(path).unwrap())).collect()
    }
}

/// Both halves of a pair for the sealed log: what the node has, and the file that opens it.
fn sealing(folder: &Path) -> (String, PathBuf) {
    let keys = airclass(&["node", "log-key"]).stdout;
    let public = keys.split('"').nth(1).unwrap().to_owned();
    std::fs::write(folder.join("log-key"), keys).unwrap();
    (public, folder.join("log-key"))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Places in a process's memory where `text` stands.
fn in_memory(process: u32, text: &str) -> usize {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = std::fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let places = maps
        .lines()
        .filter(|line| line.split_whitespace().nth(1).is_some_and(|rights| rights.starts_with("rw")));
    let found = places.map(|line| {
        let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        // What was unmapped meanwhile holds nothing.
        if memory.read_exact_at(&mut bytes, start).is_err() {
            return 0;
        }
        let (first, rest) = (text.as_bytes()[0], text.as_bytes());
        let starts = bytes.iter().enumerate().filter(|&(_, &byte)| byte == first);
        starts.filter(|&(at, _)| bytes[at..].starts_with(rest)).count()
    });
    found.sum()
}

#[tokio::test]
async fn nobody_is_in_any_store_log_or_memory_of_a_node() {
    let mut scene = Scene::new();
    for _ in 0..DEVICES {
        scene.say(&scene.class, "maths-9", "0,1,2");
    }
    client::get(scene.edge.address(), "/a", &[("user-agent", "another-browser")]).await;
    let until = Instant::now() + PATIENCE;
    let mut left = in_memory(scene.edge.id(), MARK);
    while left > 0 && Instant::now() < until {
        tokio::time::sleep(PAUSE).await;
        left = in_memory(scene.edge.id(), MARK);
    }
    assert_eq!(left, 0, "places in memory that still hold what a device said of itself");
    // The numbers are there, or this would prove nothing.
    assert!(in_memory(scene.edge.id(), "maths-9") > 0);

    scene.ends();
    let folder = scene.scratch.path();
    let key = folder.join("log-key");
    let mut searched = 0;
    for path in files(&folder.join("log")).into_iter().chain(files(&folder.join("counts"))) {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&path).unwrap();
        if path.extension().is_some_and(|end| end == "gz") {
            flate2::read::GzDecoder::new(file).take(FILE).read_to_end(&mut bytes).unwrap();
            assert!(holds(&bytes, "another-browser"), "{}: others are written down", path.display());
        } else if path.extension().is_some_and(|end| end == "sealed") {
            let opened =
                airclass(&["node", "unseal", "--key", key.to_str().unwrap(), path.to_str().unwrap()]);
            bytes = opened.stdout.into_bytes();
            assert!(holds(&bytes, "another-browser"), "{}: others are written down", path.display());
        } else {
            file.take(FILE).read_to_end(&mut bytes).unwrap();
        }
        for text in [MARK, "/coverage"] {
            assert!(!holds(&bytes, text), "{text} in {}", path.display());
        }
        // An address stands in the log that is sealed, beside what others have asked, and in no number.
        let is_number = path.starts_with(folder.join("counts"));
        assert!(!is_number || !holds(&bytes, "127.0.0."), "{}", path.display());
        searched += 1;
    }
    assert!(searched >= 3, "{searched} files");
    assert!(!scene.edge.log().contains(MARK) && !scene.edge.log().contains(&scene.class));
}

#[test]
fn one_viewer_more_of_a_small_class_changes_nothing_that_is_published() {
    let told = |viewers: u32| {
        let mut scene = Scene::new();
        let (small, large) = ("22222-22222", "32222-22223");
        (0..viewers).for_each(|_| scene.say(small, "maths-9", "0,1"));
        (0..7).for_each(|_| scene.say(large, "maths-9", "0,1,2"));
        scene.ends();
        scene.published("told")
    };
    let (three, four) = (told(3), told(4));
    assert!(three.iter().any(|(name, page)| name.ends_with(".html") && holds(page, "32222-22223")));
    assert_eq!(three, four);
}

/// It was told as a day without classes, for which an edge had not been set up.
#[test]
fn numbers_that_may_not_be_looked_at_are_not_none_and_a_missing_secret_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let (noise, out) = (folder.path().join("noise"), folder.path().join("out"));
    let publish = |code: &str| {
        let said = airclass(&[
            "coverage",
            "publish",
            folder.path().to_str().unwrap(),
            "--day",
            "2026-09-01",
            "--noise",
            noise.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ]);
        assert_eq!(said.code(), Some(2), "{said:?}");
        assert!(said.stderr.starts_with(code), "{said:?}");
        said.stderr
    };
    assert!(publish("COVERAGE_NOISE_KEY: ").contains("(--noise)"));
    std::fs::write(&noise, "ab".repeat(32)).unwrap();
    publish("COVERAGE_EMPTY: ");
    // A link to itself: what even root cannot look at.
    let day = folder.path().join("2026-09-01.json");
    std::os::unix::fs::symlink(&day, &day).unwrap();
    publish("COVERAGE_UNREADABLE: ");
}
