//! Answers whose fields are ready to be sent say what all others say.

use super::parts::bytes_at;
use super::tests::*;
use super::*;
use http::{HeaderMap, HeaderValue};
use testkit::upstream::Reply;

/// All that is said to this question, and whether it came ready; `takes`: where that may be.
async fn said(scene: &Scene, fields: &[(&str, &str)], takes: bool) -> (HeaderMap, bool) {
    let mut asked = scene.asked("GET", "/x", fields);
    asked.takes_ready = takes;
    let answer = scene.answer(asked).await;
    let (mut headers, ready) = (answer.headers().clone(), answer.body().ready());
    if let Some(ready) = ready {
        headers.extend(ready.to_map());
        // The connection says it.
        let length = http_body::Body::size_hint(answer.body()).exact().unwrap();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    (headers, ready.is_some())
}

fn usual() -> Reply {
    fresh()
        .header("content-type", "video/mp4")
        .header("vary", "accept-encoding")
        .header("x-a", "1")
        .header("x-a", "2")
        .body(bytes_at(0..1_000))
}

#[tokio::test(start_paused = true)]
async fn what_comes_ready_says_all_that_others_say() {
    let part: &[(&str, &str)] = &[("range", "bytes=5-99")];
    for (what, reply, fields, comes_ready) in [
        ("a whole", usual(), &[][..], true),
        ("a part", usual(), part, true),
        ("behind a parent", usual().header("cache-status", "parent; hit"), part, true),
        ("a parent's number", usual().header("airclass-trace", "0123456789abcdef"), &[], true),
        ("labels", usual().header("surrogate-key", "a b").header("cache-tag", "c"), &[], true),
        ("its age before", usual().header("age", "7"), &[], true),
        ("not found", Reply::new(404).header("cache-control", "max-age=60").body("no"), &[], false),
        ("nothing new", usual(), &[("if-none-match", "\"v1\"")], false),
        ("beyond its end", usual(), &[("range", "bytes=5000-")], false),
        ("a digest is wanted", usual(), &[("want-repr-digest", "sha-256=1")], false),
        ("a digest of all bytes", usual().header("content-digest", "sha-256=:AA==:"), part, false),
        ("another way", usual().header("alt-svc", "h3=\":443\""), &[], false),
    ] {
        local(async {
            let scene = Scene::new([reply]);
            scene.load("/x").await;
            tokio::time::advance(SECOND * 3).await;
            let ready = said(&scene, fields, true).await;
            let (others, _) = said(&scene, fields, false).await;
            assert_eq!(ready, (others, comes_ready), "{what}");
            assert_eq!(scene.upstream.count(), 1, "{what}");
        })
        .await;
    }
}
