//! Orders to purge, given to the built edge as an operator gives them, and as an attacker would.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use jiff::Timestamp;
use journeys::raw::Loose;
use journeys::{Airclass, Finished, airclass, client};
use purge::{Mode, Order, Signed, What};
use serde_json::Value;
use signing::SigningKey;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const MINUTE: Duration = Duration::from_secs(60);
const PATHS: [&str; 3] = ["/lessons/7/a", "/lessons/7/b", "/lessons/8/a"];

struct Scene {
    scratch: TempDir,
    origin: Loose,
    edge: Airclass,
    key: PathBuf,
}

/// An edge that obeys one key, before an origin that labels all below `/lessons/N/` with `lesson-N`.
fn scene() -> Scene {
    scene_with(|_| Vec::new())
}

/// The same with more options, which may name files in its folder.
fn scene_with(more: impl FnOnce(&Path) -> Vec<String>) -> Scene {
    let scratch = tempfile::tempdir().unwrap();
    let origin = Loose::start(|request| {
        let lesson = request.target.split('/').nth(2).unwrap_or_default();
        format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nSurrogate-Key: all lesson-{lesson}\r\n\
             Content-Length: 1\r\n\r\nx"
        )
        .into()
    });
    let (key, keys) = (scratch.path().join("key"), scratch.path().join("keys.toml"));
    let made = airclass(&["package", "keygen", "--out", key.to_str().unwrap()]);
    std::fs::write(&keys, &made.stdout).unwrap();
    let more = more(scratch.path());
    let options = ["--purge-keys", keys.to_str().unwrap()].into_iter().chain(more.iter().map(String::as_str));
    let edge = Airclass::edge(origin.address, &options.collect::<Vec<_>>());
    Scene { scratch, origin, edge, key }
}

impl Scene {
    /// Asks for everything once; gives what of it came from upstream.
    fn fetched(&self) -> Vec<&'static str> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut fetched = Vec::new();
            for path in PATHS {
                let answer = client::get(self.edge.address(), path, &[]).await;
                assert_eq!((answer.status.as_u16(), answer.field("surrogate-key")), (200, ""), "{path}");
                if !answer.field("cache-status").starts_with("airclass; hit") {
                    fetched.push(path);
                }
            }
            fetched
        })
    }

    /// `airclass purge` for this edge.
    fn purge(&self, more: &[&str]) -> Finished {
        let admin = format!("http://{}", self.edge.admin);
        let purge = ["purge", "--edge", &admin, "--key", self.key.to_str().unwrap()];
        airclass(&[&purge[..], more].concat())
    }

    /// Posts to the edge as anybody could.
    fn post(&self, sent: &[u8]) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.edge.admin).unwrap();
        let length = sent.len();
        let head = format!(
            "POST /purge HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), sent].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
    }
}

fn order(what: &str, made_at: Timestamp, life: Duration) -> Order {
    Order::new(What::Prefix(what.parse().unwrap()), Mode::Hard, None, made_at, life).unwrap()
}

#[test]
fn an_operator_purges_by_url_prefix_and_key() {
    let scene = scene();
    assert_eq!(scene.fetched(), PATHS);
    assert!(scene.fetched().is_empty());
    let site = "https://lessons.example";
    for (order, says, fetched) in [
        (vec!["--url", "https://lessons.example/lessons/7/b"], "removed 1, made stale 0", &PATHS[1..2]),
        (vec!["--prefix", "https://lessons.example/lessons/7/"], "removed 2, made stale 0", &PATHS[..2]),
        (vec!["--surrogate-key", "lesson-8"], "removed 1, made stale 0", &PATHS[2..]),
        (
            vec!["--surrogate-key", "all", "--host", "lessons.example", "--soft"],
            "removed 0, made stale 3",
            &PATHS[..],
        ),
        (vec!["--prefix", site], "removed 3, made stale 0", &PATHS[..]),
        // The origin is told no host, so any is as good.
        (vec!["--surrogate-key", "all", "--host", "other.example"], "removed 3, made stale 0", &PATHS[..]),
    ] {
        let Finished { status, stdout, stderr } = scene.purge(&order);
        assert!(status.success() && stdout.contains(says), "{order:?}: {stdout}{stderr}");
        assert_eq!(scene.fetched(), fetched, "{order:?}");
        assert!(scene.fetched().is_empty());
    }
    let told: Value =
        serde_json::from_str(&scene.purge(&["--url", &format!("{site}/lessons/8/a"), "--json"]).stdout)
            .unwrap();
    assert_eq!(told["report"]["urls"], serde_json::json!(["http://<default>/lessons/8/a"]));
    assert_eq!(told["report"]["removed"]["memory"], 1);
    // It was told that nothing was removed, and nothing else.
    let star = scene.purge(&["--prefix", &format!("{site}/lessons/*")]);
    assert!(
        star.status.success() && star.stderr.contains("`*` in a URL stands for itself"),
        "{}",
        star.stderr
    );
}

