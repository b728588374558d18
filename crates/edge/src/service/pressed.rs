//! Under pressure: what is put off, in which order, and what never is.

use super::tests::*;
use super::*;
use crate::overload::Shed;
use serve::{Level, Scheme, Standing};
use testkit::upstream::Reply;

fn peer(standing: &Standing) -> Peer {
    Peer {
        address: ([127, 0, 0, 1], 1).into(),
        scheme: Scheme::Http,
        to_https: None,
        standing: standing.clone(),
        interim: None,
        takes_ready: false,
    }
}

impl Scene {
    /// One request of a connection.
    async fn on(&self, standing: &Standing, target: &str) -> Answer {
        let asked = self.asked("GET", target, &[]);
        let answer = self.call(asked, &peer(standing)).await;
        let (head, body) = answer.into_parts();
        read(body).await.unwrap();
        Answer::from_parts(head, response::EdgeBody::empty(Outcome::Hit, &self.edge.metrics))
    }
}

fn kept() -> Reply {
    Reply::new(200).header("cache-control", "max-age=60").body("x")
}

#[tokio::test(start_paused = true)]
async fn new_sessions_wait_and_playback_goes_on() {
    local(async {
        let scene = Scene::new((0..20).map(|_| kept()));
        let (playing, new) = (Standing::default(), Standing::default());
        scene.on(&playing, "/warm.m3u8").await;
        scene.on(&playing, "/1.m4s").await;
        assert!(playing.is_playing() && !new.is_playing());
        for (level, warm, cold) in [
            (Level::Calm, 200, 200),
            (Level::Busy, 200, 200),
            (Level::High, 200, 503),
            (Level::Critical, 503, 503),
        ] {
            scene.edge.overload.press(level);
            let cold_path = format!("/cold-{}.m3u8", level.as_str());
            assert_eq!(scene.on(&new, "/warm.m3u8").await.status(), warm, "{level:?}");
            assert_eq!(scene.on(&new, &cold_path).await.status(), cold, "{level:?}");
            // Media, warm or cold, on any connection; and anything on a connection that plays.
            let media = format!("/{}.m4s", level.as_str());
            assert_eq!(scene.on(&Standing::default(), &media).await.status(), 200, "{level:?}");
            assert_eq!(scene.on(&playing, &cold_path).await.status(), 200, "{level:?}");
        }
        scene.edge.overload.press(Level::Calm);
        assert_eq!(scene.on(&new, "/warm.m3u8").await.status(), 200);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_is_put_off_is_told_when_to_come_back() {
    local(async {
        let scene = Scene::new([]);
        scene.edge.overload.press(Level::Critical);
        let new = Standing::default();
        let (first, second) = (scene.on(&new, "/").await, scene.on(&new, "/").await);
        assert_eq!(first.status(), 503);
        assert_ne!(field(&first, "retry-after"), field(&second, "retry-after"));
        assert!(field(&first, "retry-after").parse::<u64>().unwrap() >= 5);
        assert_eq!(field(&first, "cache-control"), "max-age=3");
        assert_eq!(field(&first, "cache-status"), "airclass; detail=session");
        assert_eq!(scene.upstream.count(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn refreshes_that_nobody_waits_for_go_first() {
    local(async {
        let stale =
            || Reply::new(200).header("cache-control", "max-age=5, stale-while-revalidate=60").body("x");
        let scene = Scene::new([stale(), stale()]);
        let playing = Standing::default();
        scene.on(&playing, "/1.m4s").await;
        tokio::time::sleep(6 * SECOND).await;
        scene.edge.overload.press(Level::Busy);
        assert_eq!(scene.on(&playing, "/1.m4s").await.status(), 200);
        tokio::time::sleep(SECOND).await;
        assert_eq!(scene.upstream.count(), 1);
        scene.edge.overload.press(Level::Calm);
        assert_eq!(scene.on(&playing, "/1.m4s").await.status(), 200);
        tokio::time::sleep(SECOND).await;
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

/// A hit that is served is not given up, and a refresh is not as many as ask meanwhile.
#[tokio::test(start_paused = true)]
async fn a_refresh_that_is_given_up_counts_once_however_many_are_served() {
    local(async {
        let stale =
            || Reply::new(200).header("cache-control", "max-age=5, stale-while-revalidate=60").body("x");
        let scene = Scene::new([stale(), Reply::new(503).after(SECOND), stale()]);
        let (playing, given_up) = (Standing::default(), || scene.edge.metrics.given_up(Shed::Refresh));
        scene.on(&playing, "/1.m4s").await;
        tokio::time::sleep(6 * SECOND).await;
        // What is fetched is not given up, nor what has just been tried.
        scene.on(&playing, "/1.m4s").await;
        scene.edge.overload.press(Level::Busy);
        for _ in 0..4 {
            scene.on(&playing, "/1.m4s").await;
            tokio::time::sleep(SECOND).await;
        }
        assert_eq!(given_up(), 0);
        tokio::time::sleep(2 * SECOND).await;
        for _ in 0..9 {
            scene.on(&playing, "/1.m4s").await;
        }
        assert_eq!(given_up(), 1);
        // It is due as before.
        scene.edge.overload.press(Level::Calm);
        scene.on(&playing, "/1.m4s").await;
        tokio::time::sleep(SECOND).await;
        assert_eq!((given_up(), scene.upstream.count()), (1, 3));
    })
    .await;
}

/// Slow readers of distinct bodies hold memory that no cache counts; a process that takes all of it is killed with all it serves.
#[tokio::test(start_paused = true)]
async fn when_memory_is_all_taken_only_what_is_in_it_is_answered() {
    local(async {
        let blocks = first_block("max-age=60");
        let scene = Rc::new(Scene::new([kept(), blocks, kept().after(SECOND), kept()]));
        let standing = Standing::default();
        assert_eq!(scene.on(&standing, "/1.m4s").await.status(), 200);
        let in_part = |range| scene.ask("/long.mp4", range);
        assert_eq!(in_part(&[("range", "bytes=0-9")]).await.status(), 206);
        let leader = scene.start("/2.m4s");
        while scene.upstream.count() < 3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(scene.edge.overload.asked(), 1, "what comes of it will take memory");
        scene.edge.overload.fill_memory(true);
        for (path, status) in [("/1.m4s", 200), ("/3.m4s", 503), ("/cold.m3u8", 503)] {
            assert_eq!(scene.on(&standing, path).await.status(), status, "{path}");
        }
        assert_eq!(in_part(&[("range", "bytes=0-9")]).await.status(), 206);
        let lacks = in_part(&[("range", "bytes=300000-300009")]).await;
        assert_eq!(
            (lacks.status(), field(&lacks, "cache-status")),
            (503.try_into().unwrap(), "airclass; detail=memory")
        );
        assert!(lacks.headers().contains_key("retry-after"));
        // What is on its way is there for whoever else wants it.
        let follower = scene.start("/2.m4s");
        for asked in [leader, follower] {
            assert_eq!(asked.await.unwrap().0, 200);
        }
        assert_eq!(scene.edge.overload.asked(), 0);
        scene.edge.overload.fill_memory(false);
        assert_eq!(scene.on(&standing, "/3.m4s").await.status(), 200);
        assert_eq!(scene.upstream.count(), 4);
    })
    .await;
}
