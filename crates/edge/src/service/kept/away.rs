//! Disks that are away while something changes, and come back to another process (RFC 9111 §4, §4.4).

use super::*;
use crate::purge::hand_over;
use ::purge::Order;
use jiff::Timestamp;
use std::path::PathBuf;
use std::time::Duration;

/// A disk's directory, and where it is while it is away.
fn places(room: &Path, name: &str) -> (PathBuf, PathBuf) {
    (room.join(name), room.join(format!("{name}.away")))
}

async fn post(scene: &Scene, target: &str) {
    change(Rc::clone(&scene.edge), scene.asked("POST", target, &[]), None).await;
}

#[tokio::test]
async fn what_changed_while_one_of_two_disks_was_away_is_asked_about_in_the_next_process() {
    let room = tempfile::tempdir().unwrap();
    let (one, (other, away)) = (room.path().join("one"), places(room.path(), "other"));
    for disk in [&one, &other] {
        std::fs::create_dir(disk).unwrap();
    }
    let targets: Vec<_> = (0..12).map(|number| format!("/{number}")).collect();
    let replies = |body: &'static str| targets.iter().map(move |_| fresh().body(body));
    local(async {
        let filling = over(&[&one, &other], replies("old"));
        for target in &targets {
            filling.load(target).await;
        }
        stop(filling).await;
        std::fs::rename(&other, &away).unwrap();
        let posted = targets.iter().map(|_| Reply::new(204));
        let changing = over(&[&one, &other], posted.chain(replies("new")));
        let handed = hand_over(changing.reach());
        for target in &targets {
            post(&changing, target).await;
        }
        for target in &targets {
            assert_eq!(changing.text(target, &[]).await, "new");
        }
        // What it misses is noted on the one that is there.
        while changing.edge.latest_order() == 0 {
            tokio::task::yield_now().await;
        }
        drop(handed);
        stop(changing).await;
        std::fs::rename(&away, &other).unwrap();
        let after = over(&[&one, &other], replies("new"));
        for target in &targets {
            assert_eq!(after.text(target, &[]).await, "new", "{target}");
        }
        assert!(after.upstream.count() < targets.len(), "the one that was there is believed");
        stop(after).await;
        let again = over(&[&one, &other], []);
        again.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
        for target in &targets {
            assert_eq!(again.text(target, &[]).await, "new", "{target}: once is enough");
        }
    })
    .await;
}

/// A process whose only disk goes away when it has got this, before `/changed` is changed; the disk is back where it was.
async fn leave(disk: &Path, away: &Path, replies: impl IntoIterator<Item = (&str, Reply)>) {
    let (targets, replies): (Vec<_>, Vec<_>) = replies.into_iter().unzip();
    let before = scene(disk, replies.into_iter().chain([Reply::new(204)]));
    for target in targets {
        before.load(target).await;
    }
    let tier = before.edge.disk.clone().unwrap();
    assert!(tier.is_settled().await);
    std::fs::rename(disk, away).unwrap();
    // Until its thread has seen it.
    while tier.strain() < 0.7 {
        tokio::task::yield_now().await;
    }
    drop(tier);
    post(&before, "/changed").await;
    stop(before).await;
    std::fs::rename(away, disk).unwrap();
}

fn lasting(status: u16) -> Reply {
    Reply::new(status).header("cache-control", "max-age=60, immutable").header("etag", "\"v1\"")
}

#[tokio::test]
async fn what_changed_while_the_only_disk_was_away_is_asked_about_in_the_next_process() {
    let room = tempfile::tempdir().unwrap();
    let (disk, away) = places(room.path(), "disk");
    std::fs::create_dir(&disk).unwrap();
    local(async {
        let old = fresh().body("old");
        let held =
            [("/changed", old), ("/same", fresh().body("kept")), ("/lasting", lasting(200).body("lasting"))];
        leave(&disk, &away, held).await;
        let alone = scene(&disk, []);
        alone.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(alone.ask("/changed", &[]).await.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(alone.text("/lasting", &[]).await, "lasting", "it has promised not to change");
        stop(alone).await;
        let still = Reply::new(304).header("cache-control", "max-age=60").header("etag", "\"v1\"");
        let after = scene(&disk, [fresh().body("new"), still, lasting(304)]);
        assert_eq!(after.text("/changed", &[]).await, "new");
        assert_eq!(after.text("/same", &[]).await, "kept", "its body need not come again");
        for _ in 0..2 {
            assert_eq!(after.text("/lasting", &[]).await, "lasting");
        }
        assert_eq!(after.upstream.count(), 3, "all are asked about once");
    })
    .await;
}

#[tokio::test]
async fn an_order_meets_what_lies_on_a_disk_that_was_away_also_what_is_immutable() {
    for mode in [Mode::Soft, Mode::Hard] {
        let room = tempfile::tempdir().unwrap();
        let (disk, away) = places(room.path(), "disk");
        std::fs::create_dir(&disk).unwrap();
        local(async {
            // Usable for a while although it is stale, by its own word.
            let patient = Reply::new(200)
                .header("cache-control", "max-age=60, stale-while-revalidate=60, stale-if-error=60")
                .header("etag", "\"v1\"");
            let held = [("/changed", patient.body("old")), ("/lasting", lasting(200).body("lasting"))];
            leave(&disk, &away, held).await;
            let ordered = scene(&disk, []);
            ordered.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
            let handed = hand_over(ordered.reach());
            let (what, life) = (What::Prefix("http://a/".parse().unwrap()), Duration::from_secs(60));
            let order = Order::new(what, mode, None, Timestamp::UNIX_EPOCH, life).unwrap();
            let report = handed.carry_out(order).await;
            let (told, other) = match mode {
                Mode::Soft => (report.softened.disk, report.removed.disk),
                Mode::Hard => (report.removed.disk, report.softened.disk),
            };
            assert_eq!((told, other), (2, 0), "{mode:?}");
            handed.rounds_end().await;
            assert_eq!(ordered.ask("/changed", &[]).await.status(), StatusCode::GATEWAY_TIMEOUT, "{mode:?}");
            let stands_in = if mode == Mode::Soft { StatusCode::OK } else { StatusCode::GATEWAY_TIMEOUT };
            assert_eq!(ordered.ask("/lasting", &[]).await.status(), stands_in, "{mode:?}");
            drop(handed);
            stop(ordered).await;
            let after = scene(&disk, [lasting(200).body("another")]);
            assert_eq!(after.text("/lasting", &[]).await, "another", "{mode:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn who_asks_for_no_fill_does_not_wait_for_a_disk_that_is_opening() {
    let disk = tempfile::tempdir().unwrap();
    local(async {
        let keeping = scene(disk.path(), [fresh().body("kept")]);
        keeping.load("/x").await;
        let coming = scene(disk.path(), [fresh()]);
        let cached = [("cache-control", "only-if-cached")];
        assert_eq!(coming.ask("/x", &cached).await.status(), StatusCode::GATEWAY_TIMEOUT);
        let head = coming.asked("HEAD", "/x", &[]);
        assert_eq!(coming.answer(head).await.status(), StatusCode::OK);
        let tier = coming.edge.disk.clone().unwrap();
        assert!(tier.is_worth_asking(&CacheKey::primary("http", "a", "/y")), "it is opening still");
        drop(tier);
        // Who would have it fetched waits, and has it without.
        stop(keeping).await;
        assert_eq!(coming.text("/x", &[]).await, "kept");
        assert_eq!(coming.upstream.count(), 1);
    })
    .await;
}
