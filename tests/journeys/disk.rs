//! What the disk tier keeps over a kill, and a disk that goes away.

use journeys::store::{pattern, put, segment};
use journeys::{Airclass, client};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// The longest wait for a disk's threads. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(300);
/// Nobody listens there.
const NOBODY: &str = "127.0.0.1:1";

fn edge(upstream: SocketAddr, disk: &Path) -> Airclass {
    let disk = disk.to_str().expect("scratch folders have plain names");
    Airclass::edge(upstream, &["--disk", disk, "--disk-size", "64MiB", "--connect-timeout", "2s"])
}

fn run(journey: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, journey).await.expect("it happens in time") });
}

/// Asks until there is an answer: a disk that takes longer than a second is passed over, and then there is nobody to ask.
async fn ask(edge: &Airclass, path: &str, fields: &[(&str, &str)]) -> client::Answer {
    loop {
        let answer = client::get(edge.address(), path, fields).await;
        if answer.status != 504 {
            return answer;
        }
    }
}

/// A disk's state as a metric: 1 while it has it.
fn state(disk: &Path, state: &str) -> String {
    format!("edge_disk_state{{disk=\"{}\",state=\"{state}\"}}", disk.display())
}

/// Waits until a metric of the edge has at least this value.
async fn until(edge: &Airclass, metric: &str, least: f64) {
    loop {
        let metrics = client::get(edge.admin, "/metrics", &[]).await;
        let metrics = String::from_utf8(metrics.body.to_vec()).expect("metrics are text");
        let shown = metrics.lines().find(|line| line.starts_with(metric)).unwrap_or_default();
        if shown.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()) >= Some(least) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn attack_69_a_killed_edge_plays_on_from_its_disk_although_the_origin_is_gone() {
    let (store, disk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bytes = pattern(700_000);
    put(store.path(), &segment(0), &bytes);
    let playlist = b"#EXTM3U\n#EXT-X-VERSION:7\n".repeat(80);
    let path = "lessons/sample/main.m3u8";
    put(store.path(), path, &playlist);
    let origin = Airclass::origin(store.path());
    let before = edge(origin.address(), disk.path());
    run(async {
        // What comes while the disk is being made is not written.
        until(&before, &state(disk.path(), "online"), 1.0).await;
        client::get(before.address(), &format!("/{}", segment(0)), &[]).await;
        client::get(before.address(), &format!("/{path}"), &[("accept-encoding", "gzip")]).await;
        // The segment, and for the playlist, which varies, itself and its sign-post.
        let written =
            format!("edge_disk_operations_total{{disk=\"{}\",op=\"write\"}}", disk.path().display());
        until(&before, &written, 3.0).await;
    });
    // Both by SIGKILL.
    drop((before, origin));

    let after = edge(NOBODY.parse().unwrap(), disk.path());
    run(async {
        let held = ask(&after, &format!("/{}", segment(0)), &[]).await;
        assert!(held.status == 200 && held.body == bytes, "{}: {} bytes", held.status, held.body.len());
        let status = held.field("cache-status");
        assert!(status.starts_with("airclass; hit") && status.ends_with("detail=disk"), "{status}");
        let again =
            client::get(after.address(), &format!("/{}", segment(0)), &[("range", "bytes=9-10")]).await;
        assert_eq!((again.status.as_u16(), &again.body[..]), (206, &bytes[9..=10]));
        let status = again.field("cache-status");
        assert!(status.starts_with("airclass; hit"), "{status}");
        let zipped = ask(&after, &format!("/{path}"), &[("accept-encoding", "gzip")]).await;
        assert_eq!(zipped.status, 200, "{}", zipped.field("cache-status"));
        let lacking = client::get(after.address(), &format!("/{}", segment(1)), &[]).await;
        assert_eq!(lacking.status, 504);
    });
}

#[test]
fn attack_72_a_disk_that_vanishes_or_was_never_there_leaves_the_service_up() {
    let (store, room) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bytes = pattern(300_000);
    (0..3).for_each(|number| put(store.path(), &segment(number), &bytes));
    let origin = Airclass::origin(store.path());
    let disk = room.path().join("disk");
    let state = |name| state(&disk, name);
    let edge = edge(origin.address(), &disk);
    run(async {
        let served = async |number| {
            let answer = client::get(edge.address(), &format!("/{}", segment(number)), &[]).await;
            assert!(answer.status == 200 && answer.body == bytes, "{}", answer.status);
        };
        until(&edge, &state("offline"), 1.0).await;
        // It may have been meant to be mounted, which the sandbox does not learn.
        let log = edge.log();
        let warned = log.lines().filter(|line| line.contains("restart this process")).count();
        assert!(warned == 1 && log.contains(disk.to_str().unwrap()), "{log}");
        served(0).await;
        std::fs::create_dir(&disk).unwrap();
        until(&edge, &state("online"), 1.0).await;
        served(1).await;
        std::fs::remove_dir_all(&disk).unwrap();
        until(&edge, &state("offline"), 1.0).await;
        for number in 0..3 {
            served(number).await;
        }
    });
}
