//! What tells the variants of a URL apart, where memory has let go of it (RFC 9111 §4.1).

use super::tests::*;
use super::*;
use testkit::upstream::Reply;
use tokio::task::JoinHandle;

/// A response that differs by band; its body takes a second.
fn varied(body: &'static str) -> Reply {
    let head = fresh().header("vary", "x-band").header("content-length", body.len().to_string());
    head.data(&body.as_bytes()[..1]).pause(SECOND).data(&body.as_bytes()[1..])
}

/// One that is still coming when others have come whole.
fn slow() -> Reply {
    fresh().header("vary", "x-band").data("o").pause(SECOND * 5).data("ne")
}

impl Scene {
    /// Memory that is full lets go of what stands at `/x` itself.
    fn evict(&self) {
        self.edge.memory.remove(&key_of(&self.edge, &self.asked("GET", "/x", &[])));
    }

    /// Asks for the one of a band; its text.
    async fn band(&self, band: &str) -> String {
        self.text("/x", &[("x-band", band)]).await
    }

    /// The same as a task of its own.
    fn start_band(self: &Rc<Self>, band: &'static str) -> JoinHandle<String> {
        let scene = Rc::clone(self);
        tokio::task::spawn_local(async move { scene.band(band).await })
    }

    /// The first band's, whose sign-post memory lets go of while it comes.
    async fn start_one_and_evict(self: &Rc<Self>) -> JoinHandle<String> {
        let first = self.start_band("1");
        tokio::time::sleep(SECOND / 2).await;
        self.evict();
        first
    }
}

/// Each who wanted another variant was passed through by himself until the first had come.
#[tokio::test(start_paused = true)]
async fn a_sign_post_that_memory_has_let_go_of_costs_those_who_want_another_variant_one_question() {
    local(async {
        let scene = Rc::new(Scene::new([varied("one"), varied("two"), varied("two")]));
        let first = scene.start_one_and_evict().await;
        let others: Vec<_> = (0..5).map(|_| scene.start_band("2")).collect();
        for other in others {
            assert_eq!(other.await.unwrap(), "two");
        }
        assert_eq!(first.await.unwrap(), "one");
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

/// It stood under a sign-post that nobody found any more, and the disk was given that one in place of the one in force.
#[tokio::test(start_paused = true)]
async fn a_variant_that_comes_late_stands_under_the_sign_post_that_stands_by_then() {
    local(async {
        let scene = Rc::new(Scene::new([slow(), varied("two")]));
        let first = scene.start_one_and_evict().await;
        assert_eq!(scene.band("2").await, "two");
        assert_eq!(first.await.unwrap(), "one");
        assert_eq!((scene.band("1").await, scene.band("2").await), ("one".to_owned(), "two".to_owned()));
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

/// What stands there by now came later.
#[tokio::test(start_paused = true)]
async fn a_variant_that_comes_late_is_not_kept_where_the_url_varies_otherwise_by_now() {
    local(async {
        let other = fresh().header("vary", "x-kind").body("two");
        let scene = Rc::new(Scene::new([slow(), other, fresh().body("none")]));
        let first = scene.start_one_and_evict().await;
        assert_eq!(scene.band("2").await, "two");
        assert_eq!(first.await.unwrap(), "one");
        assert_eq!((scene.band("1").await, scene.upstream.count()), ("two".to_owned(), 2));
    })
    .await;
}
