//! Disks that are away while something changes, and come back to another process (RFC 9111 §4, §4.4).

use super::*;
use crate::purge::hand_over;
use std::path::PathBuf;

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

#[tokio::test]
async fn what_changed_while_the_only_disk_was_away_is_asked_about_in_the_next_process() {
    let room = tempfile::tempdir().unwrap();
    let (disk, away) = places(room.path(), "disk");
    std::fs::create_dir(&disk).unwrap();
    local(async {
        let lasting = Reply::new(200).header("cache-control", "max-age=60, immutable").body("lasting");
        let before = scene(&disk, [fresh().body("old"), fresh().body("kept"), lasting, Reply::new(204)]);
        for target in ["/changed", "/same", "/lasting"] {
            before.load(target).await;
        }
        let tier = before.edge.disk.clone().unwrap();
        assert!(tier.is_settled().await);
        std::fs::rename(&disk, &away).unwrap();
        // Until its thread has seen it.
        while tier.strain() < 0.7 {
            tokio::task::yield_now().await;
        }
        drop(tier);
        post(&before, "/changed").await;
        stop(before).await;
        std::fs::rename(&away, &disk).unwrap();
        let alone = scene(&disk, []);
        alone.upstream.go_down(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(alone.ask("/changed", &[]).await.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(alone.text("/lasting", &[]).await, "lasting");
        stop(alone).await;
        let still = Reply::new(304).header("cache-control", "max-age=60").header("etag", "\"v1\"");
        let after = scene(&disk, [fresh().body("new"), still]);
        assert_eq!(after.text("/changed", &[]).await, "new");
        assert_eq!(after.text("/same", &[]).await, "kept", "its body need not come again");
        assert_eq!(after.upstream.count(), 2);
    })
    .await;
}
