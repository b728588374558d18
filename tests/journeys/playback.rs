//! The main job: a lesson's file, transcoded, published, through origin and edge onto a screen.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use jiff::Timestamp;
use journeys::client::Certificate;
use journeys::raw::post;
use journeys::store::put;
use journeys::{Airclass, airclass, client, ingest, net, process, project};
use package::Sealed;
use package::manifest::Manifest;
use std::path::Path;
use std::process::Command;
use testkit::plans::{KEY, clip, entry, envelope, fill, lesson, moment, plan, programme};
use timetable::plan::{Channel, Media, Pictures, Show};
use timetable::{Kind, Plan};

/// Long enough for seeks, switches of quality and a line that is cut in the middle; short enough for a test.
const SECONDS: &str = "64";
/// Enough for several rungs to be told apart, and quick to encode.
const SIZE: [&str; 4] = ["--width", "1280", "--height", "720"];

/// For whoever works on some of the browser's tests: names of their files.
const ONLY: &str = "AIRCLASS_BROWSER_TESTS";

#[test]
fn a_teachers_file_plays_on_a_students_screen() {
    net::apart();
    let scratch = tempfile::tempdir().unwrap();
    let (file, store) = (scratch.path().join("lesson.mp4"), scratch.path().join("store"));
    std::fs::create_dir(&store).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();

    let made = ingest(&[&["sample", "--seconds", SECONDS, "--out", &path(&file)][..], &SIZE].concat());
    assert!(made.status.success(), "{made:?}");
    put(scratch.path(), "lesson.srt", subtitles().as_bytes());
    put(scratch.path(), "lesson.chapters.txt", "00:00 导入\n00:20 认识\n00:40.5 练习 1 < 2\n".as_bytes());
    let meta = project().join("config/sample-lesson.toml");
    let run = ingest(&[
        "run",
        &path(&file),
        "--store",
        &path(&store),
        "--lesson",
        "sample",
        "--meta",
        &path(&meta),
    ]);
    assert!(run.status.success(), "{run:?}");

    let origin = Airclass::start(&[
        "origin",
        "--store",
        &path(&store),
        "--listen",
        "127.0.0.1:0",
        "--support-phone",
        "027-1234 5678",
    ]);
    put(scratch.path(), "keys.toml", entry(&KEY).as_bytes());
    put(scratch.path(), "plans/2026-09-01.json", &envelope(&day(&store)));
    let noon = format!("--clock-offset={}", moment("12:00:00").duration_since(Timestamp::now()));
    let (trusted, plans) = (path(&scratch.path().join("keys.toml")), path(&scratch.path().join("plans")));
    let (counts, code) = (path(&scratch.path().join("counts")), a_class_code());
    let (reports, log) = (path(&scratch.path().join("reports")), path(&scratch.path().join("log")));
    for folder in [&counts, &reports, &log] {
        std::fs::create_dir(folder).unwrap();
    }
    open_for_the_ninth_grade(&store, "verbs");
    let certificate = Certificate::make(scratch.path());
    let (cert, key) = (path(&certificate.cert), path(&certificate.key));
    let mut edge = Airclass::edge(
        origin.address(),
        &[
            "--coverage",
            &counts,
            "--feedback",
            &reports,
            "--access-log",
            &log,
            "--tls-listen",
            "127.0.0.1:0",
            "--cert",
            &cert,
            "--key",
            &key,
            "--http3",
            // Another journey may be filling the machine's memory for sockets just now.
            "--shed",
            "false",
            "--plan-keys",
            &trusted,
            "--plan",
            &plans,
            &noon,
        ],
    );
    every_object_comes_through_the_edge_as_the_manifest_says(&edge, &store);
    the_channel_is_as_the_rules_ask(&edge);
    a_browser_plays_it(&edge, &certificate, &code);
    // Also by the edge's own account.
    let spoke = |protocol| {
        process::metric(edge.admin, &format!("serve_protocol_connections_total{{protocol=\"{protocol}\"}}"))
    };
    let all_ran = std::env::var_os(ONLY).is_none();
    if all_ran {
        assert!(spoke("h3") > 0.5 && spoke("h2") < 0.5, "{} {}", spoke("h3"), spoke("h2"));
        // Pages tell on their own how lessons went (CMCD's event mode).
        let of = |series| process::metric(edge.admin, series);
        assert!(of("edge_cmcd_states_total{state=\"playing\"}") > 0.5, "nobody has told anything");
        assert!(of("edge_cmcd_malformed_reports_total") < 0.5, "all of it is of the form");
    }
    the_teacher_reads_what_the_class_has_seen(&mut edge, &counts, &code, scratch.path());
    if all_ran {
        operators_see_what_was_reported(&reports, &log);
    }
}

