//! Parts of responses through the whole edge: RFC 9110 §14, §15.3.7, RFC 9111 §3.3, §3.4.

use super::tests::*;
use crate::edge::Shared;
use crate::options::{Config, Options};
use crate::store::BLOCK_SIZE;
use crate::upstream::{Dial, GroupOptions, ServerOptions};
use bytes::Bytes;
use http::StatusCode;
use std::rc::Rc;
use telemetry::Telemetry;
use testkit::upstream::{Reply, Upstream};
use units::ByteCount;

pub(super) const BLOCK: usize = BLOCK_SIZE as usize;

/// The byte at each place of every representation here.
pub(super) fn bytes_at(range: std::ops::Range<usize>) -> Bytes {
    range.map(|at| u8::try_from(at % 251).unwrap()).collect()
}

pub(super) fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A 206 with the bytes `range` of `length`.
fn part_of(range: std::ops::Range<usize>, length: usize, etag: &'static str) -> Reply {
    part_head(&range, length).header("etag", etag).body(bytes_at(range))
}

fn part_head(range: &std::ops::Range<usize>, length: usize) -> Reply {
    Reply::new(206)
        .header("cache-control", "max-age=60")
        .header("content-range", leak(format!("bytes {}-{}/{length}", range.start, range.end - 1)))
}

impl Scene {
    /// Memory gives up a block of it, which nobody has found out.
    fn evict_block(&self, target: &str, index: u64) {
        let key = super::key_of(&self.edge, &self.asked("GET", target, &[]));
        let sparse = self.edge.memory.sparse(&key).expect("in blocks");
        self.edge.memory.remove(&sparse.block_key(index));
    }
}

pub(super) async fn asks(scene: &Scene, range: &str) -> (u16, String, Result<Bytes, ()>) {
    let answer = scene.ask("/x", &[("range", range)]).await;
    let (status, says) = (answer.status().as_u16(), field(&answer, "content-range").to_owned());
    (status, says, read(answer.into_body()).await)
}

