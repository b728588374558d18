//! Orders to purge that reach what lies on the disk, alone or as well.

use super::*;
use crate::purge::{Handed, hand_over, hand_over_within};
use ::purge::{Order, Report};
use http::StatusCode;
use jiff::Timestamp;
use std::time::Duration;

fn order(what: &What, mode: Mode) -> Order {
    Order::new(what.clone(), mode, None, Timestamp::UNIX_EPOCH, Duration::from_secs(60)).unwrap()
}

/// Gives an order as the door does; the thread that carries it out ends with the value.
async fn purge(scene: &Scene, what: &What, mode: Mode) -> (Report, Handed) {
    let handed = hand_over(scene.reach());
    let report = handed.carry_out(order(what, mode)).await;
    (report, handed)
}

fn prefix(text: &str) -> What {
    What::Prefix(text.parse().unwrap())
}

fn url(text: &str) -> What {
    What::Url(text.parse().unwrap())
}

fn key(text: &str) -> What {
    What::SurrogateKey { key: text.parse().unwrap(), host: None }
}

const TARGETS: [&str; 3] = ["/l/7/a", "/l/7/b", "/l/8/a"];

fn replies() -> [Reply; 3] {
    ["l7 all", "l7", "l8 all"].map(|keys| fresh().header("surrogate-key", keys).body("old"))
}

/// Gives orders in one batch: the first ones are still open when the last is carried out.
async fn purge_together(scene: &Scene, orders: &[(What, Mode)]) -> (Vec<Report>, Handed) {
    let handed = hand_over(scene.reach());
    let orders = orders.iter().map(|(what, mode)| order(what, *mode)).collect();
    let reports = handed.carry_out_together(orders).await;
    (reports, handed)
}

/// Whether it is there and fresh; asks nobody.
async fn holds(scene: &Scene, target: &str) -> bool {
    scene.ask(target, &[("cache-control", "only-if-cached")]).await.status() == StatusCode::OK
}

/// Has a process keep all of [`TARGETS`] on the disk, and end.
async fn fill(disk: &Path) {
    let filling = scene(disk, replies());
    for target in TARGETS {
        filling.load(target).await;
    }
    stop(filling).await;
}

#[tokio::test]
async fn what_lies_on_the_disk_alone_is_met_counted_and_does_not_come_back() {
    for (what, meant) in [
        (url("http://a/l/7/a"), &[0][..]),
        (prefix("http://a/l/7/"), &[0, 1]),
        (key("all"), &[0, 2]),
        (key("none"), &[]),
        (prefix("http://a/l/9/"), &[]),
    ] {
        for mode in [Mode::Hard, Mode::Soft] {
            let disk = tempfile::tempdir().unwrap();
            local(async {
                fill(disk.path()).await;
                // A process that knows nothing of it by heart.
                let ordered = scene(disk.path(), []);
                let (report, handed) = purge(&ordered, &what, mode).await;
                let (told, other) = match mode {
                    Mode::Hard => (report.removed, report.softened),
                    Mode::Soft => (report.softened, report.removed),
                };
                assert_eq!(
                    (told.disk, told.memory, other.disk),
                    (meant.len() as u64, 0, 0),
                    "{what} {mode:?}"
                );
                assert!(report.lasting && report.disk_objects_left == 0, "{report:?}");
                assert_eq!(report.urls.len(), meant.len());
                let check = async |scene: &Scene| {
                    for (at, target) in TARGETS.iter().enumerate() {
                        assert_eq!(
                            holds(scene, target).await,
                            !meant.contains(&at),
                            "{what} {mode:?} {target}"
                        );
                    }
                };
                check(&ordered).await;
                drop(handed);
                stop(ordered).await;
                let after = scene(disk.path(), []);
                check(&after).await;
                after.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
                for (at, target) in TARGETS.iter().enumerate() {
                    // What is only stale stands in while the origin is away.
                    let there = mode == Mode::Soft || !meant.contains(&at);
                    let status = after.ask(target, &[]).await.status();
                    let expected = if there { StatusCode::OK } else { StatusCode::GATEWAY_TIMEOUT };
                    assert_eq!(status, expected, "{what} {mode:?} {target}");
                }
            })
            .await;
        }
    }
}

