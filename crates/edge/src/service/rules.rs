//! RFC 9110, 9111, 5861, 8246, 9211 and 9213 through the whole edge: a table of journeys by section.

use super::changes::hit;
use super::tests::*;
use crate::policy::{CacheOptions, ClientReload};
use http::StatusCode;

use bytes::Bytes;
use std::rc::Rc;
use std::time::Duration;
use testkit::upstream::Reply;

fn honouring() -> CacheOptions {
    CacheOptions { client_reload: Some(ClientReload::Honour), ..CacheOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn a_digest_is_told_to_who_asks_for_it() {
    // RFC 9530 §3, §4; the example of Appendix B.1.
    const DIGEST: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    local(async {
        let scene = Scene::new([
            fresh().body("{\"hello\": \"world\"}\n"),
            fresh().header("repr-digest", "a").body("x"),
        ]);
        let wish = ("want-repr-digest", "sha-256=10");
        scene.load("/x").await;
        assert_eq!(field(&scene.ask("/x", &[wish]).await, "repr-digest"), DIGEST);
        let part = scene.ask("/x", &[wish, ("range", "bytes=3-5")]).await;
        assert_eq!((part.status(), field(&part, "repr-digest")), (StatusCode::PARTIAL_CONTENT, DIGEST));
        for fields in [&[][..], &[("want-repr-digest", "sha-512=1")]] {
            assert!(!scene.ask("/x", fields).await.headers().contains_key("repr-digest"), "{fields:?}");
        }
        scene.load("/y").await;
        assert_eq!(field(&scene.ask("/y", &[wish]).await, "repr-digest"), "a", "as the origin has it");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_not_what_its_digest_says_is_nobody_s_answer() {
    // RFC 9530 §3
    const DIGEST: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    local(async {
        let reply = || fresh().header("repr-digest", DIGEST);
        let halves = |end: &'static str| {
            reply().header("content-length", "19").data("{\"hello\": ").pause(SECOND).data(end)
        };
        let (wrong, right) = (halves("\"World\"}\n"), halves("\"world\"}\n"));
        let scene = Rc::new(Scene::new([wrong, right]));
        assert_eq!(scene.start("/x").await.unwrap(), (StatusCode::OK, Err(())));
        let body = Bytes::from("{\"hello\": \"world\"}\n");
        assert_eq!(scene.start("/x").await.unwrap(), (StatusCode::OK, Ok(body)));
        assert!(hit(&scene.ask("/x", &[]).await));
        // Where nobody has been told of it yet there is another answer.
        let at_once = reply().body("{\"hello\": \"World\"}\n");
        let brief = Reply::new(200).header("cache-control", "max-age=1, stale-if-error=60").body("old");
        let scene = Scene::new([at_once, brief, reply().body("x")]);
        assert_eq!(scene.ask("/x", &[]).await.status(), 502);
        scene.load("/x").await;
        tokio::time::sleep(SECOND * 2).await;
        assert_eq!(scene.text("/x", &[]).await, "old");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_45_a_url_has_only_so_many_variants() {
    local(async {
        let reply = || fresh().header("vary", "user-agent").body("x");
        let scene = Scene::new((0..200).map(|_| reply()));
        for n in 0..100 {
            scene.text("/x", &[("user-agent", &n.to_string())]).await;
        }
        scene.edge.memory.tend();
        let entries = u64::try_from(scene.edge.metrics.memory_objects.get()).unwrap();
        assert!(entries <= crate::store::MAX_VARIANTS as u64 + 1, "{entries}");
        assert!(hit(&scene.ask("/x", &[("user-agent", "99")]).await));
        assert!(!hit(&scene.ask("/x", &[("user-agent", "0")]).await));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_45_a_304_makes_no_more_variants_than_others() {
    local(async {
        let reply = fresh().header("vary", "accept-language").header("content-language", "de").body("x");
        let renewals = (0..100).map(|_| Reply::new(304).header("etag", "\"v1\""));
        let scene = Scene::with(honouring(), [reply].into_iter().chain(renewals));
        scene.text("/x", &[("accept-language", "de")]).await;
        for n in 0..100 {
            let languages = format!("de, x{n};q=0.5");
            scene.text("/x", &[("accept-language", &languages), ("cache-control", "no-cache")]).await;
        }
        assert_eq!(scene.upstream.count(), 101);
        scene.edge.memory.tend();
        let entries = u64::try_from(scene.edge.metrics.memory_objects.get()).unwrap();
        assert!(entries <= crate::store::MAX_VARIANTS as u64 + 1, "{entries}");
        // An order for the URL meets what was renewed.
        let last = [("accept-language", "de, x99;q=0.5")];
        assert!(hit(&scene.ask("/x", &last).await));
        scene.purge(::purge::What::Url("http://a/x".parse().unwrap()), ::purge::Mode::Soft);
        assert!(!hit(&scene.ask("/x", &last).await));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_45_vary_star_is_never_shared() {
    local(async {
        let reply = |body: &'static str| fresh().header("vary", "*").body(body);
        let scene = Scene::new([reply("one"), reply("two")]);
        assert_eq!(scene.text("/x", &[]).await, "one");
        assert_eq!(scene.text("/x", &[]).await, "two");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_variant_in_the_clients_own_language_answers_it() {
    // RFC 9111 §4.1
    local(async {
        let reply = fresh().header("vary", "accept-language").header("content-language", "de").body("Hallo");
        let scene = Scene::new([reply]);
        scene.text("/x", &[("accept-language", "en, de")]).await;
        for (languages, found) in [("de, EN", true), ("fr;q=0.5, de;q=1.0", true), ("fr, de;q=0.5", false)] {
            assert_eq!(hit(&scene.ask("/x", &[("accept-language", languages)]).await), found, "{languages}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_51_a_304_of_another_response_is_no_answer() {
    // RFC 9111 §4.3.4
    local(async {
        let stored =
            || Reply::new(200).header("cache-control", "max-age=5").header("etag", "\"a\"").body("old");
        let other = || Reply::new(304).header("etag", "\"b\"").header("cache-control", "max-age=60");
        for (replies, status, body) in [
            (vec![stored(), other(), fresh().body("new")], 200, "new"),
            (vec![stored(), other(), other()], 502, ""),
        ] {
            let scene = Scene::new(replies);
            scene.text("/x", &[]).await;
            tokio::time::sleep(25 * 3_600 * SECOND).await;
            let answer = scene.ask("/x", &[]).await;
            assert_eq!(answer.status().as_u16(), status);
            if status == 200 {
                assert_eq!(read(answer.into_body()).await, Ok(Bytes::from(body)));
            }
            let questions = scene.upstream.questions();
            assert_eq!(questions.len(), 3);
            assert!(!questions[2].headers.contains_key("if-none-match"));
        }
        // One that nobody asked for.
        let scene = Scene::new([Reply::new(304), Reply::new(304)]);
        assert_eq!(scene.ask("/x", &[]).await.status(), StatusCode::BAD_GATEWAY);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_304_updates_fields_but_not_those_of_the_bytes() {
    // RFC 9111 §3.2, §4.3.4
    local(async {
        let stored = Reply::new(200)
            .header("cache-control", "max-age=5")
            .header("etag", "\"a\"")
            .header("x-a", "1")
            .header("x-b", "1")
            .body("body");
        let fresher =
            Reply::new(304).header("etag", "W/\"a\"").header("x-a", "2").header("content-type", "t/t");
        let scene = Scene::new([stored, fresher]);
        scene.text("/x", &[]).await;
        tokio::time::sleep(6 * SECOND).await;
        for _ in 0..2 {
            let answer = scene.ask("/x", &[]).await;
            let fields =
                ["x-a", "x-b", "content-type", "etag", "content-length"].map(|name| field(&answer, name));
            assert_eq!(fields, ["2", "1", "t/t", "\"a\"", "4"]);
        }
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_52_a_head_updates_or_invalidates_and_is_never_stored() {
    // RFC 9111 §4.3.5
    local(async {
        let stored =
            || Reply::new(200).header("cache-control", "max-age=5").header("etag", "\"a\"").body("body");
        let head = |etag| {
            Reply::new(200).header("cache-control", "max-age=60").header("etag", etag).header("x-a", "2")
        };
        for (etag, updated) in [("\"a\"", true), ("\"b\"", false)] {
            let scene = Scene::new([stored(), head(etag), fresh().body("new")]);
            scene.text("/x", &[]).await;
            tokio::time::sleep(6 * SECOND).await;
            let answer = scene.ask_by("HEAD", "/x", &[]).await;
            assert_eq!((answer.status(), field(&answer, "x-a")), (StatusCode::OK, "2"));
            let answer = scene.ask("/x", &[]).await;
            assert_eq!(hit(&answer), updated);
            assert_eq!(field(&answer, "x-a"), if updated { "2" } else { "" });
            let body = if updated { "body" } else { "new" };
            assert_eq!(read(answer.into_body()).await, Ok(Bytes::from(body)));
        }
        // On a cold URL: nothing is kept of it.
        let scene = Scene::new([head("\"a\""), fresh().body("whole")]);
        scene.ask_by("HEAD", "/x", &[]).await;
        assert_eq!(scene.text("/x", &[]).await, "whole");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_clients_reload_is_honoured_where_the_operator_says_so() {
    // RFC 9111 §5.2.1, RFC 8246 §2
    local(async {
        let reply = |control: &'static str| {
            Reply::new(200).header("cache-control", control).header("etag", "\"a\"").body("x")
        };
        for (control, asked, asks) in [
            ("max-age=60", "no-cache", true),
            ("max-age=60", "max-age=0", true),
            ("max-age=60", "min-fresh=100", true),
            ("max-age=60", "max-age=50", false),
            ("max-age=60, immutable", "no-cache", false),
            ("max-age=60, immutable", "max-age=0", false),
        ] {
            let scene = Scene::with(honouring(), [reply(control), Reply::new(304)]);
            scene.text("/x", &[]).await;
            tokio::time::sleep(SECOND).await;
            let answer = scene.ask("/x", &[("cache-control", asked)]).await;
            assert_eq!(!hit(&answer), asks, "{control} {asked}");
            if asks {
                assert!(field(&answer, "cache-status").contains("fwd=request; fwd-status=304"));
            }
        }
        let scene = Scene::with(honouring(), [reply("max-age=1")]);
        scene.text("/x", &[]).await;
        tokio::time::sleep(5 * SECOND).await;
        assert!(hit(&scene.ask("/x", &[("cache-control", "max-stale=10")]).await));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_still_comes_is_as_old_as_its_head_to_whom_that_matters() {
    // RFC 9111 §5.2.1
    local(async {
        for (wish, honours, joins) in [
            ("no-cache", true, false),
            ("max-age=5", true, false),
            ("min-fresh=55", true, false),
            ("max-age=30", true, true),
            ("no-cache", false, true),
        ] {
            let slow = fresh().header("content-length", "6").data("be").pause(12 * SECOND).data("fore");
            let cache = if honours { honouring() } else { CacheOptions::default() };
            let scene = Rc::new(Scene::with(cache, [slow, fresh().body("after")]));
            let first = scene.start("/x");
            tokio::time::sleep(10 * SECOND).await;
            let answer = scene.ask("/x", &[("cache-control", wish)]).await;
            let status = field(&answer, "cache-status").to_owned();
            assert_eq!(status.contains("collapsed"), joins, "{wish} {honours}: {status}");
            assert_eq!(status.contains("fwd=request"), !joins, "{wish} {honours}: {status}");
            let expected = if joins { "before" } else { "after" };
            assert_eq!(read(answer.into_body()).await, Ok(Bytes::from(expected)), "{wish} {honours}");
            assert_eq!(first.await.unwrap().1, Ok(Bytes::from("before")));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_targeted_field_speaks_for_this_cache() {
    // RFC 9213
    local(async {
        for (fields, kept) in [
            (&[("cdn-cache-control", "max-age=60"), ("cache-control", "no-store")][..], true),
            (&[("cdn-cache-control", "no-store"), ("cache-control", "max-age=60")], false),
            (&[("cdn-cache-control", "max-age=60, &&&"), ("cache-control", "no-store")], false),
            (&[("airclass-cache-control", "max-age=60"), ("cdn-cache-control", "no-store")], true),
        ] {
            let mut reply = Reply::new(200);
            for &(name, value) in fields {
                reply = reply.header(name, value);
            }
            let scene = Scene::new([reply.body("x"), Reply::new(599)]);
            assert_eq!(scene.text("/x", &[]).await, "x");
            let answer = scene.ask("/x", &[]).await;
            assert_eq!(hit(&answer), kept, "{fields:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_60_a_storm_for_what_is_not_there_is_one_question_a_second() {
    local(async {
        let scene = Rc::new(Scene::new((0..5).map(|_| Reply::new(404).after(SECOND / 2).body("no"))));
        for _ in 0..3 {
            let storm: Vec<_> = (0..50).map(|_| scene.start("/x")).collect();
            for client in storm {
                assert_eq!(client.await.unwrap().0, StatusCode::NOT_FOUND);
            }
        }
        assert_eq!(scene.upstream.count(), 1);
        let waiters = &scene.edge.metrics.fill_waiters;
        assert_eq!(
            (waiters.get_sample_count(), waiters.get_sample_sum()),
            (1, 49.0),
            "who came first waits for nobody"
        );
        tokio::time::sleep(SECOND).await;
        scene.start("/x").await.unwrap().1.unwrap();
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_45_fields_that_no_upstream_is_told_make_no_variants() {
    local(async {
        for vary in ["x-forwarded-for, x-forwarded-proto", "x_any", "accept-encoding, x-real-ip"] {
            let scene = Scene::new([fresh().header("vary", vary).body("same")]);
            scene.text("/x", &[]).await;
            for value in ["10.0.0.1", "10.0.0.2"] {
                let fields =
                    ["x-forwarded-for", "x-forwarded-proto", "x_any", "x-real-ip"].map(|name| (name, value));
                let answer = scene.ask("/x", &fields).await;
                assert!(hit(&answer), "{vary}");
                assert_eq!(field(&answer, "vary"), vary);
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_42_campaign_tags_and_measurements_reach_neither_key_nor_origin() {
    local(async {
        let scene = Scene::new([fresh().body("x")]);
        scene.text("/x?b=2&utm_source=s&a=1", &[]).await;
        for target in ["/x?a=1&b=2", "/x?a=1&CMCD=bl%3D1&b=2", "/x?b=2&a=1&a=1"] {
            assert!(hit(&scene.ask(target, &[]).await), "{target}");
        }
        assert_eq!(scene.upstream.questions()[0].target, "/x?a=1&b=2");
    })
    .await;
}

async fn ask_host(scene: &Scene, host: &str, target: &str) -> Bytes {
    let mut asked = scene.asked("GET", target, &[]);
    asked.host = host.to_ascii_lowercase();
    read(scene.answer(asked).await.into_body()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn attack_36_sites_do_not_share() {
    local(async {
        let replies =
            vec![fresh().body("a"), fresh().body("b"), fresh().body("port"), fresh().body("default")];
        let scene = before_group(&["*.example"], None, replies);
        for (host, body) in [
            ("A.example", "a"),
            ("b.example", "b"),
            ("a.example:81", "port"),
            ("a.EXAMPLE", "a"),
            // Another group's.
            ("elsewhere", "default"),
            ("b.example", "b"),
        ] {
            assert_eq!(ask_host(&scene, host, "/x").await, body, "{host}");
        }
        assert_eq!(scene.upstream.count(), 4);
        let told: Vec<_> =
            scene.upstream.questions().iter().map(|asked| asked.headers["host"].clone()).collect();
        assert_eq!(told, ["a.example", "b.example", "a.example:81", "origin"]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_36_hosts_of_which_the_upstream_is_not_told_are_one_site() {
    local(async {
        for (host_header, told) in [(Some("upstream"), "lessons"), (Some("fixed.example"), "fixed.example")] {
            let replies = vec![fresh().body("lessons"), fresh().body("default")];
            let scene = before_group(&["*.example"], host_header, replies);
            for number in 0..100 {
                let (one, other) = (format!("{number}.example"), format!("host-{number}"));
                assert_eq!(ask_host(&scene, &one, "/x").await, "lessons");
                // The same path of another group is another answer.
                assert_eq!(ask_host(&scene, &other, "/x").await, "default");
            }
            let questions = scene.upstream.questions();
            let hosts: Vec<_> = questions.iter().map(|asked| asked.headers["host"].clone()).collect();
            assert_eq!(hosts, [told, "origin"]);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attack_47_nonsense_in_accept_encoding_does_not_get_round_the_cache() {
    local(async {
        let scene = Scene::new([fresh().header("vary", "accept-encoding").body("x")]);
        scene.text("/x", &[]).await;
        for encoding in [";;;", "gzip;q=2", "br, ,", "", "identity;q=1.0000"] {
            assert!(hit(&scene.ask("/x", &[("accept-encoding", encoding)]).await), "{encoding:?}");
        }
        assert_eq!(scene.upstream.count(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_undated_response_is_dated_when_it_comes() {
    // RFC 9110 §6.6.1
    local(async {
        let scene = Scene::new([fresh().body("x")]);
        scene.text("/x", &[]).await;
        let first = field(&scene.ask("/x", &[]).await, "date").to_owned();
        assert!(!first.is_empty());
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(field(&scene.ask("/x", &[]).await, "date"), first);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_for_the_next_proxy_alone_is_not_kept() {
    // RFC 9111 §3.1
    local(async {
        let reply =
            fresh().header("proxy-authenticate", "Basic").header("connection", "x-a").header("x-a", "1");
        let scene = Scene::new([reply.body("x")]);
        scene.text("/x", &[]).await;
        let answer = scene.ask("/x", &[]).await;
        assert!(hit(&answer));
        for name in ["proxy-authenticate", "connection", "x-a"] {
            assert_eq!(field(&answer, name), "", "{name}");
        }
    })
    .await;
}