/// Each report leads to the line of the answer that it is about.
fn operators_see_what_was_reported(reports: &str, log: &str) {
    let listed = airclass(&["feedback", "list", "--spool", reports, "--json"]);
    assert_eq!(listed.code(), Some(0), "{}", listed.stderr);
    let all: Vec<serde_json::Value> =
        listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let stalls = all.iter().find(|entry| entry["report"]["kind"] == "stalls").expect("one of a browser's");
    let (id, trace) = (stalls["id"].as_str().unwrap(), stalls["report"]["trace"].as_str().unwrap());
    let shown = airclass(&["feedback", "show", id, "--spool", reports, "--log", log]);
    assert!(shown.stdout.contains(&format!("\"trace\":\"{trace}\"")), "{}\n{}", shown.stdout, shown.stderr);
    assert_eq!(airclass(&["feedback", "close", id, "--spool", reports]).code(), Some(0));
    let left = airclass(&["feedback", "list", "--spool", reports]).stdout;
    assert!(!left.contains(id) && left.contains(&format!("{} reports", all.len())), "{left}");
}

fn a_class_code() -> String {
    airclass(&["coverage", "code"]).stdout.trim().to_owned()
}

/// A second lesson of the same package, for a grade that may be counted.
fn open_for_the_ninth_grade(store: &Path, lesson: &str) {
    let of_sample = |name: &str| std::fs::read(store.join("lessons/sample").join(name)).unwrap();
    let mut about: serde_json::Value = serde_json::from_slice(&of_sample("lesson.json")).unwrap();
    for (key, value) in [("lesson", lesson.into()), ("stage", "junior".into()), ("grade", 9.into())] {
        about[key] = value;
    }
    put(store, &format!("lessons/{lesson}/lesson.json"), about.to_string().as_bytes());
    put(store, &format!("lessons/{lesson}/main.m3u8"), &of_sample("main.m3u8"));
}

/// One device was the browser's; with four of the class nothing is told, with five and more there are minutes.
fn the_teacher_reads_what_the_class_has_seen(edge: &mut Airclass, counts: &str, code: &str, scratch: &Path) {
    let say = |lesson: &str, minutes: &str| {
        let word = format!(
            r#"{{"class":"{code}","lesson":"{lesson}","began":true,"seen":[{minutes}],"again":[0]}}"#
        );
        let answer = post(edge.address(), "/coverage", "", &word);
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    };
    (0..5).for_each(|device| say("verbs", if device < 2 { "0,1" } else { "0" }));
    (0..4).for_each(|_| say("fractions", "0"));
    edge.terminate();
    edge.wait();
    put(scratch, "noise", "5a".repeat(32).as_bytes());
    let (noise, out) = (scratch.join("noise"), scratch.join("told"));
    let (noise, told) = (noise.to_str().unwrap(), out.to_str().unwrap());
    let published =
        airclass(&["coverage", "publish", counts, "--day", "2026-09-01", "--noise", noise, "--out", told]);
    assert_eq!(published.code(), Some(0), "{}", published.stderr);
    let read = |end: &str| std::fs::read_to_string(out.join(format!("{code}.{end}"))).unwrap();
    let (page, csv) = (read("html"), read("csv"));
    assert!(page.contains("verbs") && page.contains("几乎全部") && page.contains("少于 5"), "{page}");
    assert!(csv.contains(",verbs,1,几乎全部,") && csv.contains(",verbs,2,少于5,少于5"), "{csv}");
    // Four have begun it: of that lesson there is nothing, not even its name.
    for text in [&page, &csv, &read("json")] {
        assert!(!text.contains("fractions"), "{text}");
    }
}

/// By the validator, which knows nothing of plans.
fn the_channel_is_as_the_rules_ask(edge: &Airclass) {
    let channel = format!("http://{}/channels/junior/main.m3u8", edge.address());
    let checked = airclass(&["check", "--sample", "45", "--live", "6", &channel]);
    assert_eq!(checked.code(), Some(0), "{}\n{}", checked.stdout, checked.stderr);
}

