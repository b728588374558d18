//! Bodies that break off: every byte from somewhere, or an error; never a wrong one, never too few.

use super::*;

fn tagged(etag: &'static str) -> Reply {
    Reply::new(200).header("etag", etag)
}

fn half(etag: &'static str) -> Reply {
    tagged(etag).header("content-length", "10").data("01234").pause(SECOND).cut()
}

fn part(etag: &'static str, range: &'static str, body: &'static str) -> Reply {
    Reply::new(206).header("etag", etag).header("content-range", range).body(body)
}

const ALL: &str = "0123456789";

#[tokio::test(start_paused = true)]
async fn attack_49_a_body_that_breaks_off_goes_on_from_another_server() {
    local(async {
        for (first, second) in [
            (half("\"v\""), part("\"v\"", "bytes 5-9/10", "56789")),
            // Silent for too long is broken off too.
            (
                tagged("\"v\"").header("content-length", "10").data("01234").pause(60 * SECOND).data("56789"),
                part("\"v\"", "bytes 5-9/10", "56789"),
            ),
            // No length: the one who carries on knows it.
            (tagged("\"v\"").data("01234").pause(SECOND).cut(), part("\"v\"", "bytes 5-9/10", "56789")),
            // No ranges there: what is known is left out.
            (half("\"v\""), tagged("\"v\"").body(ALL)),
            (half("\"v\""), tagged("\"v\"").data("012").data("3456").data("789")),
        ] {
            let case = format!("{first:?} {second:?}");
            let scene = Scene::pair(vec![first], vec![second]);
            assert_eq!(scene.ask(&scene.path(0)).await, whole(200, ALL), "{case}");
            let question = &scene.servers[1].questions()[0];
            assert!(question.headers["range"].to_str().unwrap().starts_with("bytes=5-"), "{case}");
            assert_eq!(question.headers["if-range"], "\"v\"");
            assert_eq!(scene.metric("edge_broken_bodies_total", &["resumed"]), 1.0);
            assert_eq!(scene.metric("edge_parent_requests_total", &["a", "broken"]), 1.0);
            assert_eq!(scene.metric("edge_parent_load", &["b"]), 0.0);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_50_what_is_not_the_same_does_not_go_on() {
    local(async {
        for (first, second) in [
            (half("\"v\""), tagged("\"w\"").body(ALL)),
            (half("\"v\""), part("\"w\"", "bytes 5-9/10", "56789")),
            (half("\"v\""), part("W/\"v\"", "bytes 5-9/10", "56789")),
            (half("\"v\""), part("\"v\"", "bytes 4-9/10", "456789")),
            (half("\"v\""), part("\"v\"", "bytes 5-9/11", "56789")),
            (half("\"v\""), part("\"v\"", "bytes 5-8/10", "5678")),
            (half("\"v\""), part("\"v\"", "bytes 5-9/10", "56789").header("content-encoding", "gzip")),
            (half("\"v\""), tagged("\"v\"").body("01234567890")),
            (half("\"v\""), Reply::new(416).header("etag", "\"v\"")),
            (half("\"v\""), Reply::new(503)),
        ] {
            let case = format!("{second:?}");
            let scene = Scene::pair(vec![first], vec![second]);
            let answer = scene.ask(&scene.path(0)).await;
            assert_eq!(answer, Ok((StatusCode::OK, Err(BodyError::Cut))), "{case}");
            assert_eq!(scene.servers[1].count(), 1, "{case}");
            assert_eq!(scene.metric("edge_broken_bodies_total", &["failed"]), 1.0, "{case}");
        }
        let overlong = Reply::new(206).header("etag", "\"v\"").header("content-range", "bytes 5-9/10");
        let scene = Scene::pair(vec![half("\"v\"")], vec![overlong.data("567890")]);
        assert_eq!(scene.ask(&scene.path(0)).await, Ok((StatusCode::OK, Err(BodyError::TooLong))));
        // Who says nothing strong of its bytes cannot be held to it.
        for etag in ["W/\"v\"", "v"] {
            let scene = Scene::pair(vec![half(etag)], vec![tagged(etag).body(ALL)]);
            assert_eq!(scene.ask(&scene.path(0)).await, Ok((StatusCode::OK, Err(BodyError::Cut))));
            assert_eq!(scene.servers[1].count(), 0);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_goes_on_more_than_once_and_not_for_ever() {
    local(async {
        let rest =
            |range, body| Reply::new(206).header("etag", "\"v\"").header("content-range", range).data(body);
        let scene = Scene::pair(
            vec![
                tagged("\"v\"").header("content-length", "10").data("0").pause(SECOND).cut(),
                rest("bytes 2-9/10", "2").pause(SECOND).cut(),
            ],
            vec![rest("bytes 1-9/10", "1").pause(SECOND).cut(), part("\"v\"", "bytes 3-9/10", "3456789")],
        );
        assert_eq!(scene.ask(&scene.path(0)).await, whole(200, ALL));
        // Nothing is paid for what is not asked any more, also where the last of them brought nothing.
        let nothing = Reply::new(206).header("etag", "\"v\"").header("content-range", "bytes 3-9/10");
        for last in [rest("bytes 3-9/10", "3"), nothing] {
            let scene = Scene::pair(
                vec![
                    tagged("\"v\"").header("content-length", "10").data("0").pause(SECOND).cut(),
                    rest("bytes 2-9/10", "2").pause(SECOND).cut(),
                ],
                vec![rest("bytes 1-9/10", "1").pause(SECOND).cut(), last.pause(SECOND).cut()],
            );
            let answer = scene.ask(&scene.path(0)).await;
            assert_eq!(answer, Ok((StatusCode::OK, Err(BodyError::Cut))));
            assert_eq!(scene.counts(), [2, 2]);
            assert_eq!(scene.metric("edge_broken_bodies_total", &["not_tried"]), 1.0);
            assert_eq!(scene.metric("edge_retry_budget", &["g"]), 20.0);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_alone_is_asked_for_its_own_rest_and_a_part_for_its_own_end() {
    local(async {
        let scene = Scene::new(
            "tiers = [[\"http://a\"]]",
            [vec![half("\"v\""), part("\"v\"", "bytes 5-9/10", "56789")]],
        );
        assert_eq!(scene.ask(&scene.path(0)).await, whole(200, ALL));
        let broken = Reply::new(206).header("etag", "\"v\"").header("content-range", "bytes 100-109/1000");
        let scene = Scene::pair(
            vec![broken.data("01234").pause(SECOND).cut()],
            vec![part("\"v\"", "bytes 105-109/1000", "56789")],
        );
        assert_eq!(scene.ask(&scene.path(0)).await, whole(206, ALL));
        assert_eq!(scene.servers[1].questions()[0].headers["range"], "bytes=105-109");
    })
    .await;
}

/// A server that dies with many bodies on their way: all go on, whatever the retry budget says.
#[tokio::test(start_paused = true)]
async fn bodies_that_break_off_together_all_go_on() {
    local(async {
        let scene = Rc::new(Scene::pair(
            (0..8).map(|_| half("\"v\"").after(SECOND)).collect(),
            (0..8).map(|_| part("\"v\"", "bytes 5-9/10", "56789")).collect(),
        ));
        let path = scene.path(0);
        // As many as a server may have before others get some: the other one's script has only the rest.
        let bodies: Vec<_> = (0..8)
            .map(|_| {
                let (scene, path) = (Rc::clone(&scene), path.clone());
                tokio::task::spawn_local(async move { scene.ask(&path).await })
            })
            .collect();
        for body in bodies {
            assert_eq!(body.await.unwrap(), whole(200, ALL));
        }
        assert_eq!(scene.metric("edge_retry_budget", &["g"]), 20.0);
    })
    .await;
}

/// Servers close connections on which nothing is taken. That a client takes nothing says nothing of them.
#[tokio::test(start_paused = true)]
async fn a_body_that_its_reader_let_wait_breaks_off_by_nobodys_fault_but_the_readers() {
    local(async {
        for (pause, broken) in [(30, 0.0), (0, 3.0)] {
            // More than a connection holds.
            let long = || Reply::new(200).header("content-length", "8388608").data(vec![7; 4 << 20]);
            let long = || long().pause(10 * SECOND).data(vec![7; 4 << 20]);
            let scene = Scene::new("tiers = [[\"http://a\"]]", [(0..3).map(|_| long()).collect()]);
            scene.servers[0].keep_connections(5 * SECOND);
            let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
            let question = Question { alone: true, ..Question::get("h", &target, &headers) };
            for _ in 0..3 {
                let answer = scene.edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
                let mut body = answer.into_body();
                body.frame().await.unwrap().unwrap();
                tokio::time::sleep(pause * SECOND).await;
                assert_eq!(body.collect().await.err(), Some(BodyError::Cut));
            }
            assert_eq!(scene.metric("edge_parent_requests_total", &["a", "broken"]), broken);
            assert_eq!(scene.metric("edge_parent_up", &["a"]), f64::from(u8::from(broken == 0.0)));
        }
    })
    .await;
}

/// A byte now and then is no silence: it would hold a fill, its place and all who read it for as long as the server likes.
#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_broken_off_and_goes_on_elsewhere() {
    local(async {
        let pieces = |head: Reply, pieces: usize, length: usize| {
            (0..pieces).fold(head, |reply, _| reply.data(vec![7; length]).pause(5 * SECOND))
        };
        let trickle = || pieces(tagged("\"v\"").header("content-length", "2000"), 2_000, 1);
        let scene = Scene::pair(vec![trickle()], Vec::new());
        scene.servers[1].follow(|question| {
            let range = question.headers["range"].to_str().unwrap();
            let from: usize = range["bytes=".len()..].split('-').next().unwrap().parse().unwrap();
            let says = format!("bytes {from}-1999/2000");
            Reply::new(206).header("etag", "\"v\"").header("content-range", says).body(vec![7; 2_000 - from])
        });
        let begun = Instant::now();
        assert_eq!(scene.ask(&scene.path(0)).await, Ok((StatusCode::OK, Ok(vec![7; 2_000].into()))));
        assert!(begun.elapsed() < 90 * SECOND, "{:?}", begun.elapsed());
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "broken"]), 1.0);
        assert_eq!(scene.metric("edge_broken_bodies_total", &["resumed"]), 1.0);
        // A node finds out before the one that asks it, which would take it for the slow one.
        let mut before = 0;
        for nodes in ["shield, parent, edge", "parent, edge", "edge"] {
            let scene = Scene::new("tiers = [[\"http://a\"]]", [vec![pieces(Reply::new(200), 2_000, 1)]]);
            let headers = HeaderMap::from_iter([(policy::CDN_LOOP, nodes.parse().unwrap())]);
            let (begun, target) = (Instant::now(), Uri::from_static("/x"));
            let question = Question::get("h", &target, &headers);
            let answer = scene.edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
            assert_eq!(answer.into_body().collect().await.err(), Some(BodyError::Slow));
            assert!(begun.elapsed().as_secs() > before + 5, "{nodes}: {:?}", begun.elapsed());
            before = begun.elapsed().as_secs();
        }
        // Where nobody else has it, that is its end: also what began well, and what does not say how long it is.
        let well = || tagged("\"v\"").data(vec![7; 1 << 20]);
        for begins in [Reply::new(200).header("content-length", "2000"), Reply::new(200), well()] {
            let scene = Scene::new("tiers = [[\"http://a\"]]", [vec![pieces(begins, 2_000, 1)]]);
            let begun = Instant::now();
            assert!(scene.ask(&scene.path(0)).await.unwrap().1.is_err());
            assert!(begun.elapsed() < 180 * SECOND, "{:?}", begun.elapsed());
        }
        // Who is slow goes on.
        let slow = pieces(tagged("\"v\"").header("content-length", "300000"), 100, 3_000);
        let scene = Scene::new("tiers = [[\"http://a\"]]", [vec![slow]]);
        assert_eq!(scene.ask(&scene.path(0)).await, Ok((StatusCode::OK, Ok(vec![7; 300_000].into()))));
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "broken"]), 0.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_its_one_reader_takes_slowly_or_listens_to_does_not_trickle() {
    local(async {
        let events = (0..100).fold(Reply::new(200), |reply, _| reply.data("x").pause(5 * SECOND));
        let long = Reply::new(200).body(vec![7; 1 << 20]);
        for (reply, length, pause) in [(events, 100, 0), (long, 1 << 20, 20)] {
            let scene = Scene::new("tiers = [[\"http://a\"]]", [vec![reply]]);
            let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
            let question = Question { alone: true, ..Question::get("h", &target, &headers) };
            let mut body =
                scene.edge.upstream.exchange(question, RequestBody::Empty).await.unwrap().into_body();
            let mut read = 0;
            while let Some(frame) = body.frame().await {
                read += frame.unwrap().into_data().unwrap().len();
                tokio::time::sleep(pause * SECOND).await;
            }
            assert_eq!(read, length);
            assert_eq!(scene.metric("edge_parent_requests_total", &["a", "broken"]), 0.0);
        }
    })
    .await;
}

/// Nothing is missing but the word that nothing is.
#[tokio::test(start_paused = true)]
async fn a_body_of_unstated_length_that_is_cut_at_its_very_end_is_whole() {
    local(async {
        let end = |etag: &'static str, says: &'static str| {
            Reply::new(416).header("etag", etag).header("content-range", says).body("no more")
        };
        for (says, is_whole) in [
            (end("\"v\"", "bytes */10"), true),
            (end("\"w\"", "bytes */10"), false),
            (end("W/\"v\"", "bytes */10"), false),
            (end("\"v\"", "bytes */11"), false),
            (end("\"v\"", "bytes */9"), false),
            (end("\"v\"", "bytes */*"), false),
            (Reply::new(416).header("content-range", "bytes */10"), false),
            (Reply::new(416).header("etag", "\"v\""), false),
        ] {
            let case = format!("{says:?}");
            let scene = Scene::pair(vec![tagged("\"v\"").data(ALL).pause(SECOND).cut()], vec![says]);
            let body = if is_whole { Ok(Bytes::from(ALL)) } else { Err(BodyError::Cut) };
            assert_eq!(scene.ask(&scene.path(0)).await, Ok((StatusCode::OK, body)), "{case}");
            assert_eq!(scene.servers[1].questions()[0].headers["range"], "bytes=10-", "{case}");
        }
        // Who had said that more comes is not at his end.
        let stated = tagged("\"v\"").header("content-length", "12").data(ALL).pause(SECOND).cut();
        let scene = Scene::pair(vec![stated], vec![end("\"v\"", "bytes */10")]);
        assert_eq!(scene.ask(&scene.path(0)).await, Ok((StatusCode::OK, Err(BodyError::Cut))));
    })
    .await;
}

/// Nobody has been told of the head: any server's answer will do, whole.
#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_before_its_first_byte_is_asked_of_another_server() {
    local(async {
        let nothing = || Reply::new(200).header("content-length", "10").pause(SECOND / 10).cut();
        let of_no_length = || Reply::new(200).pause(SECOND / 10).cut();
        for first in [nothing(), of_no_length()] {
            let case = format!("{first:?}");
            let scene = Scene::pair(vec![first], vec![ok(ALL)]);
            assert_eq!(scene.ask(&scene.path(0)).await, whole(200, ALL), "{case}");
            assert!(!scene.servers[1].questions()[0].headers.contains_key("range"), "{case}");
            assert_eq!(scene.metric("edge_upstream_retries_total", &["no_body"]), 1.0);
            assert_eq!(scene.metric("edge_parent_requests_total", &["a", "broken"]), 1.0);
            assert_eq!(scene.metric("edge_parent_load", &["a"]), 0.0);
        }
        // Where it has a strong ETag the very same is looked for first; others may have another, or the next version.
        let of_a_version = nothing().header("etag", "\"1\"");
        let newer = || ok(ALL).header("etag", "\"2\"");
        let scene = Scene::pair(vec![of_a_version], vec![newer(), newer()]);
        assert_eq!(scene.ask(&scene.path(0)).await, whole(200, ALL));
        let questions = scene.servers[1].questions();
        let of_a_part: Vec<_> = questions.iter().map(|asked| asked.headers.contains_key("range")).collect();
        assert_eq!(of_a_part, [true, false]);
        // One more and no third; nobody else; what is not to be repeated.
        let broken = Err(UpstreamError::Protocol);
        let scene = Scene::pair(vec![nothing()], vec![nothing()]);
        assert_eq!(scene.ask(&scene.path(0)).await, broken);
        assert_eq!(scene.counts(), [1, 1]);
        let scene = Scene::new("tiers = [[\"http://a\"]]", [vec![nothing(), ok(ALL)]]);
        assert_eq!(scene.ask(&Uri::from_static("/x")).await, broken);
        let scene = Scene::pair(vec![nothing()], vec![ok(ALL)]);
        assert_eq!(scene.ask_by(Method::POST, &scene.path(0), false).await, broken);
        assert_eq!(scene.counts(), [1, 0]);
        let scene = Scene::new(
            "tiers = [[\"http://a\", \"http://b\"]]\nretry_percent = 0",
            [vec![nothing()], vec![ok(ALL)]],
        );
        assert_eq!(scene.ask(&scene.path(0)).await, broken);
        assert_eq!(scene.counts(), [1, 0]);
    })
    .await;
}
