//! The main job: a lesson's file, transcoded, published, through origin and edge onto a screen.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use jiff::Timestamp;
use journeys::client::Certificate;
use journeys::store::put;
use journeys::{Airclass, airclass, client, ingest, process, project};
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

#[test]
fn a_teachers_file_plays_on_a_students_screen() {
    let scratch = tempfile::tempdir().unwrap();
    let (file, store) = (scratch.path().join("lesson.mp4"), scratch.path().join("store"));
    std::fs::create_dir(&store).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();

    let made = ingest(&[&["sample", "--seconds", SECONDS, "--out", &path(&file)][..], &SIZE].concat());
    assert!(made.status.success(), "{made:?}");
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

    let origin = Airclass::origin(&store);
    put(scratch.path(), "keys.toml", entry(&KEY).as_bytes());
    put(scratch.path(), "plans/2026-09-01.json", &envelope(&day(&store)));
    let noon = format!("--clock-offset={}", moment("12:00:00").duration_since(Timestamp::now()));
    let (trusted, plans) = (path(&scratch.path().join("keys.toml")), path(&scratch.path().join("plans")));
    let certificate = Certificate::make(scratch.path());
    let (cert, key) = (path(&certificate.cert), path(&certificate.key));
    let edge = Airclass::edge(
        origin.address(),
        &[
            "--tls-listen",
            "127.0.0.1:0",
            "--cert",
            &cert,
            "--key",
            &key,
            "--http3",
            "--plan-keys",
            &trusted,
            "--plan",
            &plans,
            &noon,
        ],
    );
    every_object_comes_through_the_edge_as_the_manifest_says(&edge, &store);
    the_channel_is_as_the_rules_ask(&edge);
    a_browser_plays_it(&edge, &certificate);
    // Also by the edge's own account.
    let spoke = |protocol| {
        process::metric(edge.admin, &format!("serve_protocol_connections_total{{protocol=\"{protocol}\"}}"))
    };
    assert!(spoke("h3") > 0.5 && spoke("h2") < 0.5, "{} {}", spoke("h3"), spoke("h2"));
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

fn a_browser_plays_it(edge: &Airclass, certificate: &Certificate) {
    let output = Command::new("node")
        .args(["--test", "--test-reporter=spec"])
        .current_dir(project().join("tests/browser"))
        .env("AIRCLASS_URL", format!("http://{}/", edge.address()))
        .env("AIRCLASS_HTTP3_URL", format!("https://localhost:{}/", edge.addresses[1].port()))
        .env("AIRCLASS_HTTP3_CERT", &certificate.cert)
        .env("AIRCLASS_LESSON", "sample")
        .env("AIRCLASS_CHANNEL", "junior")
        .env("AIRCLASS_LATE", "late")
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}\n{}", String::from_utf8_lossy(&output.stderr), edge.log());
}
