//! Connections: how many, who gets one, and for how long they are held.

use super::*;
use crate::options::UpstreamLimits;

/// One server, with so many connections to it at most, that answers by `replies` and keeps connections for a minute.
fn narrow(connections: usize, replies: Vec<Reply>) -> Rc<Scene> {
    let config = config("tiers = [[\"http://a\"]]\nhedge = false");
    let limits = UpstreamLimits { connections_per_core: connections, ..config.limits };
    let scene = Scene::by(Config { limits, ..config }, [replies]);
    scene.servers[0].keep_connections(60 * SECOND);
    Rc::new(scene)
}

/// Begins to ask, as a task of its own.
fn start(scene: &Rc<Scene>, method: Method) -> tokio::task::JoinHandle<Answer> {
    let scene = Rc::clone(scene);
    tokio::task::spawn_local(async move { scene.ask_by(method, &Uri::from_static("/x"), false).await })
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_connection_gets_one_as_soon_as_it_is_free() {
    local(async {
        let tenth = SECOND / 10;
        let scene = narrow(2, (0..12).map(|_| ok("a").after(tenth)).collect());
        let begun = Instant::now();
        // What may not be asked twice takes no idle connection, and is not kept out by one.
        let methods = |n| if n % 4 == 3 { Method::POST } else { Method::GET };
        let clients: Vec<_> = (0..12).map(|n| start(&scene, methods(n))).collect();
        for client in clients {
            assert_eq!(client.await.unwrap(), whole(200, "a"));
        }
        assert!(begun.elapsed() < 7 * tenth, "{:?}", begun.elapsed());
        assert_eq!(scene.servers[0].connections(), 2 + 3);
        assert!(scene.metric("edge_upstream_connections", &[]) <= 2.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn idle_connections_refuse_nobody_and_are_closed_in_time() {
    local(async {
        let scene = narrow(1, vec![ok("a"), ok("b"), ok("c")]);
        assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(200, "a"));
        assert_eq!(start(&scene, Method::POST).await.unwrap(), whole(200, "b"));
        assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(200, "c"));
        assert_eq!(scene.servers[0].connections(), 2);
        assert_eq!(scene.metric("edge_upstream_connections", &[]), 1.0);
        tokio::time::sleep(50 * SECOND).await;
        assert_eq!(scene.metric("edge_upstream_connections", &[]), 0.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_that_was_closed_is_followed_by_a_new_one() {
    local(async {
        let scene = narrow(1, vec![ok("a"), ok("b")]);
        scene.servers[0].keep_connections(SECOND);
        assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(200, "a"));
        tokio::time::sleep(2 * SECOND).await;
        assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(200, "b"));
        assert_eq!(scene.servers[0].connections(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn slow_readers_leave_the_cache_a_quarter_of_the_connections() {
    local(async {
        // More than a connection holds.
        let long = || Reply::new(200).body(vec![7; 4 << 20]);
        let scene = narrow(4, [long(), long(), long(), long(), ok("a"), ok("b"), ok("c")].into());
        let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
        let fill = Question::get("h", &target, &headers);
        let alone = Question { alone: true, ..fill };
        let ask = async |question| scene.edge.upstream.exchange(question, RequestBody::Empty).await;
        let mut passed = vec![ask(alone).await.unwrap(), ask(alone).await.unwrap()];
        // One that turns out to be for a client alone, and one for which there is no place.
        let mut third = ask(fill).await.unwrap();
        assert!(third.body_mut().hand_to_client());
        passed.push(third);
        let mut fourth = ask(fill).await.unwrap();
        assert!(!fourth.body_mut().hand_to_client());
        drop(fourth);
        assert_eq!(ask(alone).await.err(), Some(UpstreamError::Busy));
        for name in ["a", "b"] {
            assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(200, name));
        }
        // Who leaves makes room.
        drop(passed.pop());
        assert_eq!(ask(alone).await.unwrap().into_body().collect().await.unwrap().to_bytes(), "c");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_place_does_not_blame_the_server_for_what_is_left_of_the_time() {
    local(async {
        let scene = narrow(1, vec![ok("a").after(2 * SECOND)]);
        let first = start(&scene, Method::GET);
        tokio::task::yield_now().await;
        let others: Vec<_> = (0..4).map(|_| start(&scene, Method::POST)).collect();
        tokio::task::yield_now().await;
        scene.servers[0].fall_silent();
        assert_eq!(first.await.unwrap(), whole(200, "a"));
        for other in others {
            assert_eq!(other.await.unwrap(), Err(UpstreamError::Busy));
        }
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "unreached"]), 0.0);
        // All of the time, and no connection.
        assert_eq!(start(&scene, Method::POST).await.unwrap(), Err(UpstreamError::ConnectTimeout));
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "unreached"]), 1.0);
    })
    .await;
}
