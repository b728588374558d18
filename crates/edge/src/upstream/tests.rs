//! Questions over scripted servers, with the clock paused: retries, hedges, resumed bodies, tiers, neighbours, checks.

mod changing;
mod pooling;
mod resuming;
mod uploading;
mod waiting;
mod ways;

use super::*;
use crate::edge::{Edge, Shared};
use crate::options::{Config, Options};
use crate::policy;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::BodyExt;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;
use telemetry::Telemetry;
use testkit::upstream::{Reply, Upstream as Script};
use tokio::task::LocalSet;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

struct Scene {
    edge: Edge,
    servers: Rc<[Rc<Script>]>,
    telemetry: Telemetry,
}

type Answer = Result<(StatusCode, Result<Bytes, BodyError>), UpstreamError>;

/// One group with these keys.
fn config(keys: &str) -> Config {
    let group = settings::parse::<GroupOptions>(&format!("name = \"g\"\n{keys}"), "test".as_ref()).unwrap();
    Config::resolve(&Options { group: Some(vec![group]), ..Options::default() }).unwrap()
}

impl Scene {
    /// A group of `keys` over so many servers.
    fn new<const N: usize>(keys: &str, scripts: [Vec<Reply>; N]) -> Self {
        Self::by(config(keys), scripts)
    }

    fn by<const N: usize>(config: Config, scripts: [Vec<Reply>; N]) -> Self {
        let servers: Rc<[_]> = scripts.into_iter().map(Script::new).collect();
        let telemetry = Telemetry::new("test");
        let edge = Shared::new(config, &telemetry).dialling(Dial::Each(Rc::clone(&servers)));
        Self { edge, servers, telemetry }
    }

    /// Two servers beside each other.
    fn pair(first: Vec<Reply>, second: Vec<Reply>) -> Self {
        Self::new("tiers = [[\"http://a\", \"http://b\"]]", [first, second])
    }

    /// A path that is asked of this server first.
    fn path(&self, server: usize) -> Uri {
        let group = &self.edge.upstream.groups.groups[0];
        let mut paths = (0..).map(|n| format!("/{n}").parse::<Uri>().unwrap());
        let of_server = |path: &Uri| {
            let headers = HeaderMap::new();
            let question = Question::get("h", path, &headers);
            group.pick(group.key(question), &[], true, Instant::now()).unwrap().parent.number == server
        };
        paths.find(of_server).unwrap()
    }

    async fn ask(&self, path: &Uri) -> Answer {
        self.ask_by(Method::GET, path, false).await
    }

    async fn ask_by(&self, method: Method, path: &Uri, cold: bool) -> Answer {
        let headers = HeaderMap::new();
        let question = Question { method: &method, cold, ..Question::get("h", path, &headers) };
        let (head, body) = self.edge.upstream.exchange(question, RequestBody::Empty).await?.into_parts();
        Ok((head.status, body.collect().await.map(http_body_util::Collected::to_bytes)))
    }

    fn counts(&self) -> Vec<usize> {
        self.servers.iter().map(|server| server.count()).collect()
    }

    /// What the metric of this name and these labels says.
    fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let families = self.telemetry.registry.gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        let has = |metric: &&prometheus::proto::Metric| {
            labels.iter().all(|label| metric.get_label().iter().any(|pair| pair.value() == *label))
        };
        let metric = family.get_metric().iter().find(has).unwrap();
        metric.get_counter().get_value() + metric.get_gauge().get_value()
    }
}

fn ok(body: &'static str) -> Reply {
    Reply::new(200).body(body)
}

fn whole(status: u16, body: &'static str) -> Answer {
    Ok((StatusCode::from_u16(status).unwrap(), Ok(Bytes::from(body))))
}

async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

/// Who had a resolver that does not answer was sent to look for a server that does not.
#[tokio::test]
async fn a_name_that_is_still_looked_up_when_the_time_is_over_is_what_is_missing() {
    local(async {
        let scene = Scene::new("tiers = [[\"http://nowhere.invalid\"]]", [vec![]]);
        let parent = scene.edge.upstream.groups.groups[0].parents().next().unwrap();
        let failed = Dial::Network.connect(parent, Duration::ZERO).await.err();
        assert_eq!(failed, Some(UpstreamError::Resolve));
    })
    .await;
}