/// It was handed to who waited for it as stale, and the origin's 304 brought it back.
#[tokio::test]
async fn what_an_order_takes_out_while_it_is_read_is_not_asked_about() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let filling = scene(disk.path(), [fresh().body(long_body())]);
        filling.load("/x").await;
        let (_, handed) = purge(&filling, &url("http://a/x"), Mode::Soft).await;
        drop(handed);
        stop(filling).await;
        let after = Rc::new(scene(disk.path(), [fresh().body("new")]));
        let asking = after.start("/x");
        // Between two of its blocks: some of it has come.
        while !(1..600_000).contains(&after.edge.overload.promised()) {
            assert!(!asking.is_finished() && after.upstream.count() == 0, "it is read");
            tokio::task::yield_now().await;
        }
        after.purge(url("http://a/x"), Mode::Hard);
        assert_eq!(asking.await.unwrap().1.unwrap(), "new");
        let questions = after.upstream.questions();
        assert!(!questions[0].headers.contains_key("if-none-match"), "{:?}", questions[0].headers);
    })
    .await;
}

#[tokio::test]
async fn what_was_fetched_after_an_order_stays_also_on_the_disk() {
    for (what, mode) in
        [(prefix("http://a/"), Mode::Hard), (key("k"), Mode::Soft), (url("http://a/x"), Mode::Soft)]
    {
        let disk = tempfile::tempdir().unwrap();
        let reply = |body: &'static str| fresh().header("surrogate-key", "k").body(body);
        local(async {
            let ordered = scene(disk.path(), [reply("old"), reply("new")]);
            ordered.load("/x").await;
            let (report, handed) = purge(&ordered, &what, mode).await;
            let (removed, softened) = (report.removed, report.softened);
            assert_eq!((removed.memory + softened.memory, removed.disk + softened.disk), (1, 1), "{what}");
            assert_eq!(report.urls.len(), 1);
            assert_eq!(ordered.text("/x", &[]).await, "new");
            handed.rounds_end().await;
            drop(handed);
            stop(ordered).await;
            let after = scene(disk.path(), []);
            assert_eq!(after.text("/x", &[]).await, "new");
            assert_eq!(after.upstream.count(), 0);
        })
        .await;
    }
}

/// A restart forgot which orders were on their way: what they meant was had back from a parent that had not heard of them, and kept.
#[tokio::test]
async fn what_an_order_meant_does_not_come_back_from_a_parent_behind_a_restart() {
    for what in [url("http://a/x"), prefix("http://a/"), key("k")] {
        let disk = tempfile::tempdir().unwrap();
        let reply = |body: &'static str| fresh().header("surrogate-key", "k").body(body);
        local(async {
            let ordered = scene(disk.path(), [reply("old")]);
            ordered.load("/x").await;
            drop(purge(&ordered, &what, Mode::Hard).await);
            ordered.edge.disk.as_ref().unwrap().close();
            stop(ordered).await;
            let after = scene(disk.path(), [reply("old").header("age", "30"), reply("new")]);
            assert_eq!(after.text("/x", &[]).await, "old", "{what}: it serves who waits");
            assert_eq!(after.text("/x", &[]).await, "new", "{what}: it is asked about");
            let questions = after.upstream.questions();
            assert!(
                questions[0].headers["cache-control"].to_str().unwrap().starts_with("max-age="),
                "{what}"
            );
        })
        .await;
    }
}