#[test]
fn what_was_purged_from_a_disk_does_not_come_back_after_a_kill() {
    let disk_of = |folder: &Path| {
        let disk = folder.join("disk");
        std::fs::create_dir_all(&disk).unwrap();
        ["--disk", disk.to_str().unwrap(), "--disk-size", "64MiB", "--ram", "16MiB"]
            .map(str::to_owned)
            .to_vec()
    };
    let site = "https://lessons.example";
    for (order, meant) in [
        (vec!["--url".to_owned(), format!("{site}/lessons/7/b")], &PATHS[1..2]),
        (vec!["--prefix".to_owned(), format!("{site}/lessons/7/")], &PATHS[..2]),
        (vec!["--surrogate-key".to_owned(), "lesson-8".to_owned()], &PATHS[2..]),
    ] {
        let mut scene = scene_with(disk_of);
        assert_eq!(scene.fetched(), PATHS);
        let order: Vec<_> = order.iter().map(String::as_str).collect();
        let Finished { status, stdout, stderr } = scene.purge(&order);
        let says = format!("removed {0} (on disk {0}), made stale 0", meant.len());
        assert!(status.success() && stdout.contains(&says), "{order:?}: {stdout}{stderr}");
        assert!(!stdout.contains("written it down"), "{stdout}");
        // By SIGKILL, and another one over the same disk.
        let more = disk_of(scene.scratch.path());
        let options: Vec<_> = more.iter().map(String::as_str).collect();
        let (origin, dead) = (scene.origin.address, Airclass::edge(scene.origin.address, &[]));
        drop(std::mem::replace(&mut scene.edge, dead));
        scene.edge = Airclass::edge(origin, &options);
        assert_eq!(scene.fetched(), meant, "{order:?}");
    }
}

#[test]
fn an_edge_that_does_not_obey_is_named_and_the_others_obey() {
    let scene = scene();
    let other = Airclass::edge(scene.origin.address, &["--show-surrogate-keys"]);
    scene.fetched();
    let (other_admin, nobody) = (format!("http://{}", other.admin), "http://127.0.0.1:1");
    let ended =
        scene.purge(&["--edge", &other_admin, "--edge", nobody, "--prefix", "http://lessons.example/"]);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("PURGE_NOT_EVERYWHERE: 2 of 3 edges"), "{}", ended.stderr);
    let line = |edge: &str| ended.stdout.lines().find(|line| line.starts_with(edge)).unwrap().to_owned();
    assert!(line(&other_admin).contains("disabled: "), "{}", ended.stdout);
    assert!(line(nobody).contains("unreachable: "), "{}", ended.stdout);
    assert_eq!(scene.fetched(), PATHS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seen = runtime.block_on(client::get(other.address(), PATHS[0], &[]));
    assert_eq!(seen.field("surrogate-key"), "all lesson-7", "an edge behind this one needs it");
}

