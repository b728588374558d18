//! `airclass drill` against a real edge before a real origin.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use journeys::store::{self, pattern};
use journeys::{Airclass, airclass, client, process, project};
use std::net::SocketAddr;
use std::time::Duration;

/// Segments of the lesson: 24 seconds, 2.4 at ten times the speed.
const SEGMENTS: usize = 5;
/// Enough for many to want the same thing at the same time, few enough for a test.
const PLAYERS: &str = "200";
/// Nobody listens there, and no system gives that port away meanwhile.
const NOBODY: &str = "127.0.0.1:1";

fn drill(nodes: &[SocketAddr], more: &[&str]) -> (Option<i32>, String, serde_json::Value) {
    let scratch = tempfile::tempdir().unwrap();
    let json = scratch.path().join("drill.json");
    let html = scratch.path().join("drill.html");
    let nodes: Vec<String> = nodes.iter().map(|node| format!("http://{node}")).collect();
    let mut arguments = vec!["drill", "/lessons/sample/main.m3u8", "--players", PLAYERS, "--threads", "1"];
    arguments.extend(nodes.iter().flat_map(|node| ["--node", node]));
    arguments.extend(["--json", json.to_str().unwrap(), "--html", html.to_str().unwrap()]);
    arguments.extend(more);
    let ended = airclass(&arguments);
    let said = format!("{}\n{}", ended.stdout, ended.stderr);
    let report =
        std::fs::read(&json).map_or(serde_json::Value::Null, |text| serde_json::from_slice(&text).unwrap());
    if !report.is_null() {
        assert!(std::fs::read_to_string(&html).unwrap().starts_with("<!doctype html>"));
    }
    (ended.code(), said, report)
}

/// An edge's listener was taken for an origin that is dead, and has sent nothing: the bar held.
#[test]
fn who_is_no_origin_does_not_say_what_it_has_sent() {
    let store = tempfile::tempdir().unwrap();
    let origin = Airclass::origin(store.path());
    let edge = Airclass::edge(origin.address(), &[]);
    let admin = format!("http://{}", edge.admin);
    let more = ["--origin-metrics", &admin, "--max-origin-bytes", "1B"];
    let (code, said, report) = drill(&[edge.address()], &more);
    assert!(code == Some(2) && report.is_null(), "{said}");
    assert!(said.contains("DRILL_OPTION: --origin-metrics: "), "{said}");
}

#[test]
fn a_class_comes_all_at_once_and_the_origin_sends_each_thing_once() {
    let store = tempfile::tempdir().unwrap();
    store::lesson(store.path(), SEGMENTS);
    let origin = Airclass::origin(store.path());
    let edges = [Airclass::edge(origin.address(), &[]), Airclass::edge(origin.address(), &[])];
    let nodes = edges.each_ref().map(Airclass::address);
    let admin = format!("http://{}", origin.admin);
    let (code, said, report) = drill(
        &nodes,
        &[
            "--arrival",
            "at-once",
            "--speed",
            "10",
            "--max-height",
            "144",
            "--max-errors",
            "0",
            "--origin-metrics",
            &admin,
            "--max-origin-bytes",
            "2MB",
        ],
    );
    assert_eq!(code, Some(0), "{said}");
    let total = &report["total"];
    for (what, is) in [("arrived", 200), ("started", 200), ("finished", 200), ("gave_up", 0)] {
        assert_eq!(total[what], is, "{what}: {said}");
    }
    // Main playlist, two playlists, two init segments, five segments of picture and five of sound.
    assert_eq!(total["requests"], 200 * 15, "{said}");
    assert_eq!(total["connections"], 400, "{said}");
    assert_eq!(report["nodes"][0]["figures"]["arrived"], 100);
    // Once for each edge.
    let once = report["origin"]["sent"]["bytes"].as_u64().unwrap();
    let media = SEGMENTS as u64 * 100_000;
    assert!((2 * media..2 * media + 20_000).contains(&once), "{once}: {said}");
    let cache = |name: &str| total["cache"][name].as_u64().unwrap_or(0);
    // Who comes while a fill runs joins it, who comes later hits: how many of each is for the machine's pace.
    assert!((1..=2 * 15).contains(&cache("fill")), "{said}");
    assert_eq!(cache("fill") + cache("hit") + cache("joined") + cache("refresh"), 3_000, "{said}");
}

