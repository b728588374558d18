//! Bodies that take longer than they are good for.

use super::tests::*;
use super::*;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use testkit::upstream::Reply;

/// Its body takes `seconds`.
fn slow(control: &'static str, seconds: u32) -> Reply {
    let reply = Reply::new(200).header("cache-control", control).header("content-length", "10");
    reply.data("01234").pause(SECOND * seconds).data("56789")
}

#[tokio::test(start_paused = true)]
async fn who_comes_too_late_for_a_slow_body_makes_one_question_with_all_others() {
    // RFC 9111 §4: not fresh any more for who comes now.
    local(async {
        let scene = Rc::new(Scene::new([slow("max-age=1", 4), slow("max-age=1", 4)]));
        let mut clients = vec![scene.start("/x")];
        tokio::time::sleep(SECOND * 3 / 2).await;
        clients.extend((0..20).map(|_| scene.start("/x")));
        for client in clients {
            assert_eq!(client.await.unwrap(), (StatusCode::OK, Ok(Bytes::from("0123456789"))));
        }
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_first_and_came_last_replaces_nothing() {
    local(async {
        let scene = Rc::new(Scene::new([slow("max-age=1", 10), fresh().body("new")]));
        let first = scene.start("/x");
        tokio::time::sleep(SECOND * 2).await;
        assert_eq!(scene.text("/x", &[]).await, "new");
        assert_eq!(first.await.unwrap().1, Ok(Bytes::from("0123456789")));
        assert_eq!(scene.text("/x", &[]).await, "new");
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_bodies_of_one_url_come_at_once() {
    local(async {
        let scene = Rc::new(Scene::new((0..9).map(|_| slow("max-age=1", 100))));
        let clients: Vec<_> = (0..9).map(|_| scene.start("/x")).collect();
        for client in 1..7 {
            tokio::time::sleep(SECOND * 2).await;
            let status = field(&scene.ask("/x", &[]).await, "cache-status").to_owned();
            assert_eq!(status.contains("stored"), client < 4, "{client}: {status}");
        }
        drop(clients);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_has_come_whole_is_known_by_how_it_ended() {
    // As the access log has it.
    local(async {
        let private = || Reply::new(200).header("cache-control", "private");
        for (reply, whole) in [
            (fresh().data("01234").pause(SECOND).data("56789"), true),
            (fresh().data("01234").pause(SECOND).cut(), false),
            (private().data("01234").pause(SECOND).data("56789"), true),
            (private().header("content-length", "100").data("01234").pause(SECOND).cut(), false),
        ] {
            let scene = Scene::new([reply]);
            let mut body = scene.ask("/x", &[]).await.into_body();
            assert!(!body.is_whole());
            while let Some(Ok(_)) = body.frame().await {}
            assert_eq!(body.is_whole(), whole);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_changed_while_two_bodies_of_it_came_is_kept_of_neither() {
    // RFC 9111 §4.4
    local(async {
        let scene = Rc::new(Scene::new([
            slow("max-age=1", 10),
            slow("max-age=1", 10),
            Reply::new(204),
            Reply::new(503),
        ]));
        let first = scene.start("/x");
        tokio::time::sleep(SECOND * 2).await;
        let second = scene.start("/x");
        tokio::time::sleep(SECOND).await;
        let changed = change(Rc::clone(&scene.edge), scene.asked("POST", "/x", &[]), None).await;
        assert_eq!(changed.status(), StatusCode::NO_CONTENT);
        for old in [first, second] {
            assert_eq!(old.await.unwrap().1, Ok(Bytes::from("0123456789")));
        }
        assert_eq!(scene.ask("/x", &[]).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_came_late_for_everybody_replaces_no_word_that_it_is_for_one() {
    local(async {
        let private = || Reply::new(200).header("cache-control", "private").body("own");
        let scene = Rc::new(Scene::new([slow("max-age=1", 10), private(), private()]));
        let first = scene.start("/x");
        tokio::time::sleep(SECOND * 2).await;
        assert_eq!(scene.text("/x", &[]).await, "own");
        assert_eq!(first.await.unwrap().1, Ok(Bytes::from("0123456789")));
        assert_eq!(scene.text("/x", &[]).await, "own");
    })
    .await;
}
