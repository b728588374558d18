//! The whole journey of a request over a scripted upstream, with the clock paused: no sockets, no sleeps.

use super::*;
use crate::edge::Shared;
use crate::options::{Config, Options};
use crate::policy::CacheOptions;
use crate::response::EdgeBody;
use crate::upstream::{Dial, GroupOptions, ServerOptions};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use std::io::ErrorKind;
use std::time::Duration;
use telemetry::Telemetry;
use testkit::upstream::{Reply, Upstream};
use tokio::task::{JoinHandle, LocalSet};

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// An edge over a scripted upstream.
pub(super) struct Scene {
    pub(super) edge: Rc<Edge>,
    pub(super) upstream: Rc<Upstream>,
}

impl Scene {
    pub(super) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with(CacheOptions::default(), replies)
    }

    /// One whose operator has chosen.
    pub(super) fn with(cache: CacheOptions, replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::over(Options { cache, ..Options::default() }, replies)
    }

    /// One with these options.
    pub(super) fn over(options: Options, replies: impl IntoIterator<Item = Reply>) -> Self {
        let options = Options { upstream: Some(vec!["http://origin".to_owned()]), ..options };
        let config = Config::resolve(&options).unwrap();
        let upstream = Upstream::new(replies);
        let edge =
            Shared::new(config, &Telemetry::new("test")).dialling(Dial::Scripted(Rc::clone(&upstream)));
        Self { edge: Rc::new(edge), upstream }
    }

    pub(super) async fn ask(&self, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.ask_by("GET", target, fields).await
    }

    pub(super) async fn ask_by(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.answer(self.asked(method, target, fields)).await
    }

    /// What is answered from a request's very beginning.
    pub(super) async fn call(&self, mut asked: Box<Asked>, peer: &Peer) -> Answer {
        let begun = begun::begun(&self.edge, &mut asked, peer);
        begun.end(Rc::clone(&self.edge), asked, serve::RequestBody::none(), peer).await
    }

    /// What the cache says, whoever asks and however it stands.
    pub(super) async fn answer(&self, mut asked: Box<Asked>) -> Answer {
        match begun::found(&self.edge, &mut asked) {
            Ok(answer) => answer,
            Err(primary) => answer(Rc::clone(&self.edge), asked, primary).await,
        }
    }

    /// Asks and reads the answer to its end.
    pub(super) async fn text(&self, target: &str, fields: &[(&str, &str)]) -> String {
        let body = read(self.ask(target, fields).await.into_body()).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// The request as the edge reads it.
    pub(super) fn asked(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Box<Asked> {
        let mut request = Request::builder().method(method).uri(target).header("host", "a");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        Asked::read(request.body(()).unwrap().into_parts().0, Instant::now()).unwrap()
    }

    /// Has it fetched and stored.
    pub(super) async fn load(&self, target: &str) {
        let answer = self.ask(target, &[]).await;
        read(answer.into_body()).await.unwrap();
    }

    /// Asks and reads the answer to its end, as a task of its own.
    pub(super) fn start(
        self: &Rc<Self>,
        target: &'static str,
    ) -> JoinHandle<(StatusCode, Result<Bytes, ()>)> {
        let scene = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let answer = scene.ask(target, &[]).await;
            let status = answer.status();
            (status, read(answer.into_body()).await)
        })
    }
}

/// An edge whose servers are told the client's host, or are not.
pub(super) fn before_group(
    hosts: &[&str],
    host_header: Option<&str>,
    replies: impl IntoIterator<Item = Reply>,
) -> Scene {
    let server = ServerOptions { url: "http://lessons".to_owned(), ..ServerOptions::default() };
    let group = GroupOptions {
        name: "lessons".to_owned(),
        hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        tiers: vec![vec![server]],
        host_header: host_header.map(str::to_owned),
        ..GroupOptions::default()
    };
    Scene::over(Options { group: Some(vec![group]), ..Options::default() }, replies)
}

pub(super) async fn read(body: EdgeBody) -> Result<Bytes, ()> {
    body.collect().await.map(http_body_util::Collected::to_bytes).map_err(|_| ())
}