#[test]
fn attack_76_forged_expired_and_replayed_orders_change_nothing() {
    let scene = scene();
    scene.fetched();
    let (key, stranger) = (SigningKey::read(&scene.key).unwrap(), SigningKey::generate().unwrap());
    let everything = "http://lessons.example/";
    let now = Timestamp::now();
    let good = order(everything, now, MINUTE);
    let signed = Signed::by(&good, &[&key]);
    let wider = Signed { order: signed.order.replace("lessons.example", "x.example"), ..signed.clone() };
    let by = |order: &Order| Signed::by(order, &[&key]).to_bytes();
    for (what, sent, status, refused) in [
        ("nobody's", Signed::by(&good, &[]).to_bytes(), 401, "unsigned"),
        ("a stranger's", Signed::by(&good, &[&stranger]).to_bytes(), 403, "unknown_key"),
        ("one that was changed", wider.to_bytes(), 403, "bad_signature"),
        ("one that has expired", by(&order(everything, now - 2 * MINUTE, MINUTE)), 403, "expired"),
        ("one from the future", by(&order(everything, now + 10 * MINUTE, MINUTE)), 403, "not_yet_valid"),
        ("one that lives too long", by(&order(everything, now, 11 * MINUTE)), 403, "life_too_long"),
        (
            "one from before a restart",
            by(&order(everything, now - 5 * MINUTE, 10 * MINUTE)),
            403,
            "before_start",
        ),
        ("no order", b"{\"order\":\"everything\"}".to_vec(), 401, "unsigned"),
        ("no JSON", b"everything".to_vec(), 400, "malformed"),
        ("too much", vec![b' '; 40_000], 413, "too_large"),
    ] {
        let (answered, text) = scene.post(&sent);
        assert_eq!((answered, text["refused"].as_str()), (status, Some(refused)), "{what}");
        assert!(scene.fetched().is_empty(), "{what}");
    }

    let (status, report) = scene.post(&signed.to_bytes());
    assert_eq!((status, &report["removed"]["memory"]), (200, &Value::from(3)));
    assert_eq!(report["id"], good.id.to_string());
    assert_eq!(scene.fetched(), PATHS);
    for _ in 0..2 {
        let (status, text) = scene.post(&signed.to_bytes());
        assert_eq!((status, text["refused"].as_str()), (409, Some("replayed")));
    }
    // Signed by others as well it is still the same order.
    let (status, _) = scene.post(&Signed::by(&good, &[&stranger, &key]).to_bytes());
    assert_eq!(status, 409);
    assert!(scene.fetched().is_empty());

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let metrics = runtime.block_on(client::get(scene.edge.admin, "/metrics", &[]));
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    for line in [
        "edge_purge_orders_total 1",
        "edge_purge_refused_total{reason=\"replayed\"} 3",
        "edge_purge_refused_total{reason=\"bad_signature\"} 1",
        "edge_purged_objects_total{mode=\"hard\"} 3",
    ] {
        assert!(metrics.lines().any(|said| said == line), "{line}\n{metrics}");
    }
}

#[test]
fn bad_keys_and_groups_are_refused_by_name() {
    let scratch = tempfile::tempdir().unwrap();
    let keys = scratch.path().join("keys.toml");
    std::fs::write(&keys, "[[key]]\nid = \"1\"\n").unwrap();
    let public = keys.with_file_name("ministry.pub");
    std::fs::write(&public, "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n").unwrap();
    let edge =
        ["edge", "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    for (more, code, says) in [
        (["--purge-keys", keys.to_str().unwrap()], "CONFIG_INVALID: ", "keys.toml:2:"),
        (["--purge-keys", public.to_str().unwrap()], "CONFIG_INVALID: ", "a TOML file with a [[key]] each"),
        (["--purge-keys", "/nowhere/keys.toml"], "CONFIG_UNREADABLE: ", "/nowhere/keys.toml"),
        (["--purge-group", "a b"], "CONFIG_VALUE: ", "`purge.group`"),
    ] {
        let ended = airclass(&[&edge[..], &more].concat());
        let line = ended.stderr.lines().last().unwrap_or_default();
        assert_eq!(ended.code(), Some(2), "{}", ended.stderr);
        assert!(line.starts_with(code) && line.contains(says), "{line}");
    }
}
