//! The same journey over an S3 server: published to a bucket, served from it, looked after with `airclass package`.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use journeys::process::{Finished, run_in};
use journeys::{Airclass, client, ingest};
use package::Manifest;
use testkit::s3::{S3Server, Tap};

const STORE: &str = "s3://lessons/north";

struct Site {
    environment: Vec<(&'static str, String)>,
}

impl Site {
    fn run(&self, name: &str, arguments: &[&str]) -> Finished {
        run_in(&self.environment, name, arguments)
    }

    fn package(&self, arguments: &[&str]) -> Finished {
        self.run("airclass", &[&["package"], arguments, &["--store", STORE]].concat())
    }
}

#[test]
fn a_lesson_is_published_to_a_bucket_and_served_from_it() {
    let scratch = tempfile::tempdir().unwrap();
    let buckets = scratch.path().join("buckets");
    std::fs::create_dir(&buckets).unwrap();
    let mut server = S3Server::start(&buckets);
    server.make_bucket("lessons");
    let site = Site { environment: server.environment().to_vec() };
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let (file, key, trust) = (path("lesson.mp4"), path("key"), path("trust.toml"));

    // Nobody has published there: that is an error, and no empty catalogue.
    let nothing = site.run("airclass", &["origin", "--store", STORE]);
    assert_eq!(nothing.code(), Some(2), "{nothing:?}");
    assert!(nothing.stderr.contains("STORE_NOT_THERE"), "{nothing:?}");

    let made = ingest(&["sample", "--seconds", "10", "--out", &file, "--width", "416", "--height", "234"]);
    assert!(made.status.success(), "{made:?}");
    let keygen = site.run("airclass", &["package", "keygen", "--out", &key, "--name", "the ministry"]);
    assert!(keygen.status.success(), "{keygen:?}");
    std::fs::write(&trust, &keygen.stdout).unwrap();
    let run = ["run", &file, "--store", STORE, "--lesson", "sample", "--sign-key", &key];
    let run = site.run("airclass-ingest", &run);
    assert!(run.status.success(), "{run:?}");

    let verified = site.package(&["verify", "--all", "--trust", &trust, "--json"]);
    assert!(verified.status.success(), "{verified:?}");
    let verified: serde_json::Value = serde_json::from_str(&verified.stdout).unwrap();
    assert_eq!(verified["signature"], "good");
    let id = verified["package"].as_str().unwrap().to_owned();

    let origin =
        Airclass::start_in(&site.environment, &["origin", "--store", STORE, "--listen", "127.0.0.1:0"]);
    every_object_comes_as_the_manifest_says(&origin, &id);

    nothing_is_fetched_that_nobody_gets(&site, &Tap::of(&server), &id);

    let shown = site.package(&["show", &id]);
    assert!(shown.stdout.contains("416x234") && shown.stdout.contains("lessons   sample"), "{shown:?}");
    let deleted = site.package(&["delete", "sample"]);
    assert!(deleted.status.success(), "{deleted:?}");
    assert_eq!(status(&origin, "/lessons/sample/main.m3u8"), 404);
    let cleared = site.package(&["gc", "--grace", "7d"]);
    assert!(cleared.stdout.contains("1 needed"), "{cleared:?}");
    let back = site.package(&["rollback", "sample"]);
    assert!(back.status.success(), "{back:?}");
    assert_eq!(status(&origin, "/lessons/sample/main.m3u8"), 200);
    let listed = site.package(&["ls"]);
    assert!(listed.stdout.contains("sample") && listed.stdout.contains(&id), "{listed:?}");

    let object = server.bucket("lessons").join(format!("north/p/{id}/s1/init.mp4"));
    std::fs::write(&object, b"something else").unwrap();
    let damaged = site.package(&["verify", &id]);
    assert_eq!(damaged.code(), Some(2), "{damaged:?}");
    assert!(damaged.stdout.contains("s1/init.mp4 has 14 bytes instead of"), "{damaged:?}");

    // A server that is gone is a fault and not an answer.
    server.kill();
    assert_eq!(status(&origin, "/lessons/sample/lesson.json"), 503);
    assert_eq!(status(&origin, "/lessons/never/lesson.json"), 503);
}

fn every_object_comes_as_the_manifest_says(origin: &Airclass, id: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = client::connect(origin.address()).await;
        let manifest = client::ask(&mut connection, "GET", &format!("/p/{id}/manifest.json"), &[]).await;
        let sealed = Manifest::parse(&manifest.body).unwrap();
        let signatures = client::ask(&mut connection, "GET", &format!("/p/{id}/manifest.sig"), &[]).await;
        assert_eq!((signatures.status.as_u16(), signatures.field("content-type")), (200, "application/json"));
        for object in &sealed.manifest().objects {
            let path = format!("/p/{id}/{}", object.path);
            let answer = client::ask(&mut connection, "GET", &path, &[]).await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(package::Digest::of(&answer.body), object.sha256, "{path}");
            if object.bytes > 20 && !object.media_type.is_text() {
                let part = client::ask(&mut connection, "GET", &path, &[("range", "bytes=7-18")]).await;
                assert_eq!(part.status, 206, "{path}");
                assert_eq!(part.body, answer.body.slice(7..19), "{path}");
            }
        }
        let id: package::PackageId = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
        let unfinished = format!("/{}", id.word("survey.json").as_str());
        for path in [unfinished.as_str(), "/history/sample.json"] {
            assert_eq!(client::ask(&mut connection, "GET", path, &[]).await.status, 404, "{path}");
        }
    });
}