fn every_object_comes_through_the_edge_as_the_manifest_says(edge: &Airclass, store: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let packages: Vec<_> =
            std::fs::read_dir(store.join("p")).unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(packages.len(), 1);
        let package = packages[0].file_name().into_string().unwrap();
        let mut connection = client::connect(edge.address()).await;
        let manifest = client::ask(&mut connection, "GET", &format!("/p/{package}/manifest.json"), &[]).await;
        let sealed = Manifest::parse(&manifest.body).unwrap();
        assert_eq!(sealed.id().to_string(), package);
        let manifest = sealed.manifest();
        assert!(manifest.objects.len() > 20);
        for object in &manifest.objects {
            let answer =
                client::ask(&mut connection, "GET", &format!("/p/{package}/{}", object.path), &[]).await;
            assert_eq!(answer.status, 200, "{}", object.path);
            assert_eq!(answer.field("cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(answer.field("content-type"), object.media_type.as_str(), "{}", object.path);
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &answer.body);
            let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, object.sha256.to_string(), "{}", object.path);
        }
    });
}

fn only_package(store: &Path) -> Sealed {
    let package = std::fs::read_dir(store.join("p")).unwrap().next().unwrap().unwrap().path();
    Manifest::parse(&std::fs::read(package.join("manifest.json")).unwrap()).unwrap()
}

/// A day of the one package: for a quarter of an hour before noon and as long behind it, another programme each two segments.
fn day(store: &Path) -> Plan {
    const NOON: u32 = 9_000;
    const ONE: u32 = 9_750;
    const SHORT: u32 = 2;
    let sealed = only_package(store);
    let pictures = sealed.id().object(&Pictures::listed(sealed.manifest()).unwrap());
    let pictures = std::fs::read_to_string(store.join(pictures.as_str())).unwrap();
    let media = Media::of(&sealed).with_pictures(&sealed, &pictures);
    assert!(media.pictures.is_some(), "{pictures}");
    let (first, last) = (NOON - 200, NOON + 200);
    let show = |name: &str| Show::Lesson(name.parse().unwrap());
    let slate = |start, end| programme(start, end, Kind::Gap, Show::Clip("slate".parse().unwrap()));
    let mut programmes = vec![slate(0, first)];
    for (start, name) in (first..last).step_by(SHORT as usize).zip(["fractions", "verbs"].into_iter().cycle())
    {
        let mut short = programme(start, start + SHORT, Kind::Lesson, show(name));
        (short.item, short.title) = (None, format!("课 {name}"));
        programmes.push(short);
    }
    programmes.push(slate(last, ONE));
    programmes.push(programme(ONE, ONE + media.segments.0, Kind::Lesson, show("late")));
    programmes.push(slate(ONE + media.segments.0, 18_000));
    let opens = moment("11:00:00");
    Plan {
        lessons: vec![
            lesson("fractions", opens, media.clone()),
            lesson("late", moment("13:00:00"), media.clone()),
            lesson("verbs", opens, media.clone()),
        ],
        clips: vec![clip("slate", media.clone())],
        fill: vec![fill(&media, opens)],
        channels: vec![Channel {
            channel: "junior".parse().unwrap(),
            title: "初中".into(),
            grades: vec![],
            discontinuities_before: 0,
            programmes,
        }],
        ..plan()
    }
}

/// A line in each five seconds, but for the last of them; with a sign that is not to be taken for markup.
fn subtitles() -> String {
    let line = |n: u32| {
        let clock = |second: u32| format!("00:{:02}:{:02},000", second / 60, second % 60);
        format!("{}\n{} --> {}\n第{}句 1 < 2\n\n", n + 1, clock(n * 5), clock(n * 5 + 4), n + 1)
    };
    (0..12).map(line).collect()
}

fn a_browser_plays_it(edge: &Airclass, certificate: &Certificate, class: &str) {
    let only = std::env::var(ONLY).unwrap_or_default();
    let output = Command::new("node")
        .args(["--test", "--test-reporter=spec"])
        .args(only.split_whitespace())
        .current_dir(project().join("tests/browser"))
        .env("AIRCLASS_URL", format!("http://{}/", edge.address()))
        .env("AIRCLASS_HTTP3_URL", format!("https://localhost:{}/", edge.addresses[1].port()))
        .env("AIRCLASS_HTTP3_CERT", &certificate.cert)
        .env("AIRCLASS_LESSON", "sample")
        .env("AIRCLASS_CHANNEL", "junior")
        .env("AIRCLASS_LATE", "late")
        .env("AIRCLASS_COUNTED", "verbs")
        .env("AIRCLASS_CLASS", class)
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{}\n{}\n{said}", edge.log(), String::from_utf8_lossy(&output.stderr));
}