/// Sixty pupils watch while forty fetch textbooks over a line that gives them 8 Mbit/s together, and places for half of them. The
/// lesson is no faster than life: a machine that stands still for seconds is not to be taken for a lesson that does.
#[test]
fn a_storm_of_downloads_slows_down_and_no_lesson_stands_still() {
    const RATE: f64 = 1_000_000.0;
    /// Twenty at once take twelve seconds: whoever comes within them finds no place.
    const BOOK: usize = 600_009;
    let store = tempfile::tempdir().unwrap();
    store::lesson(store.path(), SEGMENTS);
    let book = store.path().join("book.pdf");
    std::fs::write(&book, [&b"%PDF-1.7\n"[..], &pattern(BOOK - 9)].concat()).unwrap();
    let (book, root) = (book.to_str().unwrap(), store.path().to_str().unwrap());
    let meta = project().join("config/sample-resource.toml");
    let added = airclass(&[
        "resource",
        "add",
        book,
        "--meta",
        meta.to_str().unwrap(),
        "--id",
        "maths",
        "--store",
        root,
    ]);
    assert_eq!(added.code(), Some(0), "{}", added.stderr);
    let listed = airclass(&["resource", "ls", "--store", root]).stdout;
    let path = listed.split_whitespace().find(|word| word.starts_with("/r/")).expect("an address").to_owned();

    let origin = Airclass::origin(store.path());
    let edge = Airclass::edge(origin.address(), &["--resource-rate", "8Mbit/s", "--resources-at-once", "20"]);
    let json = store.path().join("drill.json");
    let node = format!("http://{}", edge.address());
    let ended = airclass(&[
        "drill",
        "/lessons/sample/main.m3u8",
        "--node",
        &node,
        "--players",
        "60",
        "--arrival",
        "at-once",
        "--max-height",
        "144",
        "--threads",
        "1",
        "--downloads",
        "40",
        "--download",
        &path,
        "--max-errors",
        "0",
        "--max-rebuffers",
        "0",
        "--json",
        json.to_str().unwrap(),
    ]);
    assert_eq!(ended.code(), Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!((&report["total"]["finished"], &report["total"]["gave_up"]), (&60.into(), &0.into()));
    let taken = &report["downloads"];
    let count = |what: &str| taken[what].as_u64().unwrap();
    assert_eq!(count("failed"), 0, "{taken}");
    assert!(count("finished") > 0 && count("put_off") >= 20, "{taken}");
    let (bytes, lasted) = (count("bytes") as f64, report["lasted_s"].as_f64().unwrap());
    assert!(bytes <= RATE * (lasted + 1.0), "{taken} in {lasted} s");
    assert!(process::metric(edge.admin, "edge_shed_total{what=\"resources\"}") >= 20.0);

    // One that broke off goes on where it was, and is what its name says.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rest = loop {
        let rest = runtime.block_on(client::get(edge.address(), &path, &[("range", "bytes=100000-")]));
        // The storm's clients have gone, and what is sent to each of them in its turn has yet to tell.
        if rest.status != 503 {
            break rest;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    };
    assert_eq!((rest.status.as_u16(), rest.body.len()), (206, BOOK - 100_000));
    assert_eq!(
        (rest.field("content-type"), rest.field("cache-control")),
        ("application/pdf", "public, max-age=31536000, immutable")
    );
    let first = runtime.block_on(client::get(edge.address(), &path, &[("range", "bytes=0-99999")]));
    let whole = [&first.body[..], &rest.body[..]].concat();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &whole);
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(path.contains(&hex), "{path}");
}

#[test]
fn a_dead_node_is_an_error_with_a_name_and_an_exit_status() {
    let store = tempfile::tempdir().unwrap();
    store::lesson(store.path(), SEGMENTS);
    let origin = Airclass::origin(store.path());
    let edge = Airclass::edge(origin.address(), &[]);
    let nowhere = NOBODY.parse().unwrap();
    let more = ["--arrival", "at-once", "--speed", "20", "--max-errors", "0", "--max-startup-p95", "30s"];
    let (code, said, report) = drill(&[edge.address(), nowhere], &more);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("DRILL_MISSED: 200 errors"), "{said}");
    // Each asks twice.
    assert_eq!(report["total"]["errors"]["connect"], 200, "{said}");
    assert_eq!(
        (&report["nodes"][1]["figures"]["gave_up"], &report["nodes"][0]["figures"]["finished"]),
        (&100.into(), &100.into())
    );
}

#[test]
fn tls_is_believed_with_its_authority_or_not_at_all() {
    let store = tempfile::tempdir().unwrap();
    store::lesson(store.path(), SEGMENTS);
    let origin = Airclass::origin(store.path());
    let certificate = client::Certificate::make(store.path());
    let files = [certificate.cert.to_str().unwrap(), certificate.key.to_str().unwrap()];
    let edge = Airclass::edge(
        origin.address(),
        &["--tls-listen", "127.0.0.1:0", "--cert", files[0], "--key", files[1]],
    );
    let node = format!("https://localhost:{}", edge.addresses[1].port());
    let run = |trust: &[&str]| {
        let words = [
            "drill",
            "/lessons/sample/main.m3u8",
            "--players",
            "10",
            "--arrival",
            "at-once",
            "--speed",
            "20",
        ];
        airclass(&[&words, &["--node", &node, "--max-errors", "0"][..], trust].concat())
    };
    for (trust, code) in [(vec!["--insecure"], 0), (vec!["--ca", files[0]], 0)] {
        let ended = run(&trust);
        assert_eq!(ended.code(), Some(code), "{trust:?}: {}{}", ended.stdout, ended.stderr);
    }
    // Another authority than the one that signed it.
    let other = tempfile::tempdir().unwrap();
    let stranger = client::Certificate::make(other.path());
    let ended = run(&["--ca", stranger.cert.to_str().unwrap()]);
    assert_eq!(ended.code(), Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("tls="), "{}", ended.stdout);
}
