//! Orders to purge through the whole edge.

use super::tests::*;
use super::*;
use crate::edge::Settings;
use crate::purge::Reach;
use crate::store::{Blocks, Entry, Memory};
use ::purge::{Mode, Order, Report, What};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use httpcache::freshness::{Freshness, StaleUse, State};
use jiff::Timestamp;
use std::io::ErrorKind;
use std::time::Duration;
use testkit::upstream::Reply;
use units::ByteCount;

/// What is cached, and its keys.
const CACHED: [(&str, &str); 3] = [
    ("/lessons/7/a", "lesson-7 grade-3"),
    ("/lessons/7/b?x=1", "lesson-7"),
    ("/lessons/8/a", "grade-3 lesson-8"),
];

fn url(text: &str) -> What {
    What::Url(text.parse().unwrap())
}

fn prefix(text: &str) -> What {
    What::Prefix(text.parse().unwrap())
}

fn key(text: &str, host: Option<&str>) -> What {
    What::SurrogateKey { key: text.parse().unwrap(), host: host.map(str::to_owned) }
}

async fn loaded() -> Rc<Scene> {
    let replies = CACHED.map(|(_, keys)| fresh().header("surrogate-key", keys).body("x"));
    let scene = Rc::new(before_group(&["a", "b"], None, replies));
    for (target, _) in CACHED {
        scene.load(target).await;
    }
    scene
}

impl Scene {
    pub(super) fn reach(&self) -> Reach {
        let (config, groups) = (Arc::clone(&self.edge.config), Arc::clone(self.edge.upstream.groups()));
        let (_, settings) = tokio::sync::watch::channel(Settings { config, groups });
        Reach {
            settings,
            flights: self.edge.flights.clone(),
            memory: self.edge.memory.clone(),
            disk: self.edge.disk.clone(),
            recent: self.edge.recent.clone(),
            relay: self.edge.relay.clone(),
        }
    }

    pub(super) fn purge(&self, what: What, mode: Mode) -> Report {
        let order = Order::new(what, mode, None, Timestamp::UNIX_EPOCH, Duration::from_secs(60)).unwrap();
        self.reach().carry_out(&order, Instant::now()).report
    }

    /// Whether it is there and fresh; asks nobody.
    async fn holds(&self, target: &str, fields: &[(&str, &str)]) -> bool {
        let fields = [&[("cache-control", "only-if-cached")], fields].concat();
        self.ask(target, &fields).await.status() == StatusCode::OK
    }
}

