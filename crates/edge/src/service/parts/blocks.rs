//! Blocks: which are fetched, for whom, how many at once, and what is kept of them.

use super::*;
use crate::lookup::Found;
use crate::service::{key_of, look};
use crate::store::Body;
use tokio::time::Instant;

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

/// With little memory what a download manager asked for was fetched anew for each of its connections, and for everybody.
#[tokio::test(start_paused = true)]
async fn parts_longer_than_one_object_may_be_are_kept_in_blocks() {
    local(async {
        // An eighth of it, the most for one object, is half of a run.
        let options = Options { ram: Some(ByteCount::mib(16)), ..Options::default() };
        let (length, half) = (1 << 30, 8 * BLOCK);
        let scene = Scene::over(options, [part_of(0..2 * half, length, "\"a\"")]);
        for range in [0..2 * half, half..2 * half] {
            let asked = format!("bytes={}-{}", range.start, range.end - 1);
            assert_eq!(asks(&scene, &asked).await.2, Ok(bytes_at(range)), "{asked}");
        }
        assert_eq!(asked_ranges(&scene), ["bytes=0-4194303"]);
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
async fn an_answer_whose_first_block_cannot_be_had_does_not_begin() {
    local(async {
        let length = 4 * BLOCK;
        let own = || part_of(300_000..300_010, length, "\"a\"");
        // Found to hold still: the head comes without a byte of the block.
        let scene = Scene::new([
            part_of(0..BLOCK, length, "\"a\""),
            Reply::new(304).header("cache-control", "max-age=60"),
            Reply::new(503).body("busy"),
            own(),
        ]);
        asks(&scene, "bytes=0-9").await.2.unwrap();
        tokio::time::sleep(61 * SECOND).await;
        assert_eq!(asks(&scene, "bytes=300000-300009").await.2, Ok(bytes_at(300_000..300_010)));
        // By who waited for the head of another's.
        let first = part_of(0..BLOCK, length, "\"a\"").after(SECOND);
        let scene = Rc::new(Scene::new([first, Reply::new(503).body("busy"), own()]));
        let other = Rc::clone(&scene);
        let leader = tokio::task::spawn_local(async move { asks(&other, "bytes=0-9").await.2 });
        tokio::task::yield_now().await;
        assert_eq!(asks(&scene, "bytes=300000-300009").await.2, Ok(bytes_at(300_000..300_010)));
        assert_eq!(leader.await.unwrap(), Ok(bytes_at(0..10)));
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
async fn attack_63_blocks_on_their_way_count_against_memory() {
    local(async {
        let length = 40 * BLOCK;
        let slow = |range: std::ops::Range<usize>| {
            let head = part_head(&range, length).header("etag", "\"a\"");
            head.data(bytes_at(range.start..range.start + BLOCK))
                .pause(SECOND)
                .data(bytes_at(range.start + BLOCK..range.end))
        };
        let scene = Rc::new(Scene::new([slow(0..2 * BLOCK), slow(2 * BLOCK..18 * BLOCK)]));
        let promised = || scene.edge.overload.promised() / BLOCK_SIZE;
        let ask = |range: &'static str| {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move { asks(&scene, range).await })
        };
        // What is not known yet, and what is missing of it.
        for (range, to_come) in [("bytes=0-300000", 1), ("bytes=524288-4718591", 15)] {
            let client = ask(range);
            tokio::time::sleep(SECOND / 2).await;
            assert_eq!(promised(), to_come, "{range}");
            client.await.unwrap().2.unwrap();
            tokio::time::sleep(SECOND).await;
            assert_eq!(scene.edge.overload.promised(), 0, "{range}");
        }
        assert_eq!(scene.upstream.count(), 2);
        // What breaks off is not to come any more.
        scene.upstream.follow(|_| Reply::new(503));
        assert_eq!(asks(&scene, "bytes=4718592-").await.0, 503);
        assert_eq!(scene.edge.overload.promised(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn blocks_that_come_for_somebody_are_there_for_all_also_when_memory_is_taken() {
    local(async {
        let length = 5 * BLOCK;
        let slow = part_head(&(2 * BLOCK..4 * BLOCK), length).header("etag", "\"a\"");
        let slow =
            slow.data(bytes_at(2 * BLOCK..3 * BLOCK)).pause(SECOND).data(bytes_at(3 * BLOCK..4 * BLOCK));
        let scene = Rc::new(Scene::new([part_of(0..BLOCK, length, "\"a\""), slow]));
        asks(&scene, "bytes=0-9").await.2.unwrap();
        let ask = |range: &'static str| {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move { asks(&scene, range).await })
        };
        let first = ask("bytes=524288-1048575");
        tokio::time::sleep(SECOND / 2).await;
        scene.edge.overload.fill_memory(true);
        let joins = ask("bytes=700000-1000000");
        // Some of it nobody has asked for.
        for range in ["bytes=262144-262153", "bytes=700000-1048576"] {
            assert_eq!(asks(&scene, range).await.0, 503, "{range}");
        }
        assert_eq!(first.await.unwrap().2, Ok(bytes_at(2 * BLOCK..4 * BLOCK)));
        let (status, _, body) = joins.await.unwrap();
        assert_eq!(status, 206);
        assert_eq!(body, Ok(bytes_at(700_000..1_000_001)));
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

/// One client's odd question is not to cost those who read the rest of what they have begun.
#[tokio::test(start_paused = true)]
async fn who_reads_goes_on_where_another_s_block_does_not_come() {
    local(async {
        let length = 6 * BLOCK;
        let scene = Rc::new(Scene::new([part_of(0..BLOCK, length, "\"a\"")]));
        asks(&scene, "bytes=0-9").await.2.unwrap();
        scene.upstream.follow(move |question| {
            if question.headers.contains_key("x-odd") {
                return Reply::new(403).after(2 * SECOND);
            }
            let range = question.headers["range"].to_str().unwrap().trim_start_matches("bytes=");
            let (first, last) = range.split_once('-').unwrap();
            part_of(first.parse().unwrap()..last.parse::<usize>().unwrap() + 1, length, "\"a\"")
        });
        let odd = Rc::clone(&scene);
        let odd = tokio::task::spawn_local(async move {
            odd.ask("/x", &[("range", "bytes=524288-524297"), ("x-odd", "1")]).await.status()
        });
        tokio::time::sleep(SECOND).await;
        assert_eq!(asks(&scene, "bytes=262144-1572863").await.2, Ok(bytes_at(BLOCK..length)));
        assert_eq!(odd.await.unwrap(), 403);
        // Where the upstream has it for nobody, that is the end of it.
        let third = 2 * BLOCK..3 * BLOCK;
        let scene = [part_of(0..BLOCK, length, "\"a\""), part_of(third, length, "\"a\"")];
        let scene = Rc::new(Scene::new(scene));
        for range in ["bytes=0-9", "bytes=524288-524297"] {
            asks(&scene, range).await.2.unwrap();
        }
        scene.upstream.follow(|_| Reply::new(500).after(SECOND));
        let ask = |range: &'static str| {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move { asks(&scene, range).await })
        };
        let first = ask("bytes=786432-786441");
        tokio::time::sleep(SECOND / 2).await;
        assert_eq!(ask("bytes=524288-1048575").await.unwrap().2, Err(()));
        assert_eq!(first.await.unwrap().0, 500);
        assert_eq!(scene.upstream.count(), 2 + 3);
    })
    .await;
}

/// A server that has not answered a question does not answer it to each of those who waited for it.
#[tokio::test(start_paused = true)]
async fn who_lacks_something_of_what_stands_in_asks_no_server_that_was_silent() {
    local(async {
        let length = 4 * BLOCK;
        let scene = Rc::new(Scene::new([part_of(0..BLOCK, length, "\"a\"")]));
        asks(&scene, "bytes=0-9").await.2.unwrap();
        tokio::time::sleep(61 * SECOND).await;
        scene.upstream.follow(|_| Reply::new(200).after(3_600 * SECOND));
        let begun = tokio::time::Instant::now();
        let ask = |range: &'static str| {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move { asks(&scene, range).await })
        };
        let lacking: Vec<_> = (0..9).map(|_| ask("bytes=300000-300009")).collect();
        let here = ask("bytes=0-9");
        for client in lacking {
            assert_eq!(client.await.unwrap().0, 504);
        }
        assert_eq!(here.await.unwrap().2, Ok(bytes_at(0..10)));
        assert!(begun.elapsed() < 20 * SECOND, "{:?}", begun.elapsed());
        assert_eq!(scene.upstream.count(), 2);
        // Nor where it is fresh.
        scene.upstream.follow(move |_| part_of(0..BLOCK, length, "\"a\""));
        asks(&scene, "bytes=0-9").await.2.unwrap();
        scene.upstream.follow(|_| Reply::new(200).after(3_600 * SECOND));
        let (begun, asked) = (tokio::time::Instant::now(), scene.upstream.count());
        let lacking: Vec<_> = (0..9).map(|_| ask("bytes=300000-300009")).collect();
        for client in lacking {
            assert_eq!(client.await.unwrap().0, 504);
        }
        assert!(begun.elapsed() < 20 * SECOND, "{:?}", begun.elapsed());
        assert_eq!(scene.upstream.count(), asked + 1);
        // One that says that it cannot says so to each.
        scene.upstream.follow(|_| Reply::new(503).header("retry-after", "7"));
        let answer = scene.ask("/x", &[("range", "bytes=300000-300009")]).await;
        assert_eq!((answer.status().as_u16(), field(&answer, "retry-after")), (503, "7"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_longer_than_it_says_is_not_put_beside_others() {
    // RFC 9110 §14.4: where its bytes belong, nobody knows.
    local(async {
        let length = 4 * BLOCK;
        let lies = part_head(&(BLOCK..BLOCK + 100), length).header("etag", "\"a\"");
        let scene = Scene::new([
            part_of(0..BLOCK, length, "\"a\""),
            lies.body(vec![b'?'; BLOCK]),
            part_of(300_000..300_010, length, "\"a\""),
        ]);
        asks(&scene, "bytes=0-9").await.2.unwrap();
        let answer = asks(&scene, "bytes=300000-300009").await;
        assert_eq!(
            answer,
            (206, leak(format!("bytes 300000-300009/{length}")).into(), Ok(bytes_at(300_000..300_010)))
        );
    })
    .await;
}

/// Blocks stand where their head was to: under the key that a 304 had moved it to they were never found to be of something else.
#[tokio::test(start_paused = true)]
async fn a_304_that_says_by_what_it_differs_moves_what_is_in_blocks_with_its_blocks() {
    local(async {
        let moves = Reply::new(304).header("cache-control", "max-age=60").header("vary", "x-band");
        let scene = Scene::new([first_block("max-age=1"), moves, first_block("max-age=60")]);
        assert_eq!(asks(&scene, "bytes=0-1").await.0, 206);
        tokio::time::sleep(2 * SECOND).await;
        assert_eq!(asks(&scene, "bytes=0-1").await.2.unwrap(), "xx");
        let asked = scene.asked("GET", "/x", &[]);
        let found = look(&scene.edge, &asked, &key_of(&scene.edge, &asked), Instant::now());
        let Found::Fresh(object) = found.found else { panic!("{found:?}") };
        let Body::Sparse(sparse) = &object.body else { panic!("in blocks") };
        assert_eq!(*sparse.key(), found.key);
        assert_eq!(scene.upstream.count(), 3);
    })
    .await;
}

/// It was fetched whole, and promised to memory, however long: scripts read where a range begins and no more.
#[tokio::test(start_paused = true)]
async fn attack_53_what_an_origin_sends_beyond_a_part_is_not_waited_for() {
    local(async {
        let length = 1 << 30;
        let all = part_head(&(0..length), length).header("etag", "\"a\"");
        let endless = all.header("content-length", leak(length.to_string())).data(bytes_at(0..BLOCK));
        let scene = Scene::new([endless.pause(3_600 * SECOND)]);
        let asked = tokio::time::timeout(SECOND, asks(&scene, "bytes=0-9")).await.unwrap();
        assert_eq!(asked, (206, format!("bytes 0-9/{length}"), Ok(bytes_at(0..10))));
        while std::rc::Rc::strong_count(&scene.edge) > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!((scene.edge.metrics.fill_bytes.get(), scene.edge.overload.promised()), (BLOCK_SIZE, 0));
    })
    .await;
}
