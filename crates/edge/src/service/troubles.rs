//! What an error does to those who wait for it, and to what is stored: as little as it says.

use super::tests::*;
use super::*;
use bytes::Bytes;
use http::StatusCode;
use testkit::upstream::Reply;

/// What error pages say of themselves.
const WORDS: [(&str, &str); 4] = [
    ("cache-control", "no-store"),
    ("cache-control", "private, no-store"),
    ("cache-control", "private"),
    ("set-cookie", "sid=1"),
];

fn brief(control: &'static str) -> Reply {
    Reply::new(200).header("cache-control", control).header("etag", "\"1\"").body("x")
}

/// What `count` clients get who ask at once, each with the fields of its number.
async fn herd(
    scene: &Rc<Scene>,
    count: usize,
    fields: impl Fn(usize) -> &'static [(&'static str, &'static str)],
) -> Vec<(StatusCode, Bytes)> {
    let clients: Vec<_> = (0..count)
        .map(|number| {
            let (scene, fields) = (Rc::clone(scene), fields(number));
            tokio::task::spawn_local(async move {
                let answer = scene.ask("/x", fields).await;
                (answer.status(), read(answer.into_body()).await.unwrap())
            })
        })
        .collect();
    let mut answers = Vec::new();
    for client in clients {
        answers.push(client.await.unwrap());
    }
    answers
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_to_be_kept_takes_away_neither_the_cache_nor_what_stands_in() {
    local(async {
        for (name, value) in WORDS {
            let bad = Reply::new(400).header(name, value).body("what?");
            let scene = Rc::new(Scene::new([
                brief("max-age=1, stale-if-error=600"),
                bad,
                brief("max-age=60").after(SECOND),
            ]));
            scene.load("/x").await;
            tokio::time::sleep(SECOND * 2).await;
            assert_eq!(scene.ask("/x", &[("x-odd", "1")]).await.status(), 400, "{value}");
            assert!(scene.edge.memory.holds(&key_of(&scene.edge, &scene.asked("GET", "/x", &[]))));
            for answer in herd(&scene, 30, |_| &[]).await {
                assert_eq!(answer, (StatusCode::OK, Bytes::from("x")), "{value}");
            }
            assert_eq!(scene.upstream.count(), 3, "{value}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_is_refused_loses_nothing() {
    // RFC 5861 §3
    local(async {
        for (name, value) in WORDS {
            let limit = || Reply::new(429).header("retry-after", "30").header(name, value).body("too many");
            let kept = brief("max-age=1, stale-while-revalidate=600");
            let scene = Scene::new([kept].into_iter().chain((0..9).map(|_| limit())));
            scene.load("/x").await;
            for _ in 0..4 {
                tokio::time::sleep(SECOND * 20).await;
                assert_eq!(scene.text("/x", &[]).await, "x", "{value}");
            }
            assert!(scene.upstream.count() > 2);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_stands_in_for_nothing_any_more() {
    local(async {
        let gone = Reply::new(410).header("cache-control", "no-store").body("gone");
        let scene = Scene::new([brief("max-age=1, stale-if-error=600"), gone]);
        scene.load("/x").await;
        tokio::time::sleep(SECOND * 2).await;
        assert_eq!(scene.ask("/x", &[]).await.status(), 410);
        scene.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(scene.ask("/x", &[]).await.status(), 504);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_upstream_in_trouble_is_asked_once_for_all_who_wait() {
    local(async {
        for (status, name, value) in [
            (503, "cache-control", "no-store"),
            (503, "cache-control", "no-cache, no-store, must-revalidate, max-age=0"),
            (503, "vary", "accept-encoding"),
            (429, "retry-after", "30"),
            (429, "cache-control", "no-store"),
            // RFC 6585 §4: it is not stored, whatever it says.
            (429, "cache-control", "max-age=60"),
        ] {
            let trouble = move || Reply::new(status).header(name, value).after(SECOND).body("wait");
            let scene = Rc::new(Scene::new([trouble(), trouble(), brief("max-age=60")]));
            for round in 1..=2 {
                for answer in herd(&scene, 30, |_| &[]).await {
                    assert_eq!(answer, (StatusCode::from_u16(status).unwrap(), Bytes::from("wait")));
                }
                assert_eq!(scene.upstream.count(), round, "{status} {value}");
            }
            // Well again.
            herd(&scene, 30, |_| &[]).await;
            assert_eq!(scene.upstream.count(), 3, "{status} {value}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_that_differs_goes_to_those_who_asked_alike() {
    // RFC 9111 §4.1
    local(async {
        let trouble = |body: &'static str| {
            Reply::new(503).header("vary", "accept-encoding").after(SECOND).data(body).pause(SECOND)
        };
        let scene = Rc::new(Scene::new([trouble("one"), trouble("other")]));
        let gzip: fn(usize) -> &'static [(&'static str, &'static str)] =
            |number| if number % 2 == 0 { &[("accept-encoding", "gzip")] } else { &[] };
        for (number, (status, body)) in herd(&scene, 30, gzip).await.into_iter().enumerate() {
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(body, if number % 2 == 0 { "one" } else { "other" }, "{number}");
        }
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_for_one_is_handed_to_nobody_else() {
    local(async {
        for (status, name, value, client) in [
            (503, "cache-control", "private", &[][..]),
            (503, "cache-control", "private, no-store", &[]),
            (503, "set-cookie", "sid=1", &[]),
            (503, "vary", "*", &[]),
            (503, "cache-control", "no-store", &[("authorization", "Bearer x")]),
            (429, "cache-control", "no-store", &[("cookie", "sid=1")]),
            (404, "last-modified", "Sun, 06 Nov 1994 08:49:37 GMT", &[("cookie", "sid=1")]),
        ] {
            let trouble = Reply::new(status).header(name, value).after(SECOND).body("yours");
            let replies = (0..3).map(|_| brief("max-age=60").after(SECOND));
            let scene = Rc::new(Scene::new([trouble].into_iter().chain(replies)));
            let own: Vec<_> = herd(&scene, 3, move |number| if number == 0 { client } else { &[] }).await;
            assert_eq!((own[0].0.as_u16(), &own[0].1[..]), (status, &b"yours"[..]), "{value}");
            assert!(own[1..].iter().all(|(status, _)| *status == StatusCode::OK), "{value}: {own:?}");
            assert_eq!(scene.upstream.count(), 2, "{value}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_question_that_the_upstream_hangs_up_on_fails_for_its_client_alone() {
    local(async {
        // A 304 to a question without conditions is none that can be read.
        let unreadable = || Reply::new(304).after(SECOND);
        let scene = Rc::new(Scene::new([unreadable(), brief("max-age=60").after(SECOND)]));
        let answers = herd(&scene, 30, |_| &[]).await;
        assert_eq!(answers[0].0, StatusCode::BAD_GATEWAY);
        assert!(answers[1..].iter().all(|(status, _)| *status == StatusCode::OK), "{answers:?}");
        assert_eq!(scene.upstream.count(), 2);
        // All get the same where it is not the question.
        let scene = Rc::new(Scene::new((0..9).map(|_| unreadable())));
        let answers = herd(&scene, 30, |_| &[]).await;
        assert!(answers.iter().all(|(status, _)| *status == StatusCode::BAD_GATEWAY));
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

/// Over HTTP/2 and HTTP/3 it went out with its length, and was a broken answer to its client; one that may be kept was taken for one
/// that had broken off.
#[tokio::test(start_paused = true)]
async fn the_length_that_an_origin_states_of_no_content_is_none() {
    // RFC 9110 §8.6, RFC 9113 §8.1.1
    local(async {
        for control in ["no-store", "max-age=60"] {
            let reply = || Reply::new(204).header("cache-control", control).header("content-length", "2");
            let scene = Rc::new(Scene::new([reply(), reply(), reply()]));
            for method in ["GET", "HEAD", "GET"] {
                let answer = scene.ask_by(method, "/x", &[]).await;
                assert_eq!(
                    (answer.status().as_u16(), field(&answer, "content-length")),
                    (204, ""),
                    "{method}"
                );
                assert_eq!(read(answer.into_body()).await, Ok(Bytes::new()), "{method} {control}");
            }
            assert_eq!(scene.upstream.count(), if control == "no-store" { 3 } else { 1 });
            let changed = Scene::new([reply()]).change("POST", "/x", &[]).await;
            assert_eq!((changed.status().as_u16(), field(&changed, "content-length")), (204, ""));
        }
    })
    .await;
}

/// A client over HTTP/1.1 had its connection closed without a word, one over HTTP/2 its stream reset.
#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_before_its_first_byte_is_none() {
    local(async {
        let soon = SECOND / 10;
        for control in ["max-age=60", "no-store"] {
            for length in [Some("1"), None] {
                let broken = || {
                    let head = Reply::new(200).header("cache-control", control);
                    let head =
                        if let Some(length) = length { head.header("content-length", length) } else { head };
                    head.pause(soon).cut()
                };
                let scene = Rc::new(Scene::new([broken(), brief("max-age=60"), broken()]));
                let answer = scene.ask("/x", &[]).await;
                assert_eq!(answer.status(), 502, "{control}");
                assert!(field(&answer, "cache-status").ends_with("; detail=protocol"), "{control}");
                assert_eq!(scene.text("/x", &[]).await, "x", "{control}");
                assert_eq!(scene.change("POST", "/x", &[]).await.status(), 502, "{control}");
            }
        }
        // Those who wait with the first ask once more, together.
        let scene =
            Rc::new(Scene::new([Reply::new(200).pause(soon).cut(), brief("max-age=60").after(SECOND)]));
        let answers = herd(&scene, 30, |_| &[]).await;
        assert_eq!(answers[0].0, StatusCode::BAD_GATEWAY);
        assert!(answers[1..].iter().all(|(status, _)| *status == StatusCode::OK), "{answers:?}");
        assert_eq!(scene.upstream.count(), 2);
        // What is stored stands in.
        let scene = Scene::new([brief("max-age=1, stale-if-error=600"), Reply::new(200).pause(soon).cut()]);
        scene.load("/x").await;
        tokio::time::sleep(SECOND * 2).await;
        assert_eq!(scene.text("/x", &[]).await, "x");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_head_does_not_wait_for_a_slow_first_byte() {
    local(async {
        for control in ["max-age=60", "no-store"] {
            let slow = Reply::new(200).header("cache-control", control).pause(SECOND * 5).data("x");
            let scene = Scene::new([slow]);
            let asked = tokio::time::Instant::now();
            let answer = scene.ask("/x", &[]).await;
            assert!(asked.elapsed() < SECOND / 2, "{control}");
            assert_eq!(read(answer.into_body()).await, Ok(Bytes::from("x")), "{control}");
        }
    })
    .await;
}
