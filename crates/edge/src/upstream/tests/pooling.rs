//! Connections: how many, who gets one, and for how long they are held.

use super::*;
use crate::options::UpstreamLimits;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

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

/// Some say good-bye by it, and a question may be on its way then.
#[tokio::test(start_paused = true)]
async fn a_408_over_a_kept_connection_is_no_answer() {
    local(async {
        let scene = narrow(1, vec![ok("a"), Reply::new(408), ok("b")]);
        scene.servers[0].keep_connections(3600 * SECOND);
        assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(200, "a"));
        assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(200, "b"));
        assert_eq!((scene.servers[0].count(), scene.servers[0].connections()), (3, 2));
        let late = Reply::new(408).body("late").after(9 * SECOND);
        scene.servers[0].then(late);
        assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(408, "late"));
        // Over one that was made for the question it is.
        let scene = narrow(1, vec![Reply::new(408).body("slow")]);
        assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(408, "slow"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_late_has_had_the_question_and_its_time() {
    local(async {
        let scene = narrow(1, vec![ok("a"), ok("never").after(60 * SECOND), ok("never").after(60 * SECOND)]);
        scene.servers[0].keep_connections(10 * SECOND);
        assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(200, "a"));
        let begun = Instant::now();
        assert_eq!(start(&scene, Method::GET).await.unwrap(), Err(UpstreamError::Protocol));
        assert!(begun.elapsed() <= scene.edge.config.limits.response, "{:?}", begun.elapsed());
        assert_eq!(scene.servers[0].count(), 2);
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "unanswered"]), 1.0);
        // One that has just come to a closed door has the rest of its time elsewhere.
        scene.servers[0].keep_connections(20 * SECOND);
        scene.servers[0].follow(|_| ok("b"));
        assert_eq!(start(&scene, Method::GET).await.unwrap(), whole(200, "b"));
        scene.servers[0].then(ok("never").after(60 * SECOND));
        scene.servers[0].then(ok("late").after(12 * SECOND));
        tokio::time::sleep(15 * SECOND).await;
        let begun = Instant::now();
        assert_eq!(start(&scene, Method::GET).await.unwrap(), Err(UpstreamError::ResponseTimeout));
        assert_eq!(begun.elapsed().as_secs(), scene.edge.config.limits.response.as_secs());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_not_asked_for_again_on_every_kept_connection() {
    local(async {
        let scene = narrow(4, Vec::new());
        scene.servers[0].follow(|_| ok("a").after(SECOND / 10));
        let clients: Vec<_> = (0..4).map(|_| start(&scene, Method::GET)).collect();
        for client in clients {
            assert_eq!(client.await.unwrap(), whole(200, "a"));
        }
        assert_eq!((scene.servers[0].count(), scene.servers[0].connections()), (4, 4));
        // More fields than anybody needs.
        scene.servers[0].follow(|_| (0..200).fold(ok("b"), |reply, _| reply.header("x-a", "1")));
        assert_eq!(start(&scene, Method::GET).await.unwrap(), Err(UpstreamError::Protocol));
        assert_eq!((scene.servers[0].count(), scene.servers[0].connections()), (5, 4));
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "unreadable"]), 1.0);
        assert_eq!(scene.metric("edge_upstream_connections", &[]), 3.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_made_narrow_is_not_used_again() {
    local(async {
        let long = || Reply::new(200).body(vec![7; 1 << 20]);
        let scene = narrow(4, [long(), long(), long()].into());
        let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
        for (is_narrow, connections) in [(false, 1), (true, 1), (false, 2)] {
            let question = Question::get("h", &target, &headers);
            let answer = scene.edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
            if is_narrow {
                answer.body().narrow();
            }
            assert!(answer.into_body().collect().await.is_ok());
            tokio::time::sleep(SECOND / 10).await;
            assert_eq!(scene.servers[0].connections(), connections);
        }
    })
    .await;
}

/// Attack 53: what a kernel has allowed to come before, comes of an origin that ignores Range.
#[tokio::test(start_paused = true)]
async fn a_part_is_asked_for_over_a_connection_that_was_never_wide() {
    local(async {
        let (long, short) = (|| Reply::new(200).body(vec![7; 1 << 20]), || ok("a"));
        let scene = narrow(4, [long(), short(), long(), short(), short(), long(), long()].into());
        let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
        for (narrow, widen, connections, why) in [
            (false, false, 1, "the first"),
            (true, false, 2, "that one was widened by a long answer"),
            (true, false, 2, "the second was not"),
            (false, false, 2, "who wants all of it takes a wide one"),
            (true, false, 2, "the narrow one is still there, and a long answer has not widened it"),
            (true, true, 2, "until all of it is wanted"),
            (true, false, 3, "it was widened"),
        ] {
            let question = Question { narrow, ..Question::get("h", &target, &headers) };
            let answer = scene.edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
            if widen {
                answer.body().widen();
            }
            assert!(answer.into_body().collect().await.is_ok());
            tokio::time::sleep(SECOND / 10).await;
            assert_eq!(scene.servers[0].connections(), connections, "{why}");
        }
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

/// A place is held for who takes what it has asked for. Who takes next to nothing lets it go when another wants it.
#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_loses_its_place_to_one_that_comes() {
    local(async {
        for begins in [true, false] {
            is_lost(begins).await;
        }
    })
    .await;
}

async fn is_lost(begins: bool) {
    const LENGTH: usize = 4 << 20;
    let long = || Reply::new(200).header("etag", "\"v\"").body(vec![7; LENGTH]);
    let scene = narrow(4, (0..4).map(|_| long()).collect());
    scene.servers[0].keep_connections(3_600 * SECOND);
    let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
    let alone = Question { alone: true, ..Question::get("h", &target, &headers) };
    let ask = async || {
        let answer = scene.edge.upstream.exchange(alone, RequestBody::Empty).await;
        answer.map(http::Response::into_body)
    };
    let take = async |body: &mut UpstreamBody, least: usize| {
        let mut taken = 0;
        while taken < least {
            taken += body.frame().await.unwrap().unwrap().into_data().unwrap().len();
        }
        taken
    };
    let mut stands = ask().await.unwrap();
    let mut goes = [ask().await.unwrap(), ask().await.unwrap()];
    take(&mut stands, usize::from(begins)).await;
    let mut taken = [0; 2];
    // Nobody is known to be slow so far.
    assert_eq!(ask().await.err(), Some(UpstreamError::Busy));
    // One that takes 4 kB/s, and one that takes a little more by fits and starts.
    for second in 0..150 {
        if second % 5 == 0 {
            taken[0] += take(&mut goes[0], 20_000).await;
        }
        if second % 50 == 0 {
            taken[1] += take(&mut goes[1], 250_000).await;
        }
        tokio::time::sleep(SECOND).await;
    }
    let came = ask().await.unwrap();
    assert_eq!(ask().await.err(), Some(UpstreamError::Busy));
    assert_eq!(scene.metric("edge_places_lost_total", &["answer"]), 1.0);
    // What it has is not the whole, nobody is asked for the rest on its behalf, and no server has broken it off.
    assert!(stands.collect().await.is_err());
    assert_eq!(scene.servers[0].count(), 4);
    assert_eq!(scene.metric("edge_parent_requests_total", &["a", "broken"]), 0.0);
    for (body, taken) in goes.into_iter().zip(taken) {
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), LENGTH - taken);
    }
    assert_eq!(came.collect().await.unwrap().to_bytes().len(), LENGTH);
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

/// What came of a wait for a connection would count as time that the neighbour took.
#[tokio::test(start_paused = true)]
async fn a_neighbour_whose_connections_are_all_in_use_is_neither_waited_for_nor_blamed() {
    local(async {
        let config = config("tiers = [[\"http://origin\"]]\npeers = [\"http://peer\"]\nhedge = false");
        let limits = UpstreamLimits { connections_per_core: 4, ..config.limits };
        let scene = Rc::new(Scene::by(Config { limits, ..config }, [Vec::new(), Vec::new()]));
        scene.servers[0].follow(|_| ok("origin"));
        scene.servers[1]
            .follow(|_| ok("peer").header("cache-control", "max-age=60").after(Duration::from_millis(150)));
        let ask = |n: usize| {
            let scene = Rc::clone(&scene);
            let path: Uri = format!("/{n}").parse().unwrap();
            tokio::task::spawn_local(async move { scene.ask_by(Method::GET, &path, true).await })
        };
        let clients: Vec<_> = (0..16).map(ask).collect();
        let mut answers = Vec::new();
        for client in clients {
            answers.push(client.await.unwrap());
        }
        let of = |name| answers.iter().filter(|answer| **answer == whole(200, name)).count();
        assert_eq!((of("peer"), of("origin")), (4, 12), "{answers:?}");
        assert_eq!(scene.metric("edge_parent_up", &["peer"]), 1.0);
        assert_eq!(scene.metric("edge_parent_requests_total", &["peer", "unanswered"]), 0.0);
        assert_eq!(scene.metric("edge_peer_requests_total", &["busy"]), 12.0);
    })
    .await;
}

/// A server that says `name` for as long as it is asked over a connection.
async fn listening(name: &'static str) -> SocketAddr {
    answering(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}", name.len())).await
}

/// A server that answers so for as long as it is asked over a connection.
async fn answering(answer: String) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(tokio::task::spawn_local(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let answer = answer.clone();
            drop(tokio::task::spawn_local(async move {
                let mut question = Vec::new();
                while connection.read_buf(&mut question).await.is_ok_and(|read| read > 0) {
                    if question.ends_with(b"\r\n\r\n") {
                        connection.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            }));
        }
    }));
    address
}

#[tokio::test]
async fn a_name_that_moves_is_followed_past_kept_connections() {
    local(async {
        let (old, new) = (listening("old").await, listening("new").await);
        let config = config("tiers = [[\"http://moves.example\"]]\nhedge = false");
        // Who has to wait for the only place finds the connection.
        let limits = UpstreamLimits { connections_per_core: 1, ..config.limits };
        let edge = Shared::new(Config { limits, ..config }, &Telemetry::new("test")).on_this_core();
        let resolver = &edge.upstream.groups().parents[0].resolver;
        let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
        let question = Question::get("h", &target, &headers);
        let ask = async || {
            let answer = edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
            answer.into_body().collect().await.unwrap().to_bytes()
        };
        resolver.finds(vec![old]);
        assert_eq!((ask().await, ask().await), ("old".into(), "old".into()));
        resolver.finds(vec![new, old]);
        assert_eq!(ask().await, "old", "it is still there");
        resolver.finds(vec![new]);
        assert_eq!(ask().await, "new");
    })
    .await;
}

#[tokio::test]
async fn an_address_that_does_not_answer_comes_behind_the_one_that_does() {
    local(async {
        let open = listening("open").await;
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let edge = Shared::new(config("tiers = [[\"http://both.example\"]]"), &Telemetry::new("test"))
            .on_this_core();
        let resolver = &edge.upstream.groups().parents[0].resolver;
        let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
        let question = Question::get("h", &target, &headers);
        resolver.finds(vec![closed, open]);
        assert_eq!(resolver.addresses().await, Ok(vec![open, closed]), "by turns");
        let answer = edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "open");
        for _ in 0..2 {
            assert_eq!(resolver.addresses().await, Ok(vec![open, closed]));
        }
    })
    .await;
}

/// Each page of such a server was a 502.
#[tokio::test]
async fn white_space_behind_a_field_s_name_goes_no_further() {
    // RFC 9112 §5.1
    local(async {
        let server =
            answering("HTTP/1.1 200 OK\r\nContent-Length : 2\r\nX-A \t: b\r\n\r\nok".to_owned()).await;
        let config = config(&format!("tiers = [[\"http://{server}\"]]"));
        let edge = Shared::new(config, &Telemetry::new("test")).on_this_core();
        let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
        let question = Question::get("h", &target, &headers);
        for _ in 0..2 {
            let answer = edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
            assert_eq!(answer.headers()["x-a"], "b");
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
        }
    })
    .await;
}