#[tokio::test]
async fn variants_that_lie_on_the_disk_alone_go_with_their_url() {
    for (what, mode) in [
        (url("http://a/x"), Mode::Hard),
        (url("http://a/x"), Mode::Soft),
        (prefix("http://a/"), Mode::Hard),
        (key("k"), Mode::Soft),
    ] {
        let disk = tempfile::tempdir().unwrap();
        let reply = || fresh().header("vary", "x-band").header("surrogate-key", "k").body("old");
        local(async {
            let filling = scene(disk.path(), [reply(), reply()]);
            for band in ["1", "2"] {
                filling.text("/x", &[("x-band", band)]).await;
            }
            stop(filling).await;
            let ordered = scene(disk.path(), []);
            // One of them is in memory.
            ordered.text("/x", &[("x-band", "1")]).await;
            let (report, _handed) = purge(&ordered, &what, mode).await;
            let told = if mode == Mode::Hard { report.removed } else { report.softened };
            assert_eq!((told.memory, told.disk), (1, 2), "{what} {mode:?}");
            for band in ["1", "2"] {
                let fields = [("cache-control", "only-if-cached"), ("x-band", band)];
                assert_ne!(
                    ordered.ask("/x", &fields).await.status(),
                    StatusCode::OK,
                    "{what} {mode:?} {band}"
                );
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_soft_order_for_a_url_hides_nothing_from_a_hard_one_that_has_not_met_it_yet() {
    let both = [(prefix("http://a/l/7/"), Mode::Hard), (url("http://a/l/7/a"), Mode::Soft)];
    let mut turned = both.clone();
    turned.reverse();
    for orders in [both, turned] {
        let disk = tempfile::tempdir().unwrap();
        local(async {
            fill(disk.path()).await;
            let ordered = scene(disk.path(), []);
            let (reports, handed) = purge_together(&ordered, &orders).await;
            let told: u64 = reports.iter().map(|report| report.removed.disk).sum();
            assert_eq!(told, 2, "{reports:?}");
            handed.rounds_end().await;
            drop(handed);
            stop(ordered).await;
            let after = scene(disk.path(), []);
            after.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
            for (target, expected) in [("/l/7/a", StatusCode::GATEWAY_TIMEOUT), ("/l/8/a", StatusCode::OK)] {
                assert_eq!(after.ask(target, &[]).await.status(), expected, "{target} {orders:?}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn what_another_disk_took_over_is_met_too() {
    let targets: Vec<_> = (0..8).map(|number| format!("/{number}")).collect();
    for mode in [Mode::Hard, Mode::Soft] {
        let (usual, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        local(async {
            // Half of it would be on the other one, which is not there.
            let filling = over(&[other.path()], targets.iter().map(|_| fresh().body("old")));
            for target in &targets {
                filling.load(target).await;
            }
            stop(filling).await;
            let ordered = over(&[usual.path(), other.path()], []);
            let handed = hand_over(ordered.reach());
            for target in &targets {
                handed.carry_out(order(&url(&format!("http://a{target}")), mode)).await;
            }
            handed.rounds_end().await;
            drop(handed);
            stop(ordered).await;
            // The usual one is away again.
            let after = over(&[other.path()], []);
            for target in &targets {
                assert!(!holds(&after, target).await, "{mode:?} {target}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn an_order_is_carried_out_in_memory_while_a_disk_is_opening() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let keeping = scene(disk.path(), []);
        let coming = scene(disk.path(), [Reply::new(204), fresh().body("old")]);
        let tier = coming.edge.disk.clone().unwrap();
        let is_opening = || tier.is_worth_asking(&CacheKey::primary("http", "a", "/never"));
        // What was changed is not looked for on the disk.
        change(Rc::clone(&coming.edge), coming.asked("POST", "/x", &[]), None).await;
        coming.load("/x").await;
        let handed = hand_over_within(coming.reach(), Duration::from_secs(2));
        let report = handed.carry_out(order(&url("http://a/x"), Mode::Hard)).await;
        assert!(report.removed.memory == 1 && !report.lasting, "{report:?}");
        assert!(is_opening(), "nobody waited for it");
        // It is told when it comes.
        stop(keeping).await;
        while tier.has_unwritten_orders() || is_opening() {
            tokio::task::yield_now().await;
        }
        handed.rounds_end().await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_was_written_down_before_it_is_answered_lasts() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let keeping = scene(disk.path(), []);
        let coming = scene(disk.path(), []);
        let tier = coming.edge.disk.clone().unwrap();
        let handed = hand_over(coming.reach());
        let comes = async {
            while tier.standing_orders().is_empty() {
                tokio::task::yield_now().await;
            }
            stop(keeping).await;
        };
        let what = What::Prefix("http://a/".parse().unwrap());
        let (report, ()) = tokio::join!(handed.carry_out(order(&what, Mode::Hard)), comes);
        assert!(report.lasting, "{report:?}");
        handed.rounds_end().await;
    })
    .await;
}

#[tokio::test]
async fn memory_is_swept_at_once_while_a_disk_takes_its_time_with_the_order_before() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let scene = scene(disk.path(), [fresh().body("old")]);
        scene.load("/x").await;
        let tier = scene.edge.disk.clone().unwrap();
        assert!(tier.is_settled().await);
        let (go, going) = std::sync::mpsc::sync_channel(1);
        let handed = hand_over(scene.reach());
        let key = key_of(&scene.edge, &scene.asked("GET", "/x", &[]));
        let orders = ["http://b/", "http://a/"]
            .map(|prefix| handed.carry_out(order(&What::Prefix(prefix.parse().unwrap()), Mode::Hard)));
        let [first, second] = orders;
        let swept = async {
            while tier.standing_orders().is_empty() {
                tokio::task::yield_now().await;
            }
            while scene.edge.memory.holds(&key) {
                tokio::task::yield_now().await;
            }
            drop(go);
        };
        tokio::join!(tier.hold(0, going), first, second, swept);
    })
    .await;
}
