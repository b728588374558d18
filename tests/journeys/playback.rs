//! The main job: a lesson's file, transcoded, published, through origin and edge onto a screen.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use journeys::client::Certificate;
use journeys::{Airclass, client, ingest, process, project};
use package::manifest::Manifest;
use std::path::Path;
use std::process::Command;

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
    let certificate = Certificate::make(scratch.path());
    let (cert, key) = (path(&certificate.cert), path(&certificate.key));
    let edge = Airclass::edge(
        origin.address(),
        &["--tls-listen", "127.0.0.1:0", "--cert", &cert, "--key", &key, "--http3"],
    );
    every_object_comes_through_the_edge_as_the_manifest_says(&edge, &store);
    a_browser_plays_it(&edge, &certificate);
    // Also by the edge's own account.
    let spoke = |protocol| {
        process::metric(edge.admin, &format!("serve_protocol_connections_total{{protocol=\"{protocol}\"}}"))
    };
    assert!(spoke("h3") > 0.5 && spoke("h2") < 0.5, "{} {}", spoke("h3"), spoke("h2"));
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

fn a_browser_plays_it(edge: &Airclass, certificate: &Certificate) {
    let output = Command::new("node")
        .args(["--test", "--test-reporter=spec"])
        .current_dir(project().join("tests/browser"))
        .env("AIRCLASS_URL", format!("http://{}/", edge.address()))
        .env("AIRCLASS_HTTP3_URL", format!("https://localhost:{}/", edge.addresses[1].port()))
        .env("AIRCLASS_HTTP3_CERT", &certificate.cert)
        .env("AIRCLASS_LESSON", "sample")
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}\n{}", String::from_utf8_lossy(&output.stderr), edge.log());
}
