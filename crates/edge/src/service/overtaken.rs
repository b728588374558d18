//! What an order or a change has taken out, and what was found, asked or read before it.

use super::tests::*;
use super::*;
use ::purge::{Mode, What};
use testkit::upstream::Reply;

/// Stale a second later.
fn brief(control: &'static str) -> Reply {
    Reply::new(200).header("cache-control", control).header("etag", "\"v1\"").body("old")
}

fn x() -> What {
    What::Url("http://a/x".parse().unwrap())
}

/// Has it fetched, and waits until it is stale.
async fn stale(replies: impl IntoIterator<Item = Reply>) -> Scene {
    let scene = Scene::new(replies);
    scene.load("/x").await;
    tokio::time::sleep(2 * SECOND).await;
    scene
}

/// An origin's 304 to the question of one who had found it just before brought it back, as good as new.
#[tokio::test(start_paused = true)]
async fn what_was_found_before_an_order_is_not_asked_about_behind_it() {
    local(async {
        let scene = stale([brief("max-age=1, stale-while-revalidate=60"), fresh().body("new")]).await;
        let (edge, asked) = (&scene.edge, scene.asked("GET", "/x", &[]));
        let (primary, orders) = (key_of(edge, &asked), edge.flights.orders());
        let Found::StaleWhileRevalidate(object) = look(edge, &asked, &primary, Instant::now()).found else {
            panic!("it is stale")
        };
        scene.purge(x(), Mode::Hard);
        assert_eq!(edge.flights.orders(), orders + 2, "before the walk over memory, and behind it");
        refresh(edge, &asked, &primary, &primary, &object, orders);
        let (held, mut looks) = (Held { object, orders }, Looks::default());
        let fetched = fetch(edge, &asked, &primary, &primary, Forwarded::Stale, Some(held), &mut looks).await;
        assert!(fetched.is_none(), "it looks again");
        assert_eq!(scene.text("/x", &[]).await, "new");
        let questions = scene.upstream.questions();
        assert_eq!(questions.len(), 2);
        assert!(!questions[1].headers.contains_key("if-none-match"), "{:?}", questions[1].headers);
    })
    .await;
}

/// It was as fresh again as the origin had said before the order.
#[tokio::test(start_paused = true)]
async fn an_answer_to_head_from_before_an_order_undoes_nothing_of_it() {
    local(async {
        let head = fresh().header("content-length", "3").after(SECOND);
        let scene = Rc::new(stale([brief("max-age=1"), head, fresh().body("new")]).await);
        let asking = {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move { scene.ask_by("HEAD", "/x", &[]).await.status() })
        };
        // It is on its way.
        tokio::time::sleep(SECOND / 2).await;
        scene.purge(x(), Mode::Soft);
        assert_eq!(asking.await.unwrap(), http::StatusCode::OK);
        assert_eq!((scene.text("/x", &[]).await.as_str(), scene.upstream.count()), ("new", 3));
    })
    .await;
}
