//! What an origin says of ranges, or leaves out, and what clients are told then.

use super::*;

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
        for (range, length, body, status) in [
            (&all, 1_000, bytes_at(0..500), 206),
            // Of this nobody has been told anything yet.
            (&all, 1_000, bytes_at(0..2_000), 502),
            (&first, 4 * BLOCK, bytes_at(0..500), 206),
        ] {
            let scene = Scene::new([]);
            scene.upstream.follow(|_| fresh().body("new"));
            scene.upstream.then(chunked(range, length, body));
            let (said, _, body) = asks(&scene, "bytes=5-999").await;
            assert_eq!((said, body.is_err()), (status, status == 206), "{range:?}");
            // What is there now is another, and is asked for.
            let now = asks(&scene, "bytes=1-2").await.2;
            assert_eq!(now, Ok(Bytes::from("ew")), "{range:?}");
        }
    })
    .await;
}
