//! The disk tier behind the whole journey. The clock is not paused: disks have threads of their own.

mod away;
mod ordered;
mod passing;

use super::parts::leak;
use super::tests::{Scene, field, first_block, fresh, local, read};
use super::*;
use crate::options::Options;
use crate::policy::CacheOptions;
use ::purge::{Mode, What};
use bytes::Bytes;
use diskstore::{BLOCK, Pinned};
use http::StatusCode;
use std::path::Path;
use std::time::Duration;
use testkit::upstream::Reply;
use units::ByteCount;

fn scene(disk: &Path, replies: impl IntoIterator<Item = Reply>) -> Scene {
    over(&[disk], replies)
}

fn over(disks: &[&Path], replies: impl IntoIterator<Item = Reply>) -> Scene {
    let options = Options {
        disk: Some(disks.iter().map(|&disk| disk.to_owned()).collect()),
        disk_size: Some(vec![ByteCount::mib(64)]),
        cache: CacheOptions::default(),
        ..Options::default()
    };
    Scene::over(options, replies)
}

/// Until all fills have ended.
async fn settle(scene: &Scene) {
    while Rc::strong_count(&scene.edge) > 1 {
        tokio::task::yield_now().await;
    }
}

/// Ends a process as an order to stop does: fills end, and what they stored is written.
async fn stop(scene: Scene) {
    settle(&scene).await;
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

/// A body of three blocks, no two of whose bytes near each other are alike.
fn long_body() -> Vec<u8> {
    bytes(600_000)
}

fn bytes(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}

/// Has an edge keep `body` as `/x`, and damages it when that has ended.
async fn keep_damaged(disk: &Path, body: &Bytes) {
    let before = scene(disk, [fresh().body(body.clone()), fresh().body("behind it")]);
    before.load("/x").await;
    // The last record of all is looked at when the disk is opened.
    before.load("/y").await;
    stop(before).await;
    damage(disk);
}

/// Flips a bit in the second of three blocks on the disk.
fn damage(disk: &Path) {
    let path = disk.join("data");
    let mut data = std::fs::read(&path).unwrap();
    let body = long_body();
    let at = data.windows(2_000).position(|window| *window == body[..2_000]).unwrap();
    data[at + 300_000] ^= 1;
    std::fs::write(&path, data).unwrap();
}

/// RFC 9110 §15.3.7
#[tokio::test]
async fn what_follows_a_damaged_block_may_come_in_several_answers() {
    let body = Bytes::from(long_body());
    // The first of them fills a block, or it is not gone on with.
    for (within, mends) in [(2 * BLOCK + 1_000, true), (2 * BLOCK - 1, false)] {
        let disk = tempfile::tempdir().unwrap();
        local(async {
            keep_damaged(disk.path(), &body).await;
            let part = |range: std::ops::Range<usize>| {
                let says = leak(format!("bytes {}-{}/{}", range.start, range.end - 1, body.len()));
                let reply = Reply::new(206).header("etag", "\"v1\"").header("content-range", says);
                reply.body(body.slice(range))
            };
            let after = scene(disk.path(), [part(BLOCK..within), part(within..body.len())]);
            let got = read(after.ask("/x", &[]).await.into_body()).await;
            assert_eq!(got.ok(), mends.then(|| body.clone()));
            assert_eq!(after.upstream.count(), if mends { 2 } else { 1 });
        })
        .await;
    }
}

#[tokio::test]
async fn a_damaged_block_in_the_middle_is_fetched_with_what_follows_it() {
    let body = Bytes::from(long_body());
    let length = body.len();
    let plain: &[(&str, &str)] = &[];
    for (mends, client) in [
        (true, plain),
        (false, plain),
        // It is for all who read it, whoever is the first.
        (true, &[("authorization", "Bearer x")]),
        (true, &[("cookie", "a=b")]),
        (true, &[("cache-control", "no-store")]),
    ] {
        let disk = tempfile::tempdir().unwrap();
        local(async {
            keep_damaged(disk.path(), &body).await;
            let etag = if mends { "\"v1\"" } else { "\"v2\"" };
            let rest = Reply::new(206)
                .header("cache-control", "max-age=60")
                .header("etag", etag)
                .header("content-range", "bytes 262144-599999/600000");
            let after = scene(disk.path(), [rest.body(body.slice(BLOCK..))]);
            let got = read(after.ask("/x", client).await.into_body()).await;
            let asked = after.upstream.questions();
            assert_eq!(asked[0].headers["range"], format!("bytes={BLOCK}-{}", length - 1), "{client:?}");
            assert!(!asked[0].headers.contains_key("authorization"));
            assert_eq!(asked[0].headers["if-range"], "\"v1\"");
            if !mends {
                assert!(got.is_err(), "half of one and half of another");
                return;
            }
            assert_eq!(got.unwrap(), body);
            stop(after).await;
            let again = scene(disk.path(), []);
            assert_eq!(read(again.ask("/x", &[]).await.into_body()).await.unwrap(), body);
            assert_eq!(again.upstream.count(), 0, "it was written again");
        })
        .await;
    }
}

#[tokio::test]
async fn an_answer_to_head_about_what_was_there_leaves_what_has_come_since() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let old = Reply::new(200).header("cache-control", "no-cache").header("etag", "\"v0\"").body("old");
        let late = fresh().header("content-length", "3").after(Duration::from_millis(100));
        let before = Rc::new(scene(disk.path(), [old, late, fresh().body("new")]));
        before.load("/x").await;
        let asking = Rc::clone(&before);
        let head = tokio::task::spawn_local(async move { asking.ask_by("HEAD", "/x", &[]).await.status() });
        while before.upstream.count() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(before.text("/x", &[]).await, "new");
        assert_eq!(head.await.unwrap(), StatusCode::OK);
        stop(Rc::into_inner(before).unwrap()).await;
        let after = scene(disk.path(), []);
        assert_eq!(after.text("/x", &[]).await, "new");
        assert_eq!(after.upstream.count(), 0);
    })
    .await;
}

