//! How long servers are waited for, and what becomes of those that are slow: hedges, and limits that several share.

use super::*;

/// A pair of which the first is known to answer within 40 ms.
async fn known_to_be_quick(second: Vec<Reply>) -> (Scene, Uri) {
    let scene = Scene::pair((0..60).map(|_| ok("quick").after(Duration::from_millis(40))).collect(), second);
    let path = scene.path(0);
    for _ in 0..60 {
        assert_eq!(scene.ask(&path).await, whole(200, "quick"));
    }
    (scene, path)
}

/// Asks the first for a node that these have asked before; how long it took.
async fn ask_for(scene: &Scene, nodes: &str, method: Method) -> (Result<u16, UpstreamError>, Duration) {
    let headers = HeaderMap::from_iter([(policy::CDN_LOOP, nodes.parse().unwrap())]);
    let (begun, target) = (Instant::now(), scene.path(0));
    let question = Question { method: &method, ..Question::get("h", &target, &headers) };
    let answer = scene.edge.upstream.exchange(question, RequestBody::Empty).await;
    (answer.map(|answer| answer.status().as_u16()), begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_gets_company_once_it_is_known_what_slow_is() {
    local(async {
        let (scene, path) = known_to_be_quick(vec![ok("other").after(Duration::from_millis(40))]).await;
        scene.servers[0].then(ok("slow").after(5 * SECOND));
        let begun = Instant::now();
        assert_eq!(scene.ask(&path).await, whole(200, "other"));
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
        assert_eq!(scene.metric("edge_hedges_total", &["won"]), 1.0);
        // What changes something is not asked twice, however slow.
        scene.servers[0].then(ok("slow").after(5 * SECOND));
        assert_eq!(scene.ask_by(Method::DELETE, &path, false).await, whole(200, "slow"));
        assert_eq!(scene.servers[1].count(), 1);
        // Nothing is going on any more.
        assert_eq!(scene.metric("edge_parent_load", &["a"]) + scene.metric("edge_parent_load", &["b"]), 0.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_trial_counts_also_when_another_server_is_quicker() {
    local(async {
        let (scene, path) = known_to_be_quick((0..9).map(|_| ok("other")).collect()).await;
        scene.servers[0].go_down(ErrorKind::ConnectionRefused);
        for _ in 0..3 {
            assert_eq!(scene.ask(&path).await, whole(200, "other"));
        }
        assert_eq!(scene.metric("edge_parent_up", &["a"]), 0.0);
        scene.servers[0].come_back();
        tokio::time::sleep(SECOND).await;
        // It has nothing in memory yet.
        scene.servers[0].then(ok("slow").after(SECOND));
        assert_eq!(scene.ask(&path).await, whole(200, "other"));
        assert_eq!(scene.metric("edge_hedges_total", &["won"]), 1.0);
        tokio::time::sleep(SECOND).await;
        assert_eq!(scene.metric("edge_parent_up", &["a"]), 1.0);
        assert_eq!(scene.metric("edge_parent_load", &["a"]), 0.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_found_out_behind_hedges_and_does_not_make_them_patient() {
    local(async {
        let (scene, path) = known_to_be_quick((0..60).map(|_| ok("other")).collect()).await;
        for _ in 0..3 {
            scene.servers[0].then(ok("never").after(3600 * SECOND));
        }
        for _ in 0..3 {
            let begun = Instant::now();
            assert_eq!(scene.ask(&path).await, whole(200, "other"));
            assert!(begun.elapsed() < Duration::from_millis(60), "{:?}", begun.elapsed());
        }
        assert_eq!(scene.metric("edge_parent_load", &["a"]), 3.0);
        tokio::time::sleep(16 * SECOND).await;
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "unanswered"]), 3.0);
        assert_eq!(scene.metric("edge_parent_up", &["a"]), 0.0);
        assert_eq!(scene.metric("edge_parent_load", &["a"]), 0.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_first_answer_wins_and_a_failed_one_waits_for_the_other() {
    local(async {
        for (first, second, answer) in [
            (ok("first").after(SECOND), ok("second").after(9 * SECOND), "first"),
            (Reply::new(503).after(SECOND), ok("second").after(9 * SECOND), "second"),
            (ok("first").after(9 * SECOND), Reply::new(503).after(SECOND), "first"),
        ] {
            let (scene, path) = known_to_be_quick(vec![second]).await;
            scene.servers[0].then(first);
            assert_eq!(scene.ask(&path).await, whole(200, answer));
            assert_eq!(scene.servers[1].count(), 1);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn dead_servers_together_take_no_longer_than_the_limit_and_leave_time_for_a_living_one() {
    local(async {
        let scene = Scene::pair(Vec::new(), vec![ok("b")]);
        scene.servers[0].fall_silent();
        let path = scene.path(0);
        assert_eq!(scene.ask(&path).await, whole(200, "b"));
        scene.servers[1].fall_silent();
        let begun = Instant::now();
        assert_eq!(scene.ask(&path).await, Err(UpstreamError::ConnectTimeout));
        assert!(begun.elapsed() <= scene.edge.config.limits.connect, "{:?}", begun.elapsed());
    })
    .await;
}

/// With the same limit in each, the node in front would give up first, and this one's stale copy reach nobody.
#[tokio::test(start_paused = true)]
async fn a_node_that_another_asks_gives_up_before_that_one_does() {
    local(async {
        let mut before = None;
        for nodes in ["edge", "parent, edge", "shield, parent;node=1, edge"] {
            let scene = Scene::new("tiers = [[\"http://a\"]]", [vec![ok("late").after(60 * SECOND)]]);
            let (answer, taken) = ask_for(&scene, nodes, Method::GET).await;
            assert_eq!(answer, Err(UpstreamError::ResponseTimeout));
            // A connection may have to be waited for, too.
            let limits = scene.edge.config.limits;
            assert!(before.is_none_or(|before| taken + limits.connect < before), "{nodes}: {taken:?}");
            before = Some(taken);
        }
        assert_eq!(before.map(|time| time.as_millis()), Some(6_667));
    })
    .await;
}

/// As above, of servers that hang one after the other.
#[tokio::test(start_paused = true)]
async fn a_node_that_another_asks_does_not_wait_twice_for_servers_that_hang() {
    local(async {
        let late = || vec![ok("late").after(60 * SECOND)];
        let ask = async |scene: &Scene, method| {
            let (answer, taken) = ask_for(scene, "parent, edge", method).await;
            (answer, taken.as_secs())
        };
        let timeout = Err(UpstreamError::ResponseTimeout);
        for (keys, method, second, answer, asked) in [
            ("", Method::GET, late(), (timeout, 10), 1),
            ("", Method::DELETE, vec![ok("")], (timeout, 10), 0),
            ("hedge = false", Method::GET, vec![ok("")], (timeout, 10), 0),
            // What lives has the other half of the time.
            ("", Method::GET, vec![ok("").after(4 * SECOND)], (Ok(200), 9), 1),
        ] {
            let keys = format!("tiers = [[\"http://a\", \"http://b\"]]\n{keys}");
            let scene = Scene::new(&keys, [late(), second]);
            assert_eq!(ask(&scene, method.clone()).await, answer, "{method} {keys}");
            assert_eq!(scene.counts(), [1, asked], "{method} {keys}");
        }
        // Who is slow and not dead is still heard, and one that fails at once leaves all but nothing of the time.
        let scene = Scene::pair(vec![ok("").after(9 * SECOND)], late());
        assert_eq!(ask(&scene, Method::GET).await, (Ok(200), 9));
        let scene = Scene::pair(vec![Reply::new(503)], vec![ok("").after(9 * SECOND)]);
        assert_eq!(ask(&scene, Method::GET).await, (Ok(200), 9));
        let scene = Scene::pair(vec![Reply::new(503).after(SECOND)], late());
        assert_eq!(ask(&scene, Method::GET).await, (Ok(503), 10));
    })
    .await;
}

/// A hedge had what was left of the first one's time to connect, 50 ms, and the server that it went to was blamed.
#[tokio::test(start_paused = true)]
async fn who_keeps_a_slow_one_company_has_time_to_connect() {
    local(async {
        let scene = Scene::pair(vec![ok("late").after(60 * SECOND)], vec![ok("far")]);
        scene.servers[1].be_far(SECOND / 5);
        assert_eq!(ask_for(&scene, "parent, edge", Method::GET).await.0, Ok(200));
        assert_eq!(scene.counts(), [1, 1]);
    })
    .await;
}
