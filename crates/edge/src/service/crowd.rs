//! What one client's question, or the answer to it, must not do to all others.

use super::tests::*;
use super::*;
use bytes::Bytes;
use http::StatusCode;
use testkit::upstream::Reply;

/// Kept for a second, and to be asked about then.
fn brief() -> Reply {
    Reply::new(200).header("cache-control", "max-age=1").header("etag", "\"v1\"")
}

fn not_modified(control: &'static str) -> Reply {
    Reply::new(304).header("cache-control", control).header("etag", "\"v1\"")
}

fn is_hit(answer: &Answer) -> bool {
    field(answer, "cache-status").contains("; hit")
}

async fn later(scene: &Scene, target: &str, seconds: u32) {
    scene.load(target).await;
    tokio::time::sleep(SECOND * seconds).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_304_says_is_for_one_is_for_nobody_else() {
    // RFC 9111 §3, §3.5, §5.2.2.5, §5.2.2.7
    local(async {
        for (control, client) in [
            ("private, max-age=100", &[][..]),
            ("no-store, max-age=100", &[]),
            ("max-age=100", &[("authorization", "Bearer alice")]),
            ("max-age=100", &[("cache-control", "no-store")]),
        ] {
            let renewal = not_modified(control).header("x-user", "alice");
            let scene = Scene::new([brief().body("x"), renewal, fresh().body("y")]);
            later(&scene, "/x", 2).await;
            let own = scene.ask("/x", client).await;
            assert_eq!((own.status(), field(&own, "x-user")), (StatusCode::OK, "alice"), "{control}");
            assert_eq!(read(own.into_body()).await.unwrap(), "x");
            let other = scene.ask("/x", &[]).await;
            assert!(!is_hit(&other) && !other.headers().contains_key("x-user"), "{control} {client:?}");
            assert_eq!(scene.upstream.count(), 3, "{control}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cookie_that_a_304_sets_is_nobody_s_who_comes_after() {
    local(async {
        let renewal = not_modified("max-age=100").header("set-cookie", "sid=victim");
        let scene = Scene::new([brief().body("x"), renewal]);
        later(&scene, "/x", 2).await;
        scene.load("/x").await;
        let other = scene.ask("/x", &[]).await;
        assert!(is_hit(&other) && !other.headers().contains_key("set-cookie"), "{:?}", other.headers());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_304_that_says_by_what_a_response_differs_moves_it() {
    // RFC 9111 §4.1
    local(async {
        let renewal = not_modified("max-age=100").header("vary", "x-band");
        let scene = Scene::new([brief().body("one"), renewal, fresh().header("vary", "x-band").body("two")]);
        later(&scene, "/x", 2).await;
        assert_eq!(scene.text("/x", &[("x-band", "1")]).await, "one");
        assert_eq!(scene.text("/x", &[("x-band", "2")]).await, "two");
        assert!(is_hit(&scene.ask("/x", &[("x-band", "1")]).await));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_an_answer_to_head_says_to_one_is_not_learnt() {
    // RFC 9111 §4.3.5
    local(async {
        for (said, etag, client, kept) in [
            ("private, max-age=100", "\"v1\"", &[][..], false),
            ("max-age=100", "\"v2\"", &[], false),
            ("max-age=100", "\"v1\"", &[("authorization", "Bearer alice")], true),
            ("max-age=100", "\"v2\"", &[("authorization", "Bearer alice")], true),
            ("public", "\"v2\"", &[("cache-control", "no-store")], true),
            ("must-revalidate", "\"v2\"", &[("cookie", "sid=alice")], true),
        ] {
            let head = Reply::new(200).header("cache-control", said).header("etag", etag);
            let scene =
                Scene::new([brief().body("x"), head.header("x-user", "alice"), not_modified("max-age=9")]);
            later(&scene, "/x", 2).await;
            scene.ask_by("HEAD", "/x", client).await;
            scene.upstream.then(fresh().body("y"));
            let other = scene.ask("/x", &[]).await;
            assert!(!is_hit(&other) && !other.headers().contains_key("x-user"), "{said} {etag}");
            let conditional = scene.upstream.questions()[2].headers.contains_key("if-none-match");
            assert_eq!(conditional, kept, "{said} {etag} {client:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_s_own_wish_sends_no_herd_upstream() {
    local(async {
        let part = Reply::new(206).header("cache-control", "max-age=60");
        let part = part.header("content-range", "bytes 0-4/100").body("01234");
        for (fields, first) in [
            (&[("cache-control", "no-store")][..], fresh().body("x")),
            (&[("authorization", "Bearer x")], fresh().body("x")),
            (&[("cookie", "a=b")], Reply::new(200).header("etag", "\"1\"").body("x")),
            (&[("range", "bytes=1000000-")], Reply::new(416).header("content-range", "bytes */1")),
            (&[("range", "bytes=0-4")], part),
            (&[("x-odd", "1")], Reply::new(400).body("what?")),
            (&[("cookie", "a=b")], Reply::new(200).header("cache-control", "private").body("his")),
            (&[("authorization", "Bearer x")], fresh().header("set-cookie", "a=b").body("his")),
        ] {
            let scene = Rc::new(Scene::new([first.after(SECOND), fresh().after(SECOND).body("x")]));
            let own = Rc::clone(&scene);
            let leader = tokio::task::spawn_local(async move {
                let answer = own.ask("/x", fields).await;
                read(answer.into_body()).await.unwrap();
            });
            while scene.upstream.count() < 1 {
                tokio::task::yield_now().await;
            }
            let others: Vec<_> = (0..40).map(|_| scene.start("/x")).collect();
            leader.await.unwrap();
            for other in others {
                assert_eq!(other.await.unwrap(), (StatusCode::OK, Ok(Bytes::from("x"))), "{fields:?}");
            }
            assert_eq!(scene.upstream.count(), 2, "{fields:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_origin_is_asked_once_for_all_who_wait() {
    // RFC 5861 §4; an error that does not say for how long is not kept.
    local(async {
        let failing = || Reply::new(503).header("retry-after", "1").after(SECOND).body("wait");
        let scene = Rc::new(Scene::new([failing(), failing(), fresh().body("x")]));
        for round in 1..=2 {
            let asked: Vec<_> = (0..40).map(|_| scene.start("/x")).collect();
            for one in asked {
                let failed = (StatusCode::SERVICE_UNAVAILABLE, Ok(Bytes::from("wait")));
                assert_eq!(one.await.unwrap(), failed);
            }
            assert_eq!(scene.upstream.count(), round);
        }
        assert_eq!(scene.text("/x", &[]).await, "x");
        assert!(is_hit(&scene.ask("/x", &[]).await));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn one_error_takes_away_neither_the_cache_nor_what_stands_in() {
    local(async {
        let kept = || Reply::new(200).header("cache-control", "max-age=1, stale-if-error=600");
        let bad = Reply::new(400).body("what?");
        let scene = Scene::new([kept().header("etag", "\"1\"").body("x"), bad]);
        later(&scene, "/x", 2).await;
        assert_eq!(scene.ask("/x", &[("x-odd", "1")]).await.status(), 400);
        scene.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
        let answer = scene.ask("/x", &[]).await;
        assert_eq!(answer.status(), 200, "{:?}", answer.headers());
        // RFC 9211 §2.1: it was asked for, so it is no hit.
        assert_eq!(field(&answer, "cache-status"), "airclass; fwd=stale; ttl=-1; detail=stale-on-error");
        let head = scene.ask_by("HEAD", "/x", &[]).await;
        assert_eq!((head.status(), field(&head, "age")), (StatusCode::OK, "2"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_mistake_does_not_outlive_its_repair() {
    local(async {
        let missing = || Reply::new(404).header("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
        let scene = Scene::new([missing(), Reply::new(503), fresh().body("x")]);
        later(&scene, "/x", 120).await;
        assert_eq!(scene.ask("/x", &[]).await.status(), 503);
        assert_eq!(scene.text("/x", &[]).await, "x");
        assert!(
            scene.upstream.questions().iter().all(|asked| !asked.headers.contains_key("if-modified-since"))
        );
        let missing = Reply::new(404).header("cache-control", "max-age=30, stale-while-revalidate=86400");
        let scene = Scene::new([missing, fresh().body("x")]);
        later(&scene, "/x", 3_600).await;
        assert_eq!(scene.text("/x", &[]).await, "x");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_416_answers_a_range_that_was_asked_for_and_applies() {
    // RFC 9110 §13.1.5, §13.2.2, §15.5.17
    local(async {
        let beyond = || Reply::new(416).header("content-range", "bytes */10");
        for (fields, status) in [
            (&[("range", "bytes=100-")][..], 416),
            (&[("range", "bytes=100-"), ("if-range", "\"old\"")], 200),
            (&[("range", "bytes=100-"), ("if-none-match", "\"v1\"")], 304),
        ] {
            let own =
                if status == 304 { Reply::new(304).header("etag", "\"v1\"") } else { fresh().body("x") };
            let scene = Scene::new([beyond(), own]);
            assert_eq!(scene.ask("/x", fields).await.status(), status, "{fields:?}");
        }
        let block = first_block("max-age=1");
        let scene =
            Scene::new([block, Reply::new(416).header("content-range", "bytes */0"), fresh().body("")]);
        assert_eq!(scene.ask("/x", &[("range", "bytes=0-9")]).await.status(), 206);
        tokio::time::sleep(SECOND * 2).await;
        assert_eq!(scene.ask("/x", &[]).await.status(), 200, "it has not asked for a part");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn only_if_cached_asks_nobody_for_blocks_that_are_not_there() {
    // RFC 9111 §5.2.1.7
    local(async {
        let block = first_block("max-age=60");
        let scene = Scene::new([block]);
        let only = ("cache-control", "only-if-cached");
        assert_eq!(scene.ask("/x", &[("range", "bytes=0-9")]).await.status(), 206);
        assert_eq!(scene.ask("/x", &[("range", "bytes=5-9"), only]).await.status(), 206);
        assert_eq!(scene.ask("/x", &[("range", "bytes=500000-500009"), only]).await.status(), 504);
        assert_eq!(scene.upstream.count(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_made_here_may_be_kept_by_nobody_and_describes_no_body() {
    // RFC 9111 §3, RFC 9530 §2
    local(async {
        let reply = fresh().header("content-type", "video/mp4").header("content-digest", "sha-256=:x:");
        let scene = Scene::new([reply.header("expires", "0").body("0123456789")]);
        scene.load("/x").await;
        for (fields, status) in [([("if-match", "\"x\"")], 412), ([("range", "bytes=100-")], 416)] {
            let answer = scene.ask("/x", &fields).await;
            assert_eq!((answer.status().as_u16(), field(&answer, "cache-control")), (status, "no-store"));
            for name in ["content-type", "content-digest", "age", "expires"] {
                assert!(!answer.headers().contains_key(name), "{status} {name}");
            }
        }
        let part = scene.ask("/x", &[("range", "bytes=0-3")]).await;
        assert!(part.status() == 206 && !part.headers().contains_key("content-digest"));
        assert!(scene.ask("/x", &[]).await.headers().contains_key("content-digest"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_53_ranges_that_lie_together_cost_the_blocks_they_lie_in() {
    local(async {
        let block = first_block("max-age=60");
        let scene = Scene::new([block]);
        assert_eq!(scene.ask("/x", &[("range", "bytes=0-0,2-2")]).await.status(), 206);
        let asked = &scene.upstream.questions()[0].headers;
        assert_eq!(asked["range"], "bytes=0-262143");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_alike_do_not_wait_for_each_other_in_single_file() {
    local(async {
        let odd = || Reply::new(200).header("etag", "\"1\"").after(SECOND).body("x");
        let shut = || Reply::new(403).after(SECOND).body("no");
        for (fields, reply, rounds) in [
            (&[("cookie", "a=b")][..], odd as fn() -> Reply, 2),
            (&[("authorization", "Bearer x")], || fresh().after(SECOND).body("x"), 2),
            (&[("cache-control", "no-store")], || fresh().after(SECOND).body("x"), 2),
            (&[("cookie", "a=b")], || Reply::new(200).header("cache-control", "private").after(SECOND), 2),
            (&[], shut, 3),
        ] {
            let scene = Rc::new(Scene::new((0..60).map(|_| reply())));
            let began = Instant::now();
            let all: Vec<_> = (0..20)
                .map(|_| {
                    let scene = Rc::clone(&scene);
                    tokio::task::spawn_local(
                        async move { read(scene.ask("/x", fields).await.into_body()).await },
                    )
                })
                .collect();
            for one in all {
                one.await.unwrap().unwrap();
            }
            assert!(began.elapsed() <= SECOND * rounds, "{fields:?}: {:?}", began.elapsed());
            // Who comes afterwards waits for nobody.
            let began = Instant::now();
            read(scene.ask("/x", fields).await.into_body()).await.unwrap();
            assert!(began.elapsed() <= SECOND, "{fields:?}: {:?}", began.elapsed());
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_brings_nothing_is_not_begun_by_each_hit() {
    // RFC 5861 §3
    local(async {
        let kept = Reply::new(200).header("cache-control", "max-age=1, stale-while-revalidate=600");
        let replies = (0..60).map(|_| Reply::new(403).body("no"));
        let scene = Scene::new([kept.header("etag", "\"v1\"").body("x")].into_iter().chain(replies));
        later(&scene, "/x", 2).await;
        for _ in 0..40 {
            scene.ask("/x", &[]).await;
            tokio::time::sleep(SECOND / 10).await;
        }
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_is_for_all_whoever_has_begun_it() {
    // RFC 5861 §3
    local(async {
        for client in [
            &[("cache-control", "no-store")][..],
            &[("authorization", "Bearer x")],
            &[("range", "bytes=1000000-")],
        ] {
            let kept = Reply::new(200).header("cache-control", "max-age=1, stale-while-revalidate=600");
            let scene = Scene::new([kept.body("old"), fresh().body("new")]);
            later(&scene, "/x", 2).await;
            for fields in [client, &[]] {
                read(scene.ask("/x", fields).await.into_body()).await.unwrap();
                tokio::time::sleep(SECOND).await;
            }
            assert_eq!(scene.text("/x", &[]).await, "new", "{client:?}");
            let asked = &scene.upstream.questions()[1].headers;
            assert!(!asked.contains_key("range") && !asked.contains_key("authorization"), "{client:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_range_beyond_the_end_throws_away_nothing_that_may_stand_in() {
    local(async {
        let kept = Reply::new(200).header("cache-control", "max-age=1").body("0123456789");
        let scene = Scene::new([kept, Reply::new(416).header("content-range", "bytes */10")]);
        later(&scene, "/x", 2).await;
        assert_eq!(scene.ask("/x", &[("range", "bytes=300000-")]).await.status(), 416);
        scene.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(scene.text("/x", &[]).await, "0123456789");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_wants_only_what_is_here_asks_nobody_whatever_else_he_wishes() {
    // RFC 9111 §5.2.1.7
    local(async {
        let scene = Scene::new([]);
        let both = [("cache-control", "no-store, only-if-cached")];
        assert_eq!(scene.ask("/x", &both).await.status(), 504);
        scene.edge.overload.fill_memory(true);
        assert_eq!(scene.ask("/x", &[("cache-control", "only-if-cached")]).await.status(), 504);
        assert_eq!(scene.upstream.count(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_for_one_who_says_who_he_is_is_no_word_about_others() {
    local(async {
        for client in [&[("cookie", "sid=alice")][..], &[("authorization", "Bearer alice")]] {
            for (name, value) in
                [("cache-control", "private"), ("cache-control", "no-store"), ("set-cookie", "sid=alice")]
            {
                let own = || fresh().header(name, value).body("alice");
                let scene =
                    Rc::new(Scene::new([brief().body("x"), own(), not_modified("max-age=60"), own()]));
                later(&scene, "/x", 2).await;
                assert_eq!(scene.text("/x", client).await, "alice", "{value}");
                // What is stored stands, and is asked about once for all.
                let others: Vec<_> = (0..9).map(|_| scene.start("/x")).collect();
                for other in others {
                    assert_eq!(other.await.unwrap().1, Ok(Bytes::from("x")), "{client:?} {value}");
                }
                assert_eq!(scene.upstream.count(), 3, "{client:?} {value}");
                assert!(scene.upstream.questions()[2].headers.contains_key("if-none-match"));
                assert!(is_hit(&scene.ask("/x", &[]).await));
            }
        }
    })
    .await;
}

/// A 304 dates what is stored anew, which made a strong validator of a time within the second of which it may have changed.
#[tokio::test(start_paused = true)]
async fn a_304_makes_no_strong_validator_of_a_date() {
    // RFC 9110 §8.8.2.2, §13.1.5
    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    local(async {
        for (made, status) in [(THEN, 200), ("Sun, 06 Nov 1994 08:49:38 GMT", 206)] {
            let reply = |status| {
                Reply::new(status).header("cache-control", "max-age=1").header("last-modified", THEN)
            };
            let renewed = || reply(304).header("date", "Sun, 06 Nov 1994 08:50:00 GMT");
            let scene =
                Scene::new([reply(200).header("date", made).body("0123456789"), renewed(), renewed()]);
            for _ in 0..3 {
                let part = scene.ask("/x", &[("range", "bytes=2-3"), ("if-range", THEN)]).await;
                assert_eq!(part.status().as_u16(), status, "{made}");
                tokio::time::sleep(SECOND * 2).await;
            }
        }
    })
    .await;
}
