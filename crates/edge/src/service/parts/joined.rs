//! Which bytes may stand beside each other: of one representation, as fresh as is wished, and none that broke off.

use super::*;

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

/// Each reader was cut off where the next server had its turn, for as long as they did not agree.
#[tokio::test(start_paused = true)]
async fn what_servers_behind_a_balancer_name_differently_is_had_whole_once_that_is_known() {
    // Memory takes objects of up to 8 MiB, then of 32.
    for (ram, kept) in [(64, false), (256, true)] {
        local(async {
            const LENGTH: usize = 40 * BLOCK;
            let options = Options { ram: Some(ByteCount::mib(ram)), ..Options::default() };
            let scene = Scene::over(options, []);
            let turn = std::cell::Cell::new(0);
            scene.upstream.follow(move |question| {
                turn.set(turn.get() + 1);
                let etag = ["\"a\"", "\"b\""][turn.get() % 2];
                let Some(range) = question.headers.get("range").map(|range| range.to_str().unwrap()) else {
                    let whole = Reply::new(200).header("cache-control", "max-age=60").header("etag", etag);
                    return whole.header("accept-ranges", "bytes").body(bytes_at(0..LENGTH));
                };
                let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                let (first, last) = (first.parse().unwrap(), last.parse::<usize>().unwrap());
                part_of(first..LENGTH.min(last + 1), LENGTH, etag)
            });
            let far = format!("bytes={BLOCK}-{}", LENGTH - 1);
            for cut in 0.. {
                assert!(cut < 4, "for ever");
                let before = scene.upstream.count();
                let is_had = asks(&scene, &far).await.2 == Ok(bytes_at(BLOCK..LENGTH));
                if is_had && scene.upstream.count() == before + 1 {
                    break;
                }
            }
            // Whatever is wanted of it from now on comes, in one piece.
            for range in [far, format!("bytes={}-{}", LENGTH / 2, LENGTH - 1), "bytes=0-4".to_owned()] {
                let before = scene.upstream.count();
                assert!(asks(&scene, &range).await.2.is_ok(), "{range}");
                assert_eq!(scene.upstream.count() - before, usize::from(!kept), "{range}");
            }
            assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await, Ok(bytes_at(0..LENGTH)));
        })
        .await;
    }
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
