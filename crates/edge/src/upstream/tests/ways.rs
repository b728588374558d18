//! By which way an answer came.

use super::*;

async fn way(scene: &Scene, method: Method, path: &Uri, cold: bool) -> Way {
    let headers = HeaderMap::new();
    let question = Question { method: &method, cold, ..Question::get("h", path, &headers) };
    let answer = scene.edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
    Way::of(&answer.into_parts().0)
}

#[tokio::test(start_paused = true)]
async fn the_first_that_is_asked_says_nothing_of_it_and_others_do() {
    local(async {
        let scene = Scene::pair(vec![ok("a")], Vec::new());
        assert_eq!(way(&scene, Method::GET, &scene.path(0), false).await, Way::Direct);
        let scene = Scene::pair(vec![Reply::new(503)], vec![ok("b")]);
        assert_eq!(way(&scene, Method::GET, &scene.path(0), false).await, Way::Retried);
        let scene = Scene::pair(Vec::new(), vec![ok("b")]);
        scene.servers[0].go_down(ErrorKind::ConnectionRefused);
        assert_eq!(way(&scene, Method::POST, &scene.path(0), false).await, Way::Retried);
        // Nobody has a better answer.
        let scene = Scene::pair(vec![Reply::new(503)], vec![Reply::new(503)]);
        assert_eq!(way(&scene, Method::GET, &scene.path(0), false).await, Way::Direct);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_second_server_that_is_quicker_and_a_neighbour_that_has_it_are_told() {
    local(async {
        let quick = (0..60).map(|_| ok("a").after(SECOND / 100));
        let scene = Scene::pair(quick.chain([ok("a").after(10 * SECOND)]).collect(), vec![ok("b")]);
        let path = scene.path(0);
        for _ in 0..60 {
            assert_eq!(way(&scene, Method::GET, &path, false).await, Way::Direct);
        }
        assert_eq!(way(&scene, Method::GET, &path, false).await, Way::Hedged);
        let held = ok("held").header("cache-control", "max-age=60");
        let keys = "tiers = [[\"http://a\"]]\npeers = [\"http://p\"]";
        let scene = Scene::new(keys, [vec![ok("a")], vec![held]]);
        assert_eq!(way(&scene, Method::GET, &Uri::from_static("/x"), true).await, Way::Peer);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_a_neighbour_holds_pays_for_no_retry() {
    local(async {
        let keys = "tiers = [[\"http://a\"]]\npeers = [\"http://p\"]";
        let scene = Scene::new(keys, [vec![ok("a")], Vec::new()]);
        scene.servers[1].follow(|_| ok("held").header("cache-control", "max-age=60"));
        let (upstream, headers, path) = (&scene.edge.upstream, HeaderMap::new(), Uri::from_static("/x"));
        let group = &upstream.groups.groups[0];
        while group.withdraw(Instant::now()) {}
        for _ in 0..50 {
            let question = Question { cold: true, ..Question::get("h", &path, &headers) };
            upstream.exchange(question, RequestBody::Empty).await.unwrap();
            upstream.exchange_from(question, None).await.unwrap();
        }
        assert_eq!(scene.counts(), [0, 100]);
        assert!(!group.withdraw(Instant::now()));
    })
    .await;
}