pub(super) fn asked_ranges(scene: &Scene) -> Vec<String> {
    let questions = scene.upstream.questions();
    questions
        .iter()
        .map(|asked| asked.headers.get("range").map_or("", |range| range.to_str().unwrap()).to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn attack_53_a_byte_of_a_gigabyte_costs_the_origin_one_block() {
    local(async {
        let length = 1 << 30;
        let scene = Scene::new([part_of(0..BLOCK, length, "\"a\"")]);
        for (range, says, bytes) in [
            ("bytes=0-0", "bytes 0-0/1073741824", 0..1),
            ("bytes=0-0", "bytes 0-0/1073741824", 0..1),
            ("bytes=100-199", "bytes 100-199/1073741824", 100..200),
        ] {
            assert_eq!(asks(&scene, range).await, (206, says.to_owned(), Ok(bytes_at(bytes))));
        }
        assert_eq!(asked_ranges(&scene), ["bytes=0-262143"]);
        assert_eq!(scene.edge.metrics.fill_bytes.get(), BLOCK_SIZE);
        let answer = scene.ask("/x", &[("range", "bytes=0-0")]).await;
        assert!(field(&answer, "cache-status").starts_with("airclass; hit"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_may_have_nothing_fetched_for_everybody_is_not_cut_where_blocks_are_missing() {
    local(async {
        let (length, own) = (4 * BLOCK, [("authorization", "Bearer x"), ("cache-control", "no-store")]);
        let (first, second) = (0..BLOCK, BLOCK..2 * BLOCK);
        for client in own {
            // Its question finds that the head still holds, and another block is missing.
            let scene = Scene::new([
                part_of(first.clone(), length, "\"a\""),
                Reply::new(304).header("cache-control", "max-age=60"),
                part_of(300_000..300_010, length, "\"a\""),
            ]);
            asks(&scene, "bytes=0-9").await.2.unwrap();
            tokio::time::sleep(61 * SECOND).await;
            let answer = scene.ask("/x", &[("range", "bytes=300000-300009"), client]).await;
            assert_eq!(read(answer.into_body()).await, Ok(bytes_at(300_000..300_010)), "{client:?}");
            // Its block was there and is not any more, which nobody has found out.
            let scene = Scene::new([
                part_of(first.clone(), length, "\"a\""),
                part_of(second.clone(), length, "\"a\""),
                part_of(300_000..300_010, length, "\"a\""),
            ]);
            asks(&scene, "bytes=0-9").await.2.unwrap();
            asks(&scene, "bytes=300000-300009").await.2.unwrap();
            scene.evict_block("/x", 1);
            let answer = scene.ask("/x", &[("range", "bytes=300000-300009"), client]).await;
            assert_eq!(read(answer.into_body()).await, Ok(bytes_at(300_000..300_010)), "{client:?}");
            // Both at once.
            let scene = Scene::new([
                part_of(first.clone(), length, "\"a\""),
                part_of(second.clone(), length, "\"a\""),
                Reply::new(304).header("cache-control", "max-age=60"),
                part_of(300_000..300_010, length, "\"a\""),
            ]);
            asks(&scene, "bytes=0-9").await.2.unwrap();
            asks(&scene, "bytes=300000-300009").await.2.unwrap();
            scene.evict_block("/x", 1);
            tokio::time::sleep(61 * SECOND).await;
            let answer = scene.ask("/x", &[("range", "bytes=300000-300009"), client]).await;
            assert_eq!(read(answer.into_body()).await, Ok(bytes_at(300_000..300_010)), "{client:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_wants_only_what_is_here_has_no_block_fetched_that_was_evicted() {
    // RFC 9111 §5.2.1.7
    local(async {
        let scene =
            Scene::new([part_of(0..BLOCK, 4 * BLOCK, "\"a\""), part_of(0..BLOCK, 4 * BLOCK, "\"a\"")]);
        asks(&scene, "bytes=0-9").await.2.unwrap();
        scene.evict_block("/x", 0);
        let answer = scene.ask("/x", &[("range", "bytes=0-9"), ("cache-control", "only-if-cached")]).await;
        assert_eq!((answer.status(), scene.upstream.count()), (StatusCode::GATEWAY_TIMEOUT, 1));
        // For everybody else it comes again.
        assert_eq!(asks(&scene, "bytes=0-9").await.2, Ok(bytes_at(0..10)));
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_asked_for_once_and_what_is_there_is_not() {
    local(async {
        let length = 10 * BLOCK;
        let scene = Rc::new(Scene::new([
            part_of(BLOCK..2 * BLOCK, length, "\"a\"").after(SECOND),
            part_of(2 * BLOCK..4 * BLOCK, length, "\"a\"").after(SECOND),
            part_of(0..BLOCK, length, "\"a\"").after(SECOND),
        ]));
        let ask = |range: &'static str| {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move { asks(&scene, range).await.2 })
        };
        // Blocks 1 to 3, by many at once; the head comes with block 1, the rest behind it.
        let clients: Vec<_> = (0..20).map(|_| ask("bytes=300000-300009")).collect();
        for client in clients {
            assert_eq!(client.await.unwrap(), Ok(bytes_at(300_000..300_010)));
        }
        let clients: Vec<_> = (0..20).map(|_| ask("bytes=500000-900000")).collect();
        for client in clients {
            assert_eq!(client.await.unwrap(), Ok(bytes_at(500_000..900_001)));
        }
        assert_eq!(asks(&scene, "bytes=0-600000").await.2, Ok(bytes_at(0..600_001)));
        assert_eq!(asked_ranges(&scene), ["bytes=262144-524287", "bytes=524288-1048575", "bytes=0-262143"]);
        assert_eq!(scene.upstream.questions()[1].headers["if-range"], "\"a\"");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_part_is_completed_to_the_whole_and_becomes_it() {
    // RFC 9111 §3.4
    local(async {
        let length = 2 * BLOCK + 100;
        let scene = Scene::new([part_of(0..BLOCK, length, "\"a\""), part_of(BLOCK..length, length, "\"a\"")]);
        asks(&scene, "bytes=5-5").await.2.unwrap();
        let answer = scene.ask("/x", &[]).await;
        assert_eq!((answer.status(), field(&answer, "content-length")), (StatusCode::OK, "524388"));
        assert_eq!(field(&answer, "content-range"), "");
        assert_eq!(field(&answer, "cache-status"), "airclass; fwd=partial; stored; ttl=60");
        assert_eq!(read(answer.into_body()).await, Ok(bytes_at(0..length)));
        assert_eq!(asked_ranges(&scene)[1], format!("bytes=262144-{}", length - 1));
        let answer = scene.ask("/x", &[]).await;
        assert_eq!(field(&answer, "cache-status"), "airclass; hit; ttl=60");
        assert_eq!(read(answer.into_body()).await, Ok(bytes_at(0..length)));
        assert_eq!(asks(&scene, "bytes=-7").await.2, Ok(bytes_at(length - 7..length)));
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_answers_with_less_is_asked_for_the_rest() {
    // RFC 9110 §15.3.7
    local(async {
        let length = 5 * BLOCK + 100;
        let part = |range| part_of(range, length, "\"a\"");
        let within = 2 * BLOCK + 1_000;
        let scene = Scene::new([
            part(0..BLOCK),
            part(BLOCK..within),
            part(within..4 * BLOCK),
            part(4 * BLOCK..length),
            // Less than a block of two is not gone on with.
            part(0..BLOCK),
            part(BLOCK..2 * BLOCK - 1),
        ]);
        asks(&scene, "bytes=0-9").await.2.unwrap();
        assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await, Ok(bytes_at(0..length)));
        let last = length - 1;
        let asked = [262_144, within, 4 * BLOCK].map(|from| format!("bytes={from}-{last}"));
        assert_eq!(asked_ranges(&scene)[1..], asked);
        assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await, Ok(bytes_at(0..length)));
        assert_eq!(scene.upstream.count(), 4);
        scene.ask("/y", &[("range", "bytes=0-9")]).await;
        assert_eq!(read(scene.ask("/y", &[]).await.into_body()).await, Err(()));
        assert_eq!(scene.upstream.count(), 6);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_50_parts_of_two_representations_are_never_put_together() {
    // RFC 9110 §15.3.7.3
    local(async {
        let length = 2 * BLOCK;
        let first = || part_of(0..BLOCK, length, "\"a\"");
        for changed in [
            part_of(BLOCK..length, length, "\"b\""),
            part_of(BLOCK..length, length + 1, "\"a\""),
            part_of(BLOCK + 1..length, length, "\"a\""),
            part_of(BLOCK..length, length, "W/\"a\""),
            fresh().body(bytes_at(0..length)),
            Reply::new(404),
        ] {
            let scene = Scene::new([first(), changed, fresh().body("new")]);
            assert!(asks(&scene, "bytes=0-9").await.2.is_ok());
            assert_eq!(asks(&scene, "bytes=262100-262200").await.2, Err(()));
            // Nothing of the old one is left.
            assert_eq!(scene.text("/x", &[]).await, "new");
        }
        // A failing origin says nothing of what is held.
        let scene = Scene::new([first(), Reply::new(503), Reply::new(503)]);
        assert!(asks(&scene, "bytes=0-9").await.2.is_ok());
        assert_eq!(asks(&scene, "bytes=262144-262144").await.0, 503);
        assert!(asks(&scene, "bytes=0-9").await.2.is_ok());
        // Where nothing has been sent yet, the upstream answers for itself.
        let scene =
            Scene::new([first(), part_of(BLOCK..length, length, "\"b\""), Reply::new(206).body("new")]);
        assert!(asks(&scene, "bytes=0-9").await.2.is_ok());
        assert_eq!(asks(&scene, "bytes=262144-262146").await.2, Ok(Bytes::from("new")));
        assert_eq!(asked_ranges(&scene), ["bytes=0-262143", "bytes=262144-524287", "bytes=262144-262146"]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_49_a_block_that_breaks_off_is_an_error_and_not_kept() {
    local(async {
        let length = 4 * BLOCK;
        let cut = || {
            part_head(&(0..BLOCK), length)
                .header("etag", "\"a\"")
                .header("content-length", "262144")
                .data(bytes_at(0..1_000))
                .pause(SECOND)
                .cut()
        };
        // The rest is asked for, and refused.
        let scene = Scene::new([cut(), Reply::new(503), part_of(0..BLOCK, length, "\"a\"")]);
        assert_eq!(asks(&scene, "bytes=900-1100").await.2, Err(()));
        assert_eq!(asks(&scene, "bytes=900-1100").await.2, Ok(bytes_at(900..1_101)));
        assert_eq!(scene.upstream.questions()[1].headers["range"], "bytes=1000-262143");
        assert_eq!(scene.upstream.count(), 3);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_origin_may_send_the_whole_and_a_small_one_is_the_whole() {
    local(async {
        for reply in
            [fresh().body(bytes_at(0..10)), part_of(0..10, 10, "\"a\""), part_of(0..10, 10, "W/\"a\"")]
        {
            let scene = Scene::new([reply]);
            assert_eq!(asks(&scene, "bytes=3-6").await, (206, "bytes 3-6/10".to_owned(), Ok(bytes_at(3..7))));
            assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await, Ok(bytes_at(0..10)));
            assert_eq!(scene.upstream.count(), 1);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_part_without_a_strong_validator_serves_its_own_parts_and_no_others() {
    // RFC 9111 §3.3
    local(async {
        let tail = part_head(&(50..100), 100).body(bytes_at(50..100));
        let scene = Scene::new([tail, fresh().body(bytes_at(0..100))]);
        for (range, bytes) in [
            ("bytes=-50", 50..100),
            ("bytes=-1", 99..100),
            ("bytes=60-69", 60..70),
            ("bytes=60-", 60..100),
            ("bytes=60-1000", 60..100),
        ] {
            assert_eq!(asks(&scene, range).await.2, Ok(bytes_at(bytes)), "{range}");
        }
        assert_eq!(asked_ranges(&scene), ["bytes=-50"]);
        let status = scene.ask("/x", &[]).await;
        assert!(field(&status, "cache-status").starts_with("airclass; fwd=partial"));
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attacks_56_and_57_what_is_beyond_the_end_is_said_by_the_origin_and_not_kept() {
    // RFC 9110 §15.5.17
    local(async {
        for range in ["bytes=18446744073709551615-", "bytes=-0", "bytes=99999999999999999999-"] {
            let beyond = || {
                Reply::new(416).header("content-range", "bytes */10").header("cache-control", "max-age=60")
            };
            let scene = Scene::new([beyond(), fresh().body(bytes_at(0..10))]);
            assert_eq!(asks(&scene, range).await, (416, "bytes */10".to_owned(), Ok(Bytes::new())));
            assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await, Ok(bytes_at(0..10)));
            assert_eq!(asks(&scene, range).await, (416, "bytes */10".to_owned(), Ok(Bytes::new())));
            assert_eq!(scene.upstream.count(), 2);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_58_if_range_of_another_representation_gets_the_whole() {
    // RFC 9110 §13.1.5
    local(async {
        let length = BLOCK + 10;
        let scene = Scene::new([part_of(0..BLOCK, length, "\"a\""), part_of(BLOCK..length, length, "\"a\"")]);
        let same = scene.ask("/x", &[("range", "bytes=0-3"), ("if-range", "\"a\"")]).await;
        assert_eq!(same.status(), StatusCode::PARTIAL_CONTENT);
        let other = scene.ask("/x", &[("range", "bytes=0-3"), ("if-range", "\"b\"")]).await;
        assert_eq!(other.status(), StatusCode::OK);
        assert_eq!(read(other.into_body()).await, Ok(bytes_at(0..length)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_larger_than_its_share_is_served_by_blocks() {
    local(async {
        let length = 24 * BLOCK;
        let head =
            || fresh().header("accept-ranges", "bytes").header("content-length", leak(length.to_string()));
        let options = Options { ram: Some(ByteCount::mib(16)), ..Options::default() };
        let scene = Rc::new(Scene::over(
            options,
            [head().data(bytes_at(0..length)), part_of(16 * BLOCK..length, length, "\"v1\"")],
        ));
        // 6 MiB where an object may take 2.
        let clients = [scene.start("/x"), scene.start("/x"), scene.start("/x")];
        for client in clients {
            let (status, body) = client.await.unwrap();
            assert!(status == StatusCode::OK && body == Ok(bytes_at(0..length)));
        }
        assert_eq!(asked_ranges(&scene), ["", "bytes=4194304-6291455"]);
        assert_eq!(asks(&scene, "bytes=5000000-5000009").await.2, Ok(bytes_at(5_000_000..5_000_010)));
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_ignores_ranges_may_say_that_it_has_them() {
    // RFC 9110 §14.2
    local(async {
        let length = 40 * BLOCK;
        let whole = || {
            let reply = fresh().header("accept-ranges", "bytes");
            reply.header("content-length", leak(length.to_string())).data(bytes_at(0..length))
        };
        let options = Options { ram: Some(ByteCount::mib(16)), ..Options::default() };
        let scene = Scene::over(options, [whole(), whole(), whole(), whole(), whole()]);
        assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await, Ok(bytes_at(0..length)));
        assert_eq!(asked_ranges(&scene), ["", "bytes=4194304-8388607", "bytes=8388608-10485759"]);
        // Now it is known.
        assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await, Ok(bytes_at(0..length)));
        assert_eq!(scene.upstream.count(), 4);
        // One that would be a part of what changed is none.
        let other = Reply::new(200).header("etag", "\"v1\"").body(bytes_at(0..length - 1));
        let scene = Scene::new([part_of(0..BLOCK, length, "\"v1\""), other]);
        assert!(asks(&scene, "bytes=0-9").await.2.is_ok());
        assert_eq!(asks(&scene, "bytes=262100-262200").await.2, Err(()));
    })
    .await;
}

/// All before a byte was fetched and left out to come to it, up to 64 MiB for each block.
#[tokio::test(start_paused = true)]
async fn attack_53_a_byte_of_an_origin_that_begins_to_ignore_ranges_costs_it_two_blocks() {
    local(async {
        const LENGTH: usize = 10 * BLOCK;
        const FRAME: usize = 65_536;
        let options = Options { ram: Some(ByteCount::mib(64)), ..Options::default() };
        // A new one each time, known in blocks; or the same again and again, until it is worth having.
        for (targets, at) in [(1, 3), (4, 3), (4, 9)] {
            let scene = Scene::over(options.clone(), []);
            scene.upstream.follow(|question| {
                let asked = question.headers.get("range").map(|range| range.to_str().unwrap());
                if asked.is_some_and(|range| range.starts_with("bytes=0-")) {
                    return part_of(0..BLOCK, LENGTH, "\"v1\"");
                }
                let whole = fresh().header("accept-ranges", "bytes");
                let whole = whole.header("content-length", leak(LENGTH.to_string()));
                let frames = (0..LENGTH).step_by(FRAME).map(|at| bytes_at(at..at + FRAME));
                frames.fold(whole, |whole, frame| whole.data(frame))
            });
            let byte = format!("bytes={0}-{0}", at * BLOCK + 1);
            for target in (0..targets).map(|number| format!("/{number}")) {
                let first = scene.ask(&target, &[("range", "bytes=0-0")]).await;
                assert_eq!(read(first.into_body()).await, Ok(bytes_at(0..1)));
            }
            let before = scene.edge.metrics.fill_bytes.get();
            let mut taken = 0;
            for ask in 0..16 {
                let target = format!("/{}", ask % targets);
                let answer = scene.ask(&target, &[("range", &byte)]).await;
                let expected = match answer.status() {
                    StatusCode::PARTIAL_CONTENT => at * BLOCK + 1..at * BLOCK + 2,
                    _ => 0..LENGTH,
                };
                assert_eq!(read(answer.into_body()).await, Ok(bytes_at(expected.clone())), "{targets} {at}");
                taken += expected.len() as u64;
                let cost = scene.edge.metrics.fill_bytes.get() - before;
                assert!(cost <= taken + 2 * (ask + 1) * BLOCK_SIZE, "{targets} {at}: {cost} for {taken}");
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_or_leaves_costs_a_run_and_no_more() {
    local(async {
        let length = 400 * BLOCK;
        let scene = Scene::new([
            part_of(0..16 * BLOCK, length, "\"a\""),
            part_of(16 * BLOCK..32 * BLOCK, length, "\"a\""),
            part_of(32 * BLOCK..48 * BLOCK, length, "\"a\""),
        ]);
        let mut body = scene.ask("/x", &[("range", "bytes=1-")]).await.into_body();
        let first = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
        tokio::time::sleep(60 * SECOND).await;
        assert_eq!(first.into_data().unwrap()[0], 1);
        drop(body);
        tokio::time::sleep(60 * SECOND).await;
        assert_eq!(scene.upstream.count(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn blocks_that_memory_does_not_take_are_not_fetched_in_runs() {
    local(async {
        let options = Options { ram: Some(ByteCount::mib(32)), ..Options::default() };
        // Nearly a block each, so that no room is left for one.
        let popular = bytes_at(0..255_000);
        let scene = Scene::over(options, (0..1_000).map(|_| fresh().body(popular.clone())));
        for _ in 0..4 {
            for n in 0..140 {
                scene.load(&format!("/{n}")).await;
            }
            scene.edge.memory.tend();
        }
        scene.upstream.follow(|question| {
            let range = question.headers["range"].to_str().unwrap().trim_start_matches("bytes=");
            let (first, last) = range.split_once('-').unwrap();
            part_of(first.parse().unwrap()..last.parse::<usize>().unwrap() + 1, 40 * BLOCK, "\"a\"")
        });
        let before = scene.edge.metrics.fill_bytes.get();
        let mut body = scene.ask("/x", &[("range", "bytes=1-")]).await.into_body();
        let mut read = 0;
        while let Some(frame) = http_body_util::BodyExt::frame(&mut body).await {
            read += frame.unwrap().into_data().unwrap().len();
            tokio::time::sleep(SECOND).await;
            scene.edge.memory.tend();
        }
        assert_eq!(read, 40 * BLOCK - 1);
        // Beside what it reads: the run that comes with the head, and the first of its own.
        let fetched = scene.edge.metrics.fill_bytes.get() - before;
        assert!(fetched <= (40 + 2 * 16) * BLOCK_SIZE, "{} blocks", fetched / BLOCK_SIZE);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_with_an_older_one_neither_breaks_a_body_nor_takes_its_blocks() {
    local(async {
        let length = 3 * BLOCK;
        let server = |url: &str| ServerOptions { url: url.to_owned(), ..ServerOptions::default() };
        let group = GroupOptions {
            name: "lessons".to_owned(),
            tiers: vec![vec![server("http://origin")]],
            peers: vec![server("http://peer")],
            ..GroupOptions::default()
        };
        for older in [
            part_of(BLOCK..length, length, "\"old\""),
            fresh().body(bytes_at(0..length + 1)),
            part_of(BLOCK..length, length + 1, "\"a\""),
        ] {
            let options = Options { group: Some(vec![group.clone()]), ..Options::default() };
            let upstream =
                Upstream::new([part_of(0..BLOCK, length, "\"a\""), part_of(BLOCK..length, length, "\"a\"")]);
            let peer = Upstream::new([Reply::new(504), older]);
            let servers = [Rc::clone(&upstream), Rc::clone(&peer)];
            let shared = Shared::new(Config::resolve(&options).unwrap(), &Telemetry::new("test"));
            let edge = Rc::new(shared.dialling(Dial::Each(Rc::new(servers))));
            let scene = Scene { edge, upstream };
            assert_eq!(asks(&scene, "bytes=0-9").await.2, Ok(bytes_at(0..10)));
            assert_eq!(asks(&scene, "bytes=0-600000").await.2, Ok(bytes_at(0..600_001)));
            assert_eq!(asks(&scene, "bytes=0-9").await.2, Ok(bytes_at(0..10)));
            assert_eq!((scene.upstream.count(), peer.count()), (2, 2));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn blocks_are_asked_about_when_they_are_stale() {
    local(async {
        let length = 8 * BLOCK;
        for (answer, body) in [
            (Reply::new(304).header("cache-control", "max-age=60"), bytes_at(0..10)),
            (part_of(0..BLOCK, length, "\"b\""), bytes_at(0..10)),
        ] {
            let scene = Scene::new([part_of(0..BLOCK, length, "\"a\""), answer]);
            asks(&scene, "bytes=0-9").await.2.unwrap();
            tokio::time::sleep(61 * SECOND).await;
            for _ in 0..2 {
                assert_eq!(asks(&scene, "bytes=0-9").await.2, Ok(body.clone()));
            }
            let questions = scene.upstream.questions();
            assert_eq!(questions.len(), 2);
            let asked = &questions[1].headers;
            assert_eq!(
                (&asked["if-none-match"], &asked["range"]),
                (&"\"a\"".parse().unwrap(), &"bytes=0-262143".parse().unwrap())
            );
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn stale_blocks_stand_in_for_a_dead_origin_and_missing_ones_do_not() {
    // RFC 5861 §4
    local(async {
        let scene = Scene::new([part_of(0..BLOCK, 8 * BLOCK, "\"a\"")]);
        asks(&scene, "bytes=0-9").await.2.unwrap();
        scene.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
        tokio::time::sleep(61 * SECOND).await;
        assert_eq!(asks(&scene, "bytes=0-9").await.2, Ok(bytes_at(0..10)));
        for range in ["bytes=300000-300009", "bytes=262143-262144"] {
            assert_eq!(asks(&scene, range).await.0, 504, "{range}");
        }
        assert_eq!(scene.ask("/x", &[]).await.status(), StatusCode::GATEWAY_TIMEOUT);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_54_many_ranges_are_answered_with_one_body_at_most() {
    local(async {
        let scene = Scene::new([fresh().body(bytes_at(0..1_000))]);
        let many = format!("bytes={}", vec!["0-"; 1_000].join(","));
        for (range, status, length) in
            [(many.as_str(), 200, 1_000), ("bytes=0-9,900-909", 200, 1_000), ("bytes=0-9,5-19", 206, 20)]
        {
            let (said, _, body) = asks(&scene, range).await;
            assert_eq!((said, body.map(|body| body.len())), (status, Ok(length)), "{range:.40}");
        }
        assert_eq!(asked_ranges(&scene), [""]);
    })
    .await;
}

/// `upstream_rate` bounds questions, not the pieces of what was begun.
#[tokio::test(start_paused = true)]
async fn what_has_begun_goes_on_however_many_ask() {
    local(async {
        let scene = Scene::over(Options { upstream_rate: Some(1), ..Options::default() }, []);
        scene.upstream.follow(|question| {
            let range = question.headers["range"].to_str().unwrap().trim_start_matches("bytes=");
            let (first, last) = range.split_once('-').unwrap();
            let end = (last.parse::<usize>().unwrap() + 1).min(40 * BLOCK);
            part_of(first.parse().unwrap()..end, 40 * BLOCK, "\"a\"")
        });
        let answer = scene.ask("/x", &[("range", "bytes=1-")]).await;
        assert_eq!(read(answer.into_body()).await.unwrap().len(), 40 * BLOCK - 1);
        let asked = scene.upstream.count();
        assert!(asked > 2, "{asked}");
        assert_eq!(scene.ask("/y", &[("range", "bytes=1-")]).await.status(), 503);
        assert_eq!(scene.upstream.count(), asked);
    })
    .await;
}

/// Also where the first answer of a run brings a block and no more.
#[tokio::test(start_paused = true)]
async fn what_comes_block_by_block_goes_on_however_many_ask() {
    local(async {
        let length = 5 * BLOCK;
        let part = |n: usize| {
            let range = n * BLOCK..(n + 1) * BLOCK;
            let halves = (range.start..range.start + 9, range.start + 9..range.end);
            let head = part_head(&range, length).header("etag", "\"a\"");
            head.data(bytes_at(halves.0)).pause(SECOND / 10).data(bytes_at(halves.1))
        };
        let scene = Scene::over(Options { upstream_rate: Some(1), ..Options::default() }, (0..5).map(part));
        asks(&scene, "bytes=0-9").await.2.unwrap();
        tokio::time::sleep(SECOND).await;
        assert_eq!(asks(&scene, "bytes=262144-").await.2, Ok(bytes_at(BLOCK..length)));
        assert_eq!(scene.upstream.count(), 5);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_and_came_to_one_is_kept_for_nobody() {
    // RFC 9111 §3, §3.5, §5.2.1.5, §5.2.2.7
    local(async {
        let length = 4 * BLOCK;
        let (second, range) = (BLOCK..2 * BLOCK, ("range", "bytes=300000-300009"));
        let own = |control: &'static str| {
            let part = Reply::new(206).header("cache-control", control).header("etag", "\"a\"");
            let says = leak(format!("bytes {}-{}/{length}", second.start, second.end - 1));
            part.header("content-range", says).body(bytes_at(second.clone()))
        };
        for (client, control) in [
            (("authorization", "Bearer alice"), "max-age=60"),
            (("authorization", "Bearer alice"), "private, max-age=60"),
            (("cache-control", "no-store"), "max-age=60"),
            (("x-plain", "1"), "private"),
            (("x-plain", "1"), "no-store, max-age=60"),
        ] {
            // What was kept before stays, unless nothing of it is to be shared any more.
            let kept = client.0 != "x-plain";
            let scene = Scene::new([part_of(0..BLOCK, length, "\"a\"")]);
            assert_eq!(asks(&scene, "bytes=0-9").await.0, 206);
            scene.upstream.follow(|_| Reply::new(401));
            // Once for everybody, and then for this client.
            for _ in 0..if kept { 1 } else { 2 } {
                scene.upstream.then(own(control));
            }
            assert_eq!(scene.ask("/x", &[range, client]).await.status(), 206, "{client:?} {control}");
            for (range, status) in [(range.1, 401), ("bytes=0-9", if kept { 206 } else { 401 })] {
                assert_eq!(asks(&scene, range).await.0, status, "{client:?} {control} {range}");
            }
        }
        // What everybody may have is kept, whoever has asked.
        let scene = Scene::new([
            part_head(&(0..BLOCK), length)
                .header("cache-control", "public")
                .header("etag", "\"a\"")
                .body(bytes_at(0..BLOCK)),
            own("public, max-age=60"),
        ]);
        assert_eq!(asks(&scene, "bytes=0-9").await.0, 206);
        let answer = scene.ask("/x", &[range, ("authorization", "Bearer alice")]).await;
        assert_eq!(read(answer.into_body()).await.unwrap().len(), 10);
        assert_eq!(asks(&scene, range.1).await.0, 206);
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_part_that_comes_in_chunks_is_as_long_as_it_says() {
    // RFC 9110 §14.4
    local(async {
        let chunked = |range: &std::ops::Range<usize>, length, body: Bytes| {
            part_head(range, length).header("etag", "\"a\"").data(body)
        };
        let first = 0..BLOCK;
        // Blocks of it.
        let scene = Scene::new([chunked(&first, 4 * BLOCK, bytes_at(first.clone()))]);
        for range in ["bytes=0-9", "bytes=0-9", "bytes=100-109"] {
            assert_eq!(asks(&scene, range).await.0, 206);
        }
        assert_eq!(scene.upstream.count(), 1);
        // All of it.
        let all = 0..1_000;
        let scene = Scene::new([chunked(&all, 1_000, bytes_at(all.clone()))]);
        for _ in 0..2 {
            assert_eq!(asks(&scene, "bytes=5-9").await.2, Ok(bytes_at(5..10)));
            assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await, Ok(bytes_at(all.clone())));
        }
        assert_eq!(scene.upstream.count(), 1);
        // Less or more than it says: an error, and nothing is kept.
        for (range, length, body) in [
            (&all, 1_000, bytes_at(0..500)),
            (&all, 1_000, bytes_at(0..2_000)),
            (&first, 4 * BLOCK, bytes_at(0..500)),
        ] {
            let scene = Scene::new([]);
            scene.upstream.follow(|_| fresh().body("new"));
            scene.upstream.then(chunked(range, length, body));
            assert!(asks(&scene, "bytes=5-999").await.2.is_err(), "{range:?}");
            // What is there now is another, and is asked for.
            let now = asks(&scene, "bytes=1-2").await.2;
            assert_eq!(now, Ok(Bytes::from("ew")), "{range:?}");
        }
    })
    .await;
}