pub(super) fn field<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

pub(super) fn fresh() -> Reply {
    Reply::new(200).header("cache-control", "max-age=60").header("etag", "\"v1\"")
}

/// Every test runs on one thread with the clock paused.
/// The first block of something in blocks, of a million bytes in all, with this Cache-Control.
pub(super) fn first_block(control: &'static str) -> Reply {
    let block = Reply::new(206).header("cache-control", control).header("etag", "\"v1\"");
    block.header("content-range", "bytes 0-262143/1000000").body(vec![b'x'; 262_144])
}

pub(super) async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

#[tokio::test(start_paused = true)]
async fn one_hundred_clients_make_one_fetch() {
    local(async {
        let reply =
            fresh().after(SECOND).header("content-length", "10").data("01234").pause(SECOND).data("56789");
        let scene = Rc::new(Scene::new([reply]));
        let clients: Vec<_> = (0..100).map(|_| scene.start("/x")).collect();
        for client in clients {
            assert_eq!(client.await.unwrap(), (StatusCode::OK, Ok(Bytes::from("0123456789"))));
        }
        assert_eq!(scene.upstream.count(), 1);
        let again = scene.ask("/x", &[]).await;
        assert!(field(&again, "cache-status").starts_with("airclass; hit; ttl="), "{:?}", again.headers());
        assert_eq!(scene.upstream.count(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_first_client_leaving_or_not_reading_changes_nothing_for_the_others() {
    local(async {
        let reply =
            fresh().after(SECOND).header("content-length", "10").data("01234").pause(SECOND).data("56789");
        let scene = Rc::new(Scene::new([reply]));
        let leaver = scene.start("/x");
        tokio::task::yield_now().await;
        let sleeper = Rc::clone(&scene);
        // Has the head and never reads a byte.
        let sleeper = tokio::task::spawn_local(async move { sleeper.ask("/x", &[]).await });
        let reader = scene.start("/x");
        tokio::time::sleep(SECOND / 2).await;
        leaver.abort();
        let _unread = sleeper.await.unwrap();
        assert_eq!(reader.await.unwrap().1, Ok(Bytes::from("0123456789")));
        assert_eq!(scene.upstream.count(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_in_mid_fill_gets_the_whole_at_once_what_is_there() {
    local(async {
        let reply = fresh().header("content-length", "10").data("01234").pause(10 * SECOND).data("56789");
        let scene = Rc::new(Scene::new([reply]));
        let first = scene.start("/x");
        tokio::time::sleep(SECOND).await;
        let started = Instant::now();
        let mut late = scene.ask("/x", &[]).await.into_body();
        let piece = late.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((piece, started.elapsed()), (Bytes::from("01234"), Duration::ZERO));
        assert_eq!(read(late).await, Ok(Bytes::from("56789")));
        assert_eq!(first.await.unwrap().1, Ok(Bytes::from("0123456789")));
        assert_eq!(scene.upstream.count(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_49_a_body_cut_short_is_an_error_for_all_and_never_a_hit() {
    local(async {
        // Without a strong validator nobody can be asked for the rest.
        let unvalidated = || Reply::new(200).header("cache-control", "max-age=60").header("etag", "W/\"v1\"");
        for broken in [
            unvalidated().header("content-length", "10").data("01234").pause(SECOND).cut(),
            unvalidated().data("01234").pause(SECOND).cut(),
            unvalidated().header("content-length", "10").data("01234").pause(60 * SECOND).data("56789"),
        ] {
            let scene = Rc::new(Scene::new([broken, fresh().body("whole")]));
            let clients = [scene.start("/x"), scene.start("/x")];
            for client in clients {
                assert_eq!(client.await.unwrap(), (StatusCode::OK, Err(())));
            }
            assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await, Ok(Bytes::from("whole")));
            assert_eq!(scene.upstream.count(), 2);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_origin_is_504_with_a_reason_and_a_time_to_ask_again() {
    local(async {
        let scene = Scene::new([]);
        scene.upstream.go_down(ErrorKind::ConnectionRefused);
        let answer = scene.ask("/x", &[]).await;
        assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(field(&answer, "cache-status"), "airclass; fwd=uri-miss; detail=connect");
        assert_eq!(field(&answer, "retry-after"), "5");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_does_not_answer_the_door_is_504_within_the_connect_time_out() {
    local(async {
        let scene = Scene::new([]);
        scene.upstream.fall_silent();
        let started = Instant::now();
        let answer = scene.ask("/x", &[]).await;
        assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(field(&answer, "cache-status"), "airclass; fwd=uri-miss; detail=connect-timeout");
        assert_eq!(started.elapsed(), scene.edge.config.limits.connect);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hit_says_its_age_and_what_is_left() {
    local(async {
        let scene = Scene::new([fresh().header("age", "7").body("x")]);
        scene.ask("/x", &[]).await;
        tokio::time::sleep(3 * SECOND).await;
        let answer = scene.ask("/x", &[]).await;
        assert_eq!(field(&answer, "age"), "10");
        assert_eq!(field(&answer, "cache-status"), "airclass; hit; ttl=50");
        assert_eq!(field(&answer, "content-length"), "1");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stale_response_is_asked_about_once_and_freshened_by_304() {
    local(async {
        let not_modified =
            Reply::new(304).after(SECOND).header("cache-control", "max-age=90").header("etag", "\"v1\"");
        let scene = Rc::new(Scene::new([fresh().body("body"), not_modified]));
        scene.load("/x").await;
        tokio::time::sleep(61 * SECOND).await;
        // The herd of an expired object asks once (traffic server's issue 12166 is the counter-example).
        let herd: Vec<_> = (0..50).map(|_| scene.start("/x")).collect();
        for client in herd {
            assert_eq!(client.await.unwrap().1, Ok(Bytes::from("body")));
        }
        let questions = scene.upstream.questions();
        assert_eq!(questions.len(), 2);
        assert_eq!(questions[1].headers["if-none-match"], "\"v1\"");
        tokio::time::sleep(80 * SECOND).await;
        assert!(field(&scene.ask("/x", &[]).await, "cache-status").starts_with("airclass; hit"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn stale_while_revalidate_serves_at_once_and_asks_once_behind() {
    local(async {
        let first =
            Reply::new(200).header("cache-control", "max-age=5, stale-while-revalidate=30").body("old");
        let second = Reply::new(200).after(SECOND).header("cache-control", "max-age=5").body("new");
        let scene = Rc::new(Scene::new([first, second]));
        scene.load("/x").await;
        tokio::time::sleep(6 * SECOND).await;
        for _ in 0..10 {
            let started = Instant::now();
            let answer = scene.ask("/x", &[]).await;
            assert_eq!(started.elapsed(), Duration::ZERO);
            assert_eq!(field(&answer, "cache-status"), "airclass; hit; ttl=-1");
            assert_eq!(read(answer.into_body()).await, Ok(Bytes::from("old")));
        }
        tokio::time::sleep(2 * SECOND).await;
        assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await, Ok(Bytes::from("new")));
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn stale_stands_in_for_a_dead_or_failing_origin_unless_forbidden() {
    local(async {
        for (control, age, served) in [
            ("max-age=5", 6, true),
            ("max-age=5", 25 * 3_600, false),
            ("max-age=5, stale-if-error=60", 60, true),
            ("max-age=5, stale-if-error=60", 70, false),
            ("max-age=5, must-revalidate", 6, false),
            ("no-cache", 6, false),
        ] {
            for failing in [None, Some(503)] {
                let stored =
                    Reply::new(200).header("cache-control", control).header("etag", "\"a\"").body("old");
                let scene = Rc::new(Scene::new([stored]));
                scene.load("/x").await;
                match failing {
                    None => scene.upstream.go_down(ErrorKind::ConnectionRefused),
                    Some(status) => {
                        scene.upstream.then(Reply::new(status).header("cache-control", "no-store"))
                    }
                }
                tokio::time::sleep(age * SECOND).await;
                let answer = scene.ask("/x", &[]).await;
                let expected = if served { 200 } else { failing.unwrap_or(504) };
                assert_eq!(answer.status().as_u16(), expected, "{control} {age} {failing:?}");
                if served {
                    assert!(field(&answer, "cache-status").contains("detail=stale-on-error"));
                }
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_43_what_is_private_is_asked_for_by_each() {
    local(async {
        for (name, value) in [
            ("cache-control", "private, max-age=60"),
            ("set-cookie", "who=me"),
            ("cache-control", "no-store"),
        ] {
            let reply = |body: &'static str| {
                Reply::new(200).after(SECOND).header("etag", "\"a\"").header(name, value).body(body)
            };
            let scene = Rc::new(Scene::new([reply("one"), reply("two"), reply("three")]));
            let clients = [scene.start("/x"), scene.start("/x"), scene.start("/x")];
            let mut bodies = Vec::new();
            for client in clients {
                bodies.push(client.await.unwrap().1.unwrap());
            }
            bodies.sort();
            assert_eq!(bodies, ["one", "three", "two"], "{name}: {value}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn variants_are_told_apart_also_while_they_are_fetched() {
    local(async {
        let reply = |body: &'static str| {
            fresh().after(SECOND).header("vary", "accept-encoding, x-band").header("x-band", "any").body(body)
        };
        let scene = Rc::new(Scene::new([reply("one"), reply("two")]));
        let ask = |band: &'static str| {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move {
                read(scene.ask("/x", &[("x-band", band)]).await.into_body()).await.unwrap()
            })
        };
        let both = [ask("1"), ask("2")];
        let mut bodies = Vec::new();
        for one in both {
            bodies.push(one.await.unwrap());
        }
        bodies.sort();
        assert_eq!(bodies, ["one", "two"]);
        let count = scene.upstream.count();
        assert_eq!(ask("1").await.unwrap(), "one");
        assert_eq!(count, 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn ranges_and_conditions_are_answered_here_also_while_the_body_grows() {
    local(async {
        let reply = fresh().header("content-length", "10").data("01234").pause(SECOND).data("56789");
        let scene = Rc::new(Scene::new([reply]));
        let whole = scene.start("/x");
        tokio::time::sleep(SECOND / 2).await;
        for _ in 0..2 {
            let part = scene.ask("/x", &[("range", "bytes=3-6")]).await;
            assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
            assert_eq!(
                (field(&part, "content-range"), field(&part, "content-length")),
                ("bytes 3-6/10", "4")
            );
            assert_eq!(read(part.into_body()).await, Ok(Bytes::from("3456")));
        }
        let beyond = scene.ask("/x", &[("range", "bytes=10-")]).await;
        assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(field(&beyond, "content-range"), "bytes */10");
        let other = scene.ask("/x", &[("range", "bytes=3-6"), ("if-range", "\"v0\"")]).await;
        assert_eq!(other.status(), StatusCode::OK);
        let known = scene.ask("/x", &[("if-none-match", "\"v1\"")]).await;
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        assert_eq!((field(&known, "etag"), field(&known, "content-length")), ("\"v1\"", ""));
        let head = scene.ask_by("HEAD", "/x", &[]).await;
        assert_eq!((head.status(), field(&head, "content-length")), (StatusCode::OK, "10"));
        assert_eq!(read(head.into_body()).await, Ok(Bytes::new()));
        assert_eq!(whole.await.unwrap().1, Ok(Bytes::from("0123456789")));
        assert_eq!(scene.upstream.count(), 1);
        assert!(!scene.upstream.questions()[0].headers.contains_key("range"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn only_if_cached_is_never_forwarded() {
    local(async {
        let scene = Scene::new([fresh().body("x")]);
        let answer = scene.ask("/x", &[("cache-control", "only-if-cached")]).await;
        assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(scene.upstream.count(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_48_a_clients_reload_does_not_reach_the_origin() {
    local(async {
        let scene = Scene::new([fresh().body("x")]);
        scene.ask("/x", &[]).await;
        for fields in [
            &[("cache-control", "no-cache")][..],
            &[("cache-control", "max-age=0")],
            &[("pragma", "no-cache")],
        ] {
            assert!(field(&scene.ask("/x", fields).await, "cache-status").starts_with("airclass; hit"));
        }
        assert_eq!(scene.upstream.count(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_must_be_asked_about_serves_those_that_waited_and_nobody_after_them() {
    local(async {
        let reply = |body: &'static str| {
            Reply::new(200)
                .after(SECOND)
                .header("cache-control", "no-cache")
                .header("etag", "\"a\"")
                .header("content-length", "3")
                .pause(SECOND)
                .data(body)
        };
        let scene = Rc::new(Scene::new([reply("one"), reply("two"), Reply::new(304)]));
        let waiting = [scene.start("/x"), scene.start("/x")];
        tokio::time::sleep(SECOND + SECOND / 2).await;
        let after = scene.start("/x");
        for client in waiting {
            assert_eq!(client.await.unwrap().1, Ok(Bytes::from("one")));
        }
        assert_eq!(after.await.unwrap().1, Ok(Bytes::from("two")));
        // Stored all the same, and asked about.
        assert_eq!(scene.start("/x").await.unwrap().1, Ok(Bytes::from("one")));
        assert_eq!(scene.upstream.questions()[2].headers["if-none-match"], "\"a\"");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_to_keep_goes_through() {
    local(async {
        let reply = || fresh().header("content-length", "3000000000").data("some").pause(SECOND).cut();
        let scene = Rc::new(Scene::new([reply(), reply()]));
        let answer = scene.ask("/x", &[]).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(field(&answer, "cache-status").ends_with("detail=too-large"), "{:?}", answer.headers());
        let answer = scene.ask("/x", &[("range", "bytes=0-0")]).await;
        assert_eq!(field(&answer, "cache-status"), "airclass; fwd=bypass");
        assert_eq!(scene.upstream.questions()[1].headers["range"], "bytes=0-0");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn errors_are_kept_only_as_long_as_they_say() {
    local(async {
        // Attack 44.
        let scene =
            Scene::new([Reply::new(404).header("cache-control", "max-age=5").body("no"), Reply::new(500)]);
        assert_eq!(scene.ask("/x", &[]).await.status(), StatusCode::NOT_FOUND);
        assert!(field(&scene.ask("/x", &[]).await, "cache-status").starts_with("airclass; hit"));
        assert_eq!(scene.ask("/y", &[]).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(scene.ask("/y", &[]).await.status().as_u16(), 599);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_reads_do_not_keep_the_cache_from_the_upstream() {
    local(async {
        let replies = (0..20).map(|_| Reply::new(200).body(vec![7; 4 << 20]));
        let options = Options { upstream_connections: Some(8), ..Options::default() };
        let scene = Rc::new(Scene::over(options, replies));
        let token = [("authorization", "x")];
        let mut unread = Vec::new();
        for _ in 0..10 {
            unread.push(scene.ask("/mine", &token).await);
        }
        let had = unread.iter().filter(|answer| answer.status() == StatusCode::OK).count();
        assert!((1..8).contains(&had), "{had}");
        scene.upstream.follow(|_| fresh().body("x"));
        assert_eq!(scene.text("/x", &[]).await, "x");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_without_a_length_that_is_too_large_breaks_off_once_and_then_comes() {
    local(async {
        // The RAM tier is 16 MiB, and an eighth of it the most for one object.
        let long = || (0..3).fold(fresh(), |reply, _| reply.data(vec![7; 1 << 20]));
        let options = Options { ram: Some(units::ByteCount::mib(16)), ..Options::default() };
        let scene = Scene::over(options, [long(), long(), long(), fresh().body("x")]);
        assert!(read(scene.ask("/x", &[]).await.into_body()).await.is_err());
        for _ in 0..2 {
            assert_eq!(read(scene.ask("/x", &[]).await.into_body()).await.unwrap().len(), 3 << 20);
            tokio::time::sleep(10 * 3_600 * SECOND).await;
        }
        // Some day it is looked at anew.
        tokio::time::sleep(5 * 3_600 * SECOND).await;
        assert_eq!(scene.text("/x", &[]).await, "x");
    })
    .await;
}
