//! What carriers count as free, as they follow it: without a certificate of the fleet's.

use crate::{LOOKS, Ministry, PAUSE, refused, text};
use std::process::Command;

#[test]
fn what_is_free_is_published_for_carriers_to_follow() {
    let ministry = Ministry::new(None);
    let path = |name: &str| ministry.folder.path().join(name);
    let ours = path("state").join("authority.pem");
    // A carrier has no certificate; it knows the authority's.
    let follow = |query: &str, fields: &str| {
        let url = format!("{}/v1/zero-rating{query}", ministry.url());
        let asked = ["--silent", "--include", "--cacert", text(&ours), "--header", fields, &url];
        let told = Command::new("curl").args(asked).output().unwrap();
        assert!(told.status.success(), "{told:?}");
        String::from_utf8(told.stdout).unwrap()
    };
    let (key, out) = (path("operator.key"), path("free.json"));
    let publish = |host: &str| {
        let made = ["zero-rating", "--key", text(&key), "--out", text(&out), "--host", host, "--publish"];
        ministry.ask("telecom-zhang", &made)
    };
    assert!(follow("", "A: b").starts_with("HTTP/1.1 404"), "nothing is published");
    let _node = ministry.node("wuhan-1");
    // A network is listed once its nodes have told their addresses.
    let heard = (0..LOOKS).any(|_| {
        std::thread::park_timeout(PAUSE);
        ministry.ask("edu-li", &["nodes", "--json"]).stdout.contains("192.0.2.7")
    });
    assert!(heard);
    let first = publish("lessons.example");
    assert!(first.code() == Some(0) && first.stdout.contains("published, record"), "{first:?}");
    let told = follow("", "A: b");
    for said in ["HTTP/1.1 200", "airclass-edition: 1\r", "192.0.2.7/32", "lessons.example"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let tag = told.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    for known in [follow("?since=1", "A: b"), follow("", &format!("If-None-Match: {tag}"))] {
        assert!(known.starts_with("HTTP/1.1 304"), "{known}");
    }
    // The next edition says what it changes; nobody publishes an older one, and not everybody may.
    let second = publish("tv.example");
    assert!(second.code() == Some(0), "{second:?}");
    let told = follow("?since=1", &format!("If-None-Match: {tag}"));
    for said in ["HTTP/1.1 200", "airclass-edition: 2\r", "tv.example", "keep_until"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    std::fs::remove_file(&out).unwrap();
    refused(&publish("lessons.example"), "CONTROL_REFUSED: ", "old_edition");
    let other = path("other.json");
    let list = ["zero-rating", "--key", text(&key), "--out", text(&other), "--publish"];
    refused(&ministry.ask("edu-li", &list), "CONTROL_REFUSED: ", "not_allowed");
}