#[tokio::test(start_paused = true)]
async fn a_url_is_forgotten_however_a_client_has_written_its_escapes() {
    local(async {
        const SPELLINGS: [&str; 2] = ["/%E8%AF%BE", "/%e8%af%be"];
        for what in [url("http://a/课"), url("http://a/%E8%AF%BE"), prefix("http://a/%e8%af")] {
            let scene = before_group(&["a"], None, SPELLINGS.map(|_| fresh().body("x")));
            for target in SPELLINGS {
                scene.load(target).await;
            }
            assert_eq!(scene.purge(what.clone(), Mode::Hard).removed.memory, 2, "{what}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_pinned_beside_a_memory_that_has_no_room_for_it_is_met() {
    let scene = before_group(&["a"], None, []);
    let gauge = || prometheus::IntGauge::new("a", "a").unwrap();
    let evictions = prometheus::IntCounter::new("a", "a").unwrap();
    let memory = Memory::new(ByteCount::mib(1), gauge(), gauge(), evictions).with_pins(ByteCount::mib(64));
    let stale = StaleUse::default();
    let freshness = Freshness { initial_age: Duration::ZERO, lifetime: SECOND, stale, immutable: false };
    let body = Body::Complete(Arc::new(Blocks::new(vec![vec![0; 80_000].into()])));
    let page = Arc::new(Object::new(StatusCode::OK, HeaderMap::new(), freshness, Instant::now(), body));
    let key = |number| key_of(&scene.edge, &scene.asked("GET", &format!("/page/{number}"), &[]));
    let reach = Reach { memory: memory.clone(), ..scene.reach() };
    for mode in [Mode::Soft, Mode::Hard] {
        for number in 0..300 {
            assert!(memory.pin(&key(number), Entry::Object(Arc::clone(&page)), std::time::UNIX_EPOCH));
        }
        let what = prefix("http://a/page/");
        let order = Order::new(what, mode, None, Timestamp::UNIX_EPOCH, Duration::from_secs(60)).unwrap();
        let report = reach.carry_out(&order, Instant::now()).report;
        assert_eq!(report.removed.memory + report.softened.memory, 300);
        let is_fresh = |number| {
            let entry = memory.get(&key(number));
            matches!(entry, Some(Entry::Object(object)) if object.state(Instant::now()) == State::Fresh)
        };
        assert!(!(0..300).any(is_fresh), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_servers_are_not_told_the_host_any_that_they_are_for_means_them() {
    local(async {
        for (what, removed) in [
            (url("http://7.example/x"), 1),
            (url("http://elsewhere/x"), 1),
            (url("http://8.example/y"), 0),
            (prefix("http://7.example/"), 1),
            (prefix("http://elsewhere/"), 1),
            (key("k", Some("7.example")), 1),
            (key("k", None), 2),
        ] {
            let reply = || fresh().header("surrogate-key", "k").body("x");
            // One stands there for all of *.example, one for all other hosts.
            let scene = before_group(&["*.example"], Some("upstream"), [reply(), reply()]);
            for host in ["1.example", "other"] {
                let mut asked = scene.asked("GET", "/x", &[]);
                host.clone_into(&mut asked.host);
                read(scene.answer(asked).await.into_body()).await.unwrap();
            }
            assert_eq!(scene.purge(what.clone(), Mode::Hard).removed.memory, removed, "{what}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn by_url_prefix_and_surrogate_key_hard_and_soft() {
    local(async {
        for (what, meant) in [
            (url("http://a/lessons/7/a"), &[0][..]),
            // As another client writes the same.
            (url("https://A:443/lessons/7/b?utm_source=s&x=1"), &[1]),
            (url("http://a/lessons/7/b"), &[]),
            (url("http://b/lessons/7/a"), &[]),
            (prefix("http://a/lessons/7/"), &[0, 1]),
            (prefix("http://a/lessons/"), &[0, 1, 2]),
            (prefix("http://a"), &[0, 1, 2]),
            (prefix("http://b"), &[]),
            (key("grade-3", None), &[0, 2]),
            (key("lesson-7", Some("a")), &[0, 1]),
            (key("lesson-7", Some("b")), &[]),
            (key("lesson", None), &[]),
        ] {
            for mode in [Mode::Hard, Mode::Soft] {
                let scene = loaded().await;
                let report = scene.purge(what.clone(), mode);
                let (removed, softened) = (report.removed.memory, report.softened.memory);
                let (count, none) =
                    if mode == Mode::Hard { (removed, softened) } else { (softened, removed) };
                assert_eq!((count, none), (meant.len() as u64, 0), "{what} {mode:?}");
                let mut urls: Vec<_> =
                    meant.iter().map(|&at: &usize| format!("http://a{}", CACHED[at].0)).collect();
                let mut told = report.urls;
                urls.sort();
                told.sort();
                assert_eq!(told, urls);
                scene.upstream.go_down(ErrorKind::ConnectionRefused);
                for (at, (target, _)) in CACHED.iter().enumerate() {
                    let meant = meant.contains(&at);
                    assert_eq!(scene.holds(target, &[]).await, !meant, "{what} {mode:?} {target}");
                    // What is only stale stands in while the origin is away.
                    let status = scene.ask(target, &[]).await.status();
                    let there = !meant || mode == Mode::Soft;
                    let expected = if there { StatusCode::OK } else { StatusCode::GATEWAY_TIMEOUT };
                    assert_eq!(status, expected, "{what} {mode:?} {target}");
                }
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_made_stale_is_asked_about_and_may_still_hold() {
    local(async {
        let scene = Scene::new([fresh().body("x"), fresh_again()]);
        scene.load("/x").await;
        tokio::time::sleep(SECOND).await;
        assert_eq!(scene.purge(prefix("http://a/"), Mode::Soft).softened.memory, 1);
        assert_eq!(scene.purge(prefix("http://a/"), Mode::Soft).softened.memory, 0, "it is stale already");
        assert_eq!(scene.text("/x", &[]).await, "x");
        assert_eq!(scene.upstream.count(), 2);
        assert!(scene.holds("/x", &[]).await);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_variant_whose_sign_post_memory_has_let_go_of_is_made_stale() {
    local(async {
        for is_back_before in [false, true] {
            let of_one = fresh().header("vary", "accept-encoding").body("x");
            let scene = Scene::new([of_one, fresh_again().header("vary", "accept-encoding")]);
            let client = [("accept-encoding", "br")];
            assert_eq!(scene.text("/x", &client).await, "x");
            let primary = key_of(&scene.edge, &scene.asked("GET", "/x", &[]));
            let Some(Entry::Varies(post)) = scene.edge.memory.get(&primary) else { panic!("it varies") };
            scene.edge.memory.remove(&primary);
            // It comes back from a disk, where a soft order leaves it, and knows of none of its variants.
            let post = Arc::new(Variants::restored(post.names().clone(), post.generation()));
            if is_back_before {
                scene.edge.memory.put_back(&primary, &post);
            }
            assert_eq!(scene.purge(url("http://a/x"), Mode::Soft).softened.memory, 1);
            scene.edge.memory.put_back(&primary, &post);
            assert!(!scene.holds("/x", &client).await);
            assert_eq!(scene.text("/x", &client).await, "x");
            assert_eq!(scene.upstream.count(), 2);
        }
    })
    .await;
}

fn fresh_again() -> Reply {
    Reply::new(304).header("cache-control", "max-age=60").header("etag", "\"v1\"")
}

#[tokio::test(start_paused = true)]
async fn what_is_made_stale_serves_while_it_is_refreshed_from_then_on() {
    // RFC 5861 §3
    local(async {
        let lasting = |body: &'static str| {
            Reply::new(200).header("cache-control", "max-age=60, stale-while-revalidate=10").body(body)
        };
        let scene = Rc::new(Scene::new([lasting("old"), lasting("new")]));
        scene.load("/x").await;
        scene.purge(url("http://a/x"), Mode::Soft);
        tokio::time::sleep(9 * SECOND).await;
        assert_eq!(scene.text("/x", &[]).await, "old");
        tokio::time::sleep(SECOND).await;
        assert_eq!(scene.text("/x", &[]).await, "new");
        assert_eq!(scene.upstream.count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn variants_go_with_their_url_and_by_their_own_keys() {
    local(async {
        let bands = ["1", "2"];
        let reply = |keys: &'static str| fresh().header("vary", "x-band").header("cache-tag", keys).body("x");
        for (what, mode, held) in [
            (url("http://a/x"), Mode::Hard, [false, false]),
            (url("http://a/x"), Mode::Soft, [false, false]),
            (prefix("http://a/"), Mode::Hard, [false, false]),
            (key("two", None), Mode::Hard, [true, false]),
            (key("two", None), Mode::Soft, [true, false]),
        ] {
            let scene = Scene::new([reply("all,one"), reply("all,two"), reply("all,one"), reply("all,two")]);
            for band in bands {
                scene.text("/x", &[("x-band", band)]).await;
            }
            let report = scene.purge(what.clone(), mode);
            let meant = held.iter().filter(|held| !**held).count() as u64;
            assert_eq!(report.removed.memory + report.softened.memory, meant, "{what} {mode:?}");
            for (band, held) in bands.iter().zip(held) {
                assert_eq!(scene.holds("/x", &[("x-band", band)]).await, held, "{what} {mode:?} {band}");
            }
            for band in bands {
                assert_eq!(scene.text("/x", &[("x-band", band)]).await, "x");
                assert!(scene.holds("/x", &[("x-band", band)]).await, "{what} {mode:?}: kept again");
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_fill_that_an_order_has_overtaken_serves_and_is_not_kept() {
    local(async {
        for (what, before_head, overtaken) in [
            (url("http://a/x"), true, 1),
            (url("http://a/x"), false, 1),
            (prefix("http://a/"), false, 1),
            (prefix("http://a/y"), false, 0),
            // Nobody knows what it will be.
            (key("other", None), true, 1),
            (key("other", None), false, 0),
            (key("k", None), false, 1),
            (key("k", Some("b")), true, 0),
        ] {
            for mode in [Mode::Hard, Mode::Soft] {
                let slow = fresh().header("surrogate-key", "k").after(SECOND).header("content-length", "3");
                let replies = [slow.pause(SECOND).data("old"), fresh().body("new")];
                let scene = Rc::new(before_group(&["a", "b"], None, replies));
                let before = scene.start("/x");
                tokio::time::sleep(if before_head { SECOND / 2 } else { SECOND * 3 / 2 }).await;
                let report = scene.purge(what.clone(), mode);
                assert_eq!((report.fills_overtaken, report.removed.memory), (overtaken, 0), "{what}");
                let after = scene.start("/x");
                assert_eq!(before.await.unwrap().1, Ok(Bytes::from("old")));
                let then = if overtaken == 1 { "new" } else { "old" };
                assert_eq!(after.await.unwrap().1, Ok(Bytes::from(then)), "{what} {before_head}");
                assert_eq!(scene.text("/x", &[]).await, then);
                assert!(scene.holds("/x", &[]).await);
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn clients_do_not_see_surrogate_keys() {
    local(async {
        let labelled = |reply: Reply| reply.header("surrogate-key", "k").header("cache-tag", "t").body("x");
        let scene =
            Scene::new([labelled(fresh()), labelled(Reply::new(200).header("cache-control", "no-store"))]);
        scene.load("/x").await;
        for target in ["/x", "/passed"] {
            let answer = scene.ask(target, &[]).await;
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!((field(&answer, "surrogate-key"), field(&answer, "cache-tag")), ("", ""), "{target}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_an_edge_behind_this_one_has_from_before_an_order_does_not_come_back() {
    local(async {
        let aged = |age: &'static str, body: &'static str| {
            fresh().header("surrogate-key", "k").header("age", age).body(body)
        };
        for (what, mode) in [(prefix("http://a/"), Mode::Hard), (key("k", None), Mode::Soft)] {
            let not_purged = Reply::new(304).header("cache-control", "max-age=60").header("etag", "\"v1\"");
            let replies =
                [aged("0", "old"), aged("30", "old"), not_purged.header("age", "31"), aged("2", "new")];
            let scene = Scene::new(replies);
            scene.load("/x").await;
            scene.purge(what.clone(), mode);
            tokio::time::sleep(5 * SECOND).await;
            for body in ["old", "old", "new"] {
                assert_eq!(scene.text("/x", &[]).await, body, "{what}");
            }
            assert!(scene.holds("/x", &[]).await, "what is younger than the order is kept");
            let questions = scene.upstream.questions();
            let limits: Vec<_> =
                questions.iter().map(|asked| asked.headers.get("cache-control").cloned()).collect();
            assert_eq!(limits[0], None);
            assert!(limits[1..].iter().all(|limit| limit.as_ref().is_some_and(|limit| limit == "max-age=4")));
        }
    })
    .await;
}