/// A 206 with one block of [`long_body`].
fn block_of(number: usize) -> Reply {
    let body = Bytes::from(long_body());
    let range = number * BLOCK..((number + 1) * BLOCK).min(body.len());
    let says = ["bytes 0-262143/600000", "bytes 262144-524287/600000", "bytes 524288-599999/600000"][number];
    let part = Reply::new(206).header("cache-control", "max-age=60").header("etag", "\"v1\"");
    part.header("content-range", says).body(body.slice(range))
}

#[tokio::test]
async fn blocks_that_were_fetched_alone_are_found_on_the_disk_and_completed() {
    let disk = tempfile::tempdir().unwrap();
    let body = long_body();
    let asks = async |scene: &Scene, range: &str| {
        let answer = scene.ask("/x", &[("range", range)]).await;
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        read(answer.into_body()).await.unwrap()
    };
    local(async {
        let before = scene(disk.path(), [block_of(1)]);
        assert_eq!(asks(&before, "bytes=300000-300009").await, body[300_000..300_010]);
        stop(before).await;
        let after = scene(disk.path(), [block_of(2), block_of(0)]);
        assert_eq!(asks(&after, "bytes=262144-262150").await, body[262_144..262_151]);
        assert_eq!(after.upstream.count(), 0);
        assert_eq!(asks(&after, "bytes=-4").await, body[599_996..]);
        assert_eq!(asks(&after, "bytes=0-3").await, body[..4]);
        let asked = after.upstream.questions();
        assert_eq!(asked.len(), 2);
        assert!(asked.iter().all(|asked| asked.headers["if-range"] == "\"v1\""));
        assert_eq!(read(after.ask("/x", &[]).await.into_body()).await.unwrap(), body);
        stop(after).await;
        let again = scene(disk.path(), []);
        assert_eq!(read(again.ask("/x", &[]).await.into_body()).await.unwrap(), body);
        assert_eq!(again.upstream.count(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_pinned_outlives_what_comes_after_it_also_over_a_restart() {
    let disk = tempfile::tempdir().unwrap();
    let until = crate::clock::Clock.now() + std::time::Duration::from_secs(3_600);
    let body = Bytes::from(vec![1; 1_500_000]);
    local(async {
        let before = scene(disk.path(), ["a", "b"].map(|name| fresh().body(name)));
        let key = |scene: &Scene, target: &str| key_of(&scene.edge, &scene.asked("GET", target, &[]));
        for target in ["/pinned", "/other"] {
            before.load(target).await;
        }
        let tier = before.edge.disk.clone().unwrap();
        assert_eq!(tier.pin(&key(&before, "/pinned"), until).await, Pinned::Kept);
        assert_eq!(tier.pin(&key(&before, "/lacking"), until).await, Pinned::NotThere);
        drop(tier);
        stop(before).await;
        // More than the disk holds.
        let passing = scene(disk.path(), (0..60).map(|_| fresh().body(body.clone())));
        for number in 0..60 {
            passing.load(&format!("/passing/{number}")).await;
            assert!(passing.edge.disk.as_ref().unwrap().is_settled().await);
        }
        stop(passing).await;
        let after = scene(disk.path(), [fresh().body("new")]);
        assert_eq!(after.text("/pinned", &[]).await, "a");
        assert_eq!(after.text("/other", &[]).await, "new");
        let tier = after.edge.disk.clone().unwrap();
        assert!(tier.unpin(&key(&after, "/pinned")));
    })
    .await;
}

#[tokio::test]
async fn a_representation_whose_disk_does_not_answer_is_looked_for_there_again() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let before = scene(disk.path(), [block_of(1)]);
        let answer = before.ask("/x", &[("range", "bytes=300000-300009")]).await;
        read(answer.into_body()).await.unwrap();
        stop(before).await;
        let after = scene(disk.path(), []);
        let answer = after.ask("/x", &[("range", "bytes=262144-262150")]).await;
        read(answer.into_body()).await.unwrap();
        let (tier, key) =
            (after.edge.disk.as_ref().unwrap(), key_of(&after.edge, &after.asked("GET", "/x", &[])));
        let (sparse, groups) = (after.edge.memory.sparse(&key).unwrap(), after.edge.upstream.groups());
        assert_eq!(tier.blocks(&sparse, &[1], groups).await.len(), 1);
        assert_eq!(tier.blocks(&sparse, &[1, 2], groups).await.len(), 1);
        assert!(sparse.is_kept(1));
        // No more than one that is slow or busy does it say what lies on it.
        tier.let_go();
        assert!(tier.blocks(&sparse, &[1], groups).await.is_empty());
        assert!(sparse.is_kept(1));
        // One that says that nothing lies there is believed.
        let other = tempfile::tempdir().unwrap();
        let emptied = scene(other.path(), []);
        assert!(emptied.edge.disk.as_ref().unwrap().blocks(&sparse, &[1], groups).await.is_empty());
        assert!(!sparse.is_kept(1));
    })
    .await;
}

#[tokio::test]
async fn what_lies_on_the_disk_by_chance_is_not_kept_for_the_plan() {
    let disk = tempfile::tempdir().unwrap();
    let until = crate::clock::Clock.now() + std::time::Duration::from_secs(3_600);
    local(async {
        let scene = scene(disk.path(), ["a", "b"].map(|name| fresh().body(name)));
        let tier = scene.edge.disk.clone().unwrap();
        let key = key_of(&scene.edge, &scene.asked("GET", "/x", &[]));
        for _ in 0..2 {
            scene.load("/x").await;
            settle(&scene).await;
            assert!(tier.is_settled().await && tier.may_hold(&key));
            assert!(!scene.edge.keeps(&key), "whoever asked for it, nobody has proved or pinned it");
            assert_eq!(tier.pin(&key, until).await, Pinned::Kept);
            assert!(scene.edge.keeps(&key));
            // Taken away, it comes again for somebody who asks.
            scene.edge.remove(&key);
            assert!(!scene.edge.keeps(&key));
        }
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
async fn what_was_found_before_a_change_is_not_what_is_loaded_after_it() {
    // RFC 9111 §4.4
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let before = scene(disk.path(), [fresh().body("old")]);
        before.load("/x").await;
        stop(before).await;
        let after = scene(disk.path(), [Reply::new(204)]);
        let (tier, key) =
            (after.edge.disk.clone().unwrap(), key_of(&after.edge, &after.asked("GET", "/x", &[])));
        let load = async || tier.load(&key, after.edge.upstream.groups()).await.unwrap();
        let found = load().await;
        assert!(found.is_current());
        // An order that it was not held against may be about it.
        tier.order(What::Prefix("http://b/".parse().unwrap()), Mode::Soft);
        assert!(!found.is_current());
        let found = load().await;
        assert!(found.is_current());
        change(Rc::clone(&after.edge), after.asked("POST", "/x", &[]), None).await;
        assert!(tier.is_settled().await);
        assert!(!found.is_current());
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

#[tokio::test]
async fn what_is_stale_on_the_disk_needs_no_place_in_memory_to_be_asked_about() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let stale = || Reply::new(200).header("cache-control", "max-age=0").header("etag", "\"e\"");
        let varied = stale().header("vary", "x-band").body("varied");
        let before = scene(disk.path(), [stale().body("whole"), first_block("max-age=0"), varied]);
        let wanted = [
            ("/whole", &[][..], &b"whole"[..]),
            ("/blocks", &[("range", "bytes=0-9")], &[b'x'; 10]),
            ("/varied", &[("x-band", "1")], b"varied"),
        ];
        for (target, fields, body) in wanted {
            assert_eq!(read(before.ask(target, fields).await.into_body()).await.unwrap(), body);
        }
        stop(before).await;
        let scene = scene(disk.path(), wanted.map(|_| Reply::new(304)));
        // As memory does that is full of what is asked for more often: on any core, between any two steps of this one.
        let memory = scene.edge.memory.clone();
        let keys = wanted.map(|(target, ..)| key_of(&scene.edge, &scene.asked("GET", target, &[])));
        let letting_go = tokio::task::spawn_local(std::future::poll_fn(move |cx| {
            keys.iter().for_each(|key| memory.remove(key));
            cx.waker().wake_by_ref();
            std::task::Poll::<()>::Pending
        }));
        for status in ["fwd-status=304", "stale-on-error"] {
            for (target, fields, body) in wanted {
                let answer = scene.ask(target, fields).await;
                assert!(field(&answer, "cache-status").contains(status), "{target} {:?}", answer.headers());
                assert_eq!(read(answer.into_body()).await.unwrap(), body, "{target}");
            }
            scene.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
        }
        let is_asked =
            |question: &testkit::upstream::Question| question.headers.contains_key("if-none-match");
        assert!(scene.upstream.questions()[..wanted.len()].iter().all(is_asked));
        letting_go.abort();
    })
    .await;
}