/// A server was down because it was "unreached" or "unanswered", and nobody was told why.
#[tokio::test(start_paused = true)]
async fn who_is_told_that_a_server_is_down_is_told_what_was_wrong() {
    local(async {
        for (reply, says) in [
            (Some(Reply::new(503)), "503 Service Unavailable"),
            (Some(ok("late").after(60 * SECOND)), "no answer from the upstream in time"),
            (None, "connection refused"),
        ] {
            let is_down = reply.is_none();
            let scene = Scene::new("tiers = [[\"http://a\"]]", [reply.into_iter().collect()]);
            if is_down {
                scene.servers[0].go_down(ErrorKind::ConnectionRefused);
            }
            let _ = scene.ask(&scene.path(0)).await;
            let trouble = scene.edge.upstream.groups.groups[0].parents().next().unwrap().last_trouble();
            assert!(trouble.contains(says), "{trouble} {says}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_is_followed_by_another() {
    local(async {
        for (method, reply, again) in [
            (Method::GET, None, true),
            (Method::POST, None, true),
            (Method::GET, Some(Reply::new(503)), true),
            (Method::DELETE, Some(Reply::new(502)), true),
            (Method::POST, Some(Reply::new(503)), false),
            (Method::GET, Some(Reply::new(500)), false),
            (Method::GET, Some(Reply::new(404)), false),
            (Method::GET, Some(ok("late").after(16 * SECOND)), true),
            (Method::POST, Some(ok("late").after(16 * SECOND)), false),
        ] {
            let case = format!("{method} {reply:?}");
            let scene = Scene::pair(Vec::new(), vec![ok("other")]);
            match reply {
                None => scene.servers[0].go_down(ErrorKind::ConnectionRefused),
                Some(reply) => scene.servers[0].then(reply),
            }
            let answer = scene.ask_by(method, &scene.path(0), false).await;
            assert_eq!(answer == whole(200, "other"), again, "{case}: {answer:?}");
            assert_eq!(scene.servers[1].count(), usize::from(again), "{case}");
        }
    })
    .await;
}

/// A page that cannot be read is a sign of life, as one that always fails is.
#[tokio::test(start_paused = true)]
async fn one_page_that_cannot_be_read_takes_no_server_away_from_the_others() {
    local(async {
        let scene = Scene::pair(Vec::new(), Vec::new());
        scene.servers[0].follow(|_| (0..200).fold(ok("a"), |reply, _| reply.header("x-a", "1")));
        scene.servers[1].follow(|_| ok("b"));
        let path = scene.path(0);
        for n in 1..=10 {
            assert_eq!(scene.ask(&path).await, whole(200, "b"));
            assert_eq!(scene.metric("edge_parent_up", &["a"]), f64::from(u8::from(n < 10)), "{n}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_is_given_back_when_nobody_has_a_better_one() {
    local(async {
        let scene = Scene::pair(vec![Reply::new(503).body("later")], Vec::new());
        scene.servers[1].go_down(ErrorKind::ConnectionRefused);
        assert_eq!(scene.ask(&scene.path(0)).await, whole(503, "later"));
        assert_eq!(scene.metric("edge_upstream_retries_total", &["unwell"]), 1.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn retries_stay_within_the_budget_however_many_fail() {
    local(async {
        let unwell = || (0..200).map(|_| Reply::new(503)).collect();
        let scene = Scene::pair(unwell(), unwell());
        for n in 0..100 {
            let answer = scene.ask(&format!("/{n}").parse().unwrap()).await;
            assert_eq!(answer.unwrap().0, StatusCode::SERVICE_UNAVAILABLE);
        }
        // No time passes: 20 at once, and a fifth of 100, but for the first, which found it full.
        assert_eq!(scene.counts().into_iter().sum::<usize>(), 100 + 20 + 19);
        assert_eq!(scene.metric("edge_retry_budget_denied_total", &["g"]), 61.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_is_left_alone_but_for_trials() {
    local(async {
        let scene = Scene::pair(vec![ok("a"), ok("a")], (0..20).map(|_| ok("b")).collect());
        let path = scene.path(0);
        scene.servers[0].go_down(ErrorKind::ConnectionRefused);
        for _ in 0..10 {
            assert_eq!(scene.ask(&path).await, whole(200, "b"));
        }
        assert_eq!(scene.metric("edge_parent_requests_total", &["a", "unreached"]), 3.0);
        assert_eq!(scene.metric("edge_parent_up", &["a"]), 0.0);
        scene.servers[0].come_back();
        assert_eq!(scene.ask(&path).await, whole(200, "b"), "it is not time yet");
        tokio::time::sleep(SECOND).await;
        assert_eq!(scene.ask(&path).await, whole(200, "a"));
        assert_eq!(scene.metric("edge_parent_up", &["a"]), 1.0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_is_tried_while_an_old_answer_of_it_still_comes() {
    local(async {
        let long = Reply::new(200).data("0").pause(12 * SECOND).data("1");
        let scene = Scene::pair(vec![long, ok("a")], (0..9).map(|_| ok("b")).collect());
        let path = scene.path(0);
        let headers = HeaderMap::new();
        let question = Question::get("h", &path, &headers);
        let old = scene.edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
        scene.servers[0].go_down(ErrorKind::ConnectionRefused);
        for _ in 0..3 {
            assert_eq!(scene.ask(&path).await, whole(200, "b"));
        }
        assert_eq!(scene.metric("edge_parent_up", &["a"]), 0.0);
        scene.servers[0].come_back();
        tokio::time::sleep(SECOND).await;
        assert_eq!(scene.ask(&path).await, whole(200, "a"));
        assert_eq!(old.into_body().collect().await.unwrap().to_bytes(), "01");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn with_all_down_they_are_asked_all_the_same() {
    local(async {
        let scene = Scene::pair(vec![ok("a")], Vec::new());
        for server in &*scene.servers {
            server.go_down(ErrorKind::ConnectionRefused);
        }
        for _ in 0..10 {
            assert_eq!(scene.ask(&scene.path(0)).await, Err(UpstreamError::Connect));
        }
        scene.servers[0].come_back();
        assert_eq!(scene.ask(&scene.path(0)).await, whole(200, "a"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn tiers_are_asked_in_order() {
    local(async {
        let scene = Scene::new(
            "tiers = [[\"http://parent\"], [\"http://origin\"]]",
            [vec![ok("parent"), Reply::new(504)], vec![ok("origin"), ok("origin")]],
        );
        let path = scene.path(0);
        assert_eq!(scene.ask(&path).await, whole(200, "parent"));
        assert_eq!(scene.ask(&path).await, whole(200, "origin"));
        scene.servers[0].go_down(ErrorKind::ConnectionRefused);
        assert_eq!(scene.ask(&path).await, whole(200, "origin"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_is_asked_for_what_it_holds_and_for_nothing_else() {
    local(async {
        let fresh = |body| ok(body).header("cache-control", "max-age=60");
        for (peer, cold, answer, counts) in [
            (fresh("peer"), true, "peer", [0, 1]),
            (fresh("peer"), false, "origin", [1, 0]),
            (Reply::new(504), true, "origin", [1, 1]),
            (fresh("old").header("age", "60"), true, "origin", [1, 1]),
            (ok("unknown"), true, "origin", [1, 1]),
            (fresh("late").after(SECOND), true, "origin", [1, 1]),
        ] {
            let keys = "tiers = [[\"http://origin\"]]\npeers = [\"http://peer\"]";
            let scene = Scene::new(keys, [vec![ok("origin")], vec![peer]]);
            let begun = Instant::now();
            let path = scene.path(0);
            assert_eq!(scene.ask_by(Method::GET, &path, cold).await, whole(200, answer));
            assert_eq!(scene.counts(), counts, "{answer}");
            assert!(begun.elapsed() < SECOND);
            for question in scene.servers[1].questions() {
                assert_eq!(question.headers["cache-control"], "only-if-cached");
                assert_eq!(question.headers["host"], "h");
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_that_holds_nothing_is_well_and_one_that_cannot_is_not() {
    local(async {
        for (status, up) in [(504, 1.0), (503, 0.0)] {
            let keys = "tiers = [[\"http://origin\"]]\npeers = [\"http://peer\"]";
            let scene = Scene::new(keys, [Vec::new(), (0..12).map(|_| Reply::new(status)).collect()]);
            scene.servers[0].follow(|_| ok("origin"));
            for n in 0..12 {
                let path = format!("/{n}").parse().unwrap();
                assert_eq!(scene.ask_by(Method::GET, &path, true).await, whole(200, "origin"));
            }
            assert_eq!(scene.metric("edge_parent_up", &["peer"]), up, "{status}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_may_reload_is_not_given_what_a_neighbour_holds() {
    local(async {
        for (wish, honoured, answer) in [
            (("cache-control", "no-cache"), true, "origin"),
            (("cache-control", "max-age=0"), true, "origin"),
            (("cache-control", "min-fresh=90"), true, "origin"),
            (("pragma", "no-cache"), true, "origin"),
            (("cache-control", "max-stale"), true, "peer"),
            (("cache-control", "no-cache"), false, "peer"),
        ] {
            let own = if honoured { "[cache]\nclient_reload = \"honour\"" } else { "" };
            let servers = "tiers = [[\"http://origin\"]]\npeers = [\"http://peer\"]";
            let config = config(&format!("{servers}\n{own}"));
            let held = ok("peer").header("cache-control", "max-age=60");
            let scene = Scene::by(config, [vec![ok("origin")], vec![held]]);
            let headers = HeaderMap::from_iter([(wish.0.parse().unwrap(), wish.1.parse().unwrap())]);
            let target = Uri::from_static("/x");
            let question = Question { cold: true, ..Question::get("h", &target, &headers) };
            let response = scene.edge.upstream.exchange(question, RequestBody::Empty).await.unwrap();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, answer, "{wish:?} {honoured}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn checks_find_out_before_requests_do_and_decide_the_return() {
    local(async {
        let health = |statuses: [u16; 5]| statuses.map(Reply::new).into_iter().collect();
        let keys =
            "tiers = [[\"http://a\", \"http://b\"]]\nhealth_path = \"/healthz\"\nhealth_interval = \"1s\"";
        let scene = Scene::new(keys, [health([200, 503, 503, 200, 200]), health([200; 5])]);
        let path = scene.path(0);
        let _checks = scene.edge.upstream.start_checks();
        let mut up = Vec::new();
        for _ in 0..5 {
            tokio::time::sleep(SECOND - Duration::from_millis(1)).await;
            up.push(scene.metric("edge_parent_up", &["a"]));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(up, [1.0, 1.0, 0.0, 0.0, 1.0]);
        let question = &scene.servers[0].questions()[0];
        assert_eq!((question.target.path(), &question.headers["host"]), ("/healthz", &"a".parse().unwrap()));
        drop(path);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn checks_ask_for_a_host_that_servers_know() {
    local(async {
        for (keys, host) in [
            ("", "a"),
            ("hosts = [\"*.below\", \"First\", \"second\"]", "first"),
            ("hosts = [\"*.below\"]", "a"),
            ("hosts = [\"first\"]\nhost_header = \"upstream\"", "a"),
            ("hosts = [\"first\"]\nhost_header = \"fixed\"", "fixed"),
        ] {
            let keys = format!("tiers = [[\"http://a\"]]\nhealth_path = \"/healthz\"\n{keys}");
            let scene = Scene::new(&keys, [vec![ok("")]]);
            let _checks = scene.edge.upstream.start_checks();
            tokio::time::sleep(SECOND).await;
            assert_eq!(scene.servers[0].questions()[0].headers["host"], host, "{keys}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn host_is_what_the_group_says_and_others_are_refused() {
    local(async {
        for (keys, host, asked) in [
            ("", "h", Ok("a")),
            ("hosts = [\"h\"]", "h", Ok("h")),
            ("hosts = [\"h\"]", "h:8080", Ok("h:8080")),
            ("hosts = [\"h\"]\nhost_header = \"upstream\"", "h", Ok("a")),
            ("host_header = \"site.example\"", "h", Ok("site.example")),
            ("host_header = \"client\"", "h", Ok("h")),
            ("hosts = [\"other\"]", "h", Err(UpstreamError::UnknownHost)),
            ("paths = [\"/live/\"]", "h", Err(UpstreamError::UnknownPath)),
        ] {
            let scene = Scene::new(&format!("tiers = [[\"http://a\"]]\n{keys}"), [vec![ok("")]]);
            let (headers, target) = (HeaderMap::new(), Uri::from_static("/x"));
            let question = Question::get(host, &target, &headers);
            let answer = scene.edge.upstream.exchange(question, RequestBody::Empty).await;
            assert_eq!(answer.map(|_| ()).err(), asked.err(), "{keys}");
            if let Ok(asked) = asked {
                assert_eq!(scene.servers[0].questions()[0].headers["host"], asked, "{keys}");
            }
        }
    })
    .await;
}
