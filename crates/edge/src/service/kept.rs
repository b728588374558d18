//! The disk tier behind the whole journey. The clock is not paused: disks have threads of their own.

use super::tests::{Scene, field, fresh, local, read};
use super::*;
use crate::options::Options;
use crate::policy::CacheOptions;
use std::path::Path;
use testkit::upstream::Reply;
use units::ByteCount;

fn scene(disk: &Path, replies: impl IntoIterator<Item = Reply>) -> Scene {
    let options = Options {
        disk: Some(vec![disk.to_owned()]),
        disk_size: Some(vec![ByteCount::mib(64)]),
        cache: CacheOptions::default(),
        ..Options::default()
    };
    Scene::over(options, replies)
}

/// Ends a process as an order to stop does: fills end, and what they stored is written.
async fn stop(scene: Scene) {
    while Rc::strong_count(&scene.edge) > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_fetched_is_found_on_the_disk_after_a_restart_and_in_memory_after_that() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let before = scene(disk.path(), [fresh().header("x-a", "1").body("0123456789")]);
        before.load("/x").await;
        stop(before).await;
        let after = scene(disk.path(), []);
        let answer = after.ask("/x", &[("range", "bytes=2-4")]).await;
        assert_eq!((answer.status(), field(&answer, "x-a")), (StatusCode::PARTIAL_CONTENT, "1"));
        assert!(field(&answer, "cache-status").ends_with("detail=disk"), "{:?}", answer.headers());
        assert_eq!(read(answer.into_body()).await.unwrap(), "234");
        let answer = after.ask("/x", &[("if-none-match", "\"v1\"")]).await;
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
        assert!(!field(&answer, "cache-status").contains("disk"), "{:?}", answer.headers());
        assert_eq!(after.upstream.count(), 0);
        // A client that wants nothing but what is here gets what is on the disk, too.
        stop(after).await;
        let again = scene(disk.path(), []);
        let answer = again.ask("/x", &[("cache-control", "only-if-cached")]).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(
            again.ask("/y", &[("cache-control", "only-if-cached")]).await.status(),
            StatusCode::GATEWAY_TIMEOUT
        );
    })
    .await;
}

#[tokio::test]
async fn each_variant_is_found_by_those_that_asked_for_it() {
    let disk = tempfile::tempdir().unwrap();
    let reply = |body: &'static str| fresh().header("vary", "x-kind").body(body);
    local(async {
        let before = scene(disk.path(), [reply("one"), reply("two")]);
        for kind in ["1", "2"] {
            before.text("/x", &[("x-kind", kind)]).await;
        }
        stop(before).await;
        let after = scene(disk.path(), [reply("three")]);
        for (kind, body) in [("2", "two"), ("1", "one"), ("3", "three")] {
            assert_eq!(after.text("/x", &[("x-kind", kind)]).await, body);
        }
        assert_eq!(after.upstream.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_was_changed_is_gone_from_the_disk_too() {
    // RFC 9111 §4.4
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let before = scene(disk.path(), [fresh().body("old"), Reply::new(204)]);
        before.load("/x").await;
        let post = before.asked("POST", "/x", &[]);
        change(Rc::clone(&before.edge), post, None).await;
        stop(before).await;
        let after = scene(disk.path(), [fresh().body("new")]);
        assert_eq!(after.text("/x", &[]).await, "new");
        assert_eq!(after.upstream.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_stale_on_the_disk_is_asked_about_and_its_head_written_again() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let stale = Reply::new(200).header("cache-control", "max-age=0").header("etag", "\"e\"").body("body");
        let before = scene(disk.path(), [stale]);
        before.load("/x").await;
        stop(before).await;
        let renewed =
            Reply::new(304).header("cache-control", "max-age=60").header("etag", "\"e\"").header("x-a", "2");
        let asking = scene(disk.path(), [renewed]);
        assert_eq!(asking.text("/x", &[]).await, "body");
        assert_eq!(asking.upstream.questions()[0].headers["if-none-match"], "\"e\"");
        stop(asking).await;
        let after = scene(disk.path(), []);
        let answer = after.ask("/x", &[]).await;
        assert_eq!((answer.status(), field(&answer, "x-a")), (StatusCode::OK, "2"));
        assert_eq!(after.upstream.count(), 0);
    })
    .await;
}
