//! Methods that change something (RFC 9110 §9.2.1), through the whole edge: what they invalidate (RFC 9111 §4.4), and what of their answers
//! is kept.

use super::tests::*;
use super::*;
use bytes::Bytes;
use http::StatusCode;
use std::rc::Rc;
use testkit::upstream::Reply;

pub(super) fn hit(answer: &Answer) -> bool {
    field(answer, "cache-status").contains("; hit")
}

impl Scene {
    pub(super) async fn change(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        change(Rc::clone(&self.edge), self.asked(method, target, fields), None).await
    }
}

#[tokio::test(start_paused = true)]
async fn unsafe_methods_invalidate_what_they_name_on_the_same_site() {
    // RFC 9111 §4.4
    local(async {
        for (method, status, location, forgotten) in [
            ("POST", 200, "/other", &["/x", "/other"][..]),
            ("PUT", 204, "http://a/other", &["/x", "/other"]),
            ("DELETE", 302, "//a/other", &["/x", "/other"]),
            ("M-SEARCH", 200, "/unrelated", &["/x"]),
            ("POST", 200, "http://b/other", &["/x"]),
            ("POST", 500, "/other", &[]),
            ("POST", 404, "/other", &[]),
            ("OPTIONS", 200, "/other", &[]),
            // RFC 9110 §9.2.1: safe, by what they are defined as.
            ("PROPFIND", 207, "/other", &[]),
            ("REPORT", 200, "/other", &[]),
            ("SEARCH", 200, "/other", &[]),
        ] {
            for name in ["location", "content-location"] {
                let change = Reply::new(status).header(name, location);
                let scene = Rc::new(Scene::new([fresh().body("x"), fresh().body("other"), change]));
                scene.load("/x").await;
                scene.load("/other").await;
                scene.change(method, "/x", &[]).await;
                for target in ["/x", "/other"] {
                    let kept = hit(&scene.ask(target, &[]).await);
                    assert_eq!(kept, !forgotten.contains(&target), "{method} {status} {name} {target}");
                }
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn options_is_passed_on_as_often_as_it_may_be() {
    // RFC 9110 §7.6.2
    local(async {
        let scene = Scene::new([Reply::new(200), Reply::new(200)]);
        let own = scene.change("OPTIONS", "/x", &[("max-forwards", "0")]).await;
        assert_eq!((own.status(), scene.upstream.count()), (StatusCode::NO_CONTENT, 0));
        assert!(field(&own, "allow").starts_with("GET, HEAD,"));
        // §9.3.7: the server as a whole is asked of whoever hears it.
        let whole = scene.change("OPTIONS", "*", &[]).await;
        assert_eq!((whole.status(), scene.upstream.count()), (StatusCode::NO_CONTENT, 0));
        scene.change("OPTIONS", "/x", &[("max-forwards", "5")]).await;
        scene.change("POST", "/x", &[("max-forwards", "5")]).await;
        let told = scene.upstream.questions();
        assert_eq!(
            [&told[0], &told[1]].map(|asked| asked.headers["max-forwards"].to_str().unwrap()),
            ["4", "5"]
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_client_has_gone_invalidates_when_it_is_answered() {
    // RFC 9111 §4.4
    local(async {
        for (status, kept) in [(204, false), (405, true)] {
            let change = Reply::new(status).after(SECOND);
            let scene = Rc::new(Scene::new([fresh().body("old"), change]));
            scene.load("/x").await;
            let own = Rc::clone(&scene);
            let client = tokio::task::spawn_local(async move {
                own.change("POST", "/x", &[]).await;
            });
            while scene.upstream.count() < 2 {
                tokio::task::yield_now().await;
            }
            client.abort();
            tokio::time::sleep(SECOND * 2).await;
            assert_eq!(hit(&scene.ask("/x", &[]).await), kept, "{status}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_fill_from_before_a_change_is_not_stored_after_it() {
    local(async {
        let slow = fresh().after(SECOND).header("content-length", "3").pause(SECOND).data("old");
        let scene = Rc::new(Scene::new([slow, Reply::new(204), fresh().body("new")]));
        let before = scene.start("/x");
        tokio::time::sleep(SECOND + SECOND / 2).await;
        scene.change("PUT", "/x", &[]).await;
        assert_eq!(before.await.unwrap().1, Ok(Bytes::from("old")));
        assert_eq!(scene.start("/x").await.unwrap().1, Ok(Bytes::from("new")));
        assert!(hit(&scene.ask("/x", &[]).await));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn invalidated_variants_do_not_come_back_with_the_next_one() {
    local(async {
        let reply = |body: &'static str| fresh().header("vary", "x-band").body(body);
        let replies = [reply("1 old"), reply("2 old"), Reply::new(204), reply("1 new"), reply("2 new")];
        let scene = Scene::new(replies);
        for body in ["1 old", "2 old"] {
            assert_eq!(scene.text("/x", &[("x-band", &body[..1])]).await, body);
        }
        assert_eq!(scene.text("/x", &[("x-band", "1")]).await, "1 old");
        scene.change("POST", "/x", &[]).await;
        for body in ["1 new", "2 new"] {
            assert_eq!(scene.text("/x", &[("x-band", &body[..1])]).await, body);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_post_is_kept_only_when_it_names_itself() {
    // RFC 9110 §9.3.3
    local(async {
        for (status, control, location, kept) in [
            (200, "max-age=60", "/x", true),
            (201, "max-age=60", "http://a/x", true),
            (200, "max-age=60", "/y", false),
            (200, "public", "/x", false),
            (200, "private, max-age=60", "/x", false),
            // §8.7: elsewhere it names something else than what a GET would bring.
            (303, "max-age=60", "/x", false),
        ] {
            let reply = Reply::new(status)
                .header("cache-control", control)
                .header("content-location", location)
                .body("made");
            let scene = Scene::new([reply, Reply::new(599)]);
            let answer = scene.change("POST", "/x", &[]).await;
            assert_eq!(read(answer.into_body()).await, Ok(Bytes::from("made")));
            assert_eq!(hit(&scene.ask("/x", &[]).await), kept, "{status} {control} {location}");
        }
        // Of one that does not say how long it is, nobody knows that it does not have to be cut.
        let long = Reply::new(200).header("cache-control", "max-age=60").header("content-location", "/x");
        let scene = Scene::new([long.data(vec![b'x'; 3 << 20])]);
        let answer = scene.change("POST", "/x", &[]).await;
        assert!(!field(&answer, "cache-status").contains("stored"));
        assert_eq!(read(answer.into_body()).await.unwrap().len(), 3 << 20);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_post_takes_no_memory_where_all_is_taken() {
    local(async {
        let made = Reply::new(200).header("cache-control", "max-age=60").header("content-location", "/x");
        let scene = Scene::new([made.body("made"), fresh().body("x")]);
        scene.edge.overload.fill_memory(true);
        let answer = scene.change("POST", "/x", &[]).await;
        assert!(!field(&answer, "cache-status").contains("stored"), "{:?}", answer.headers());
        assert_eq!(read(answer.into_body()).await, Ok(Bytes::from("made")));
        scene.edge.overload.fill_memory(false);
        assert_eq!(scene.text("/x", &[]).await, "x");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_post_is_not_kept_behind_another_change() {
    // RFC 9111 §4.4
    local(async {
        let made = |body: &'static str| {
            let reply =
                Reply::new(200).header("cache-control", "max-age=60").header("content-location", "/x");
            reply.body(body).after(SECOND)
        };
        let scene = Rc::new(Scene::new([made("first"), made("second"), Reply::new(599)]));
        let post = || {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move {
                read(scene.change("POST", "/x", &[]).await.into_body()).await.unwrap()
            })
        };
        let (first, second) = (post(), post());
        assert_eq!((first.await.unwrap(), second.await.unwrap()), ("first".into(), "second".into()));
        let answer = scene.ask("/x", &[]).await;
        assert!(!hit(&answer) || read(answer.into_body()).await.unwrap() == "second");
    })
    .await;
}