/// Every question about a segment began to fetch all of it.
fn nothing_is_fetched_that_nobody_gets(site: &Site, tap: &Tap, id: &str) {
    let mut environment = site.environment.clone();
    environment.push(("AWS_ENDPOINT_URL", tap.endpoint.clone()));
    let origin = Airclass::start_in(&environment, &["origin", "--store", STORE, "--listen", "127.0.0.1:0"]);
    let path = format!("/p/{id}/s1/00000.m4s");
    let object = format!("/lessons/north{path}");
    let asked = |method: &str, more: &str| format!("{method} {object}{more}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = client::connect(origin.address()).await;
        let whole = client::ask(&mut connection, "GET", &path, &[]).await;
        let etag = whole.field("etag").to_owned();
        let (has, part) = (("if-none-match", etag.as_str()), ("range", "bytes=7-18"));
        for (method, fields, status, expected) in [
            ("GET", &[][..], 200, &[asked("GET", "")][..]),
            ("HEAD", &[], 200, &[asked("HEAD", "")]),
            ("GET", &[has], 304, &[asked("HEAD", "")]),
            ("GET", &[("if-match", "\"other\"")], 412, &[asked("HEAD", "")]),
            ("GET", &[part], 206, &[asked("HEAD", ""), asked("GET", " bytes=7-18")]),
            ("GET", &[part, has], 304, &[asked("HEAD", "")]),
            ("GET", &[("range", "bytes=99999999-")], 416, &[asked("HEAD", "")]),
        ] {
            tap.take();
            let answer = client::ask(&mut connection, method, &path, fields).await;
            assert_eq!(answer.status, status, "{method} {fields:?}");
            // What the origin asks by itself, for readiness and for the days' plans, may fall between.
            let mut passed = tap.take();
            passed.requests.retain(|request| request.contains(&object));
            assert_eq!(passed.requests, expected, "{method} {fields:?}");
            let most = answer.body.len() as u64 + 8_192;
            assert!(passed.bytes < most, "{method} {fields:?}: {} bytes", passed.bytes);
        }
    });
}

fn status(origin: &Airclass, path: &str) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client::get(origin.address(), path, &[])).status.as_u16()
}
