//! Another process takes over: sockets, the disk, whether it stands aside, and what is being answered over UDP.

use super::{LARGE, LENGTH, Scene, scene, start};
use journeys::Airclass;
use journeys::client;
use journeys::http3::Http3;
use journeys::process::metric;
use journeys::store::{pattern, put, segment};
use std::path::Path;

#[test]
fn attack_75_another_process_takes_over_under_load() {
    let mut scene = scene();
    let mut old = scene.edge.take().unwrap();
    let (plain, admin) = (old.addresses.clone(), old.admin);
    let folder = scene.folder.path().to_owned();
    let mut ended = None;
    let mut new = None;
    scene.under_load(async |_| {
        // Processes are waited for on threads of their own, so that the load goes on.
        new = Some(tokio::task::spawn_blocking(move || start(&folder)).await.unwrap());
        ended = Some(tokio::task::spawn_blocking(move || (old.wait(), old.log())).await.unwrap());
    });
    let (new, (status, log)) = (new.unwrap(), ended.unwrap());
    assert!(status.success(), "{log}");
    assert!(log.contains("another process has taken over"), "{log}");
    assert_eq!((new.addresses.clone(), new.admin), (plain, admin), "the very same sockets");
    assert!(!new.log().contains("drain limit"), "{}", new.log());
    // It has the disk.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        loop {
            let metrics = client::get(new.admin, "/metrics", &[]).await;
            let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
            let mut states = metrics.lines().filter(|line| line.starts_with("edge_disk_state{"));
            if states.any(|line| line.ends_with("state=\"online\"} 1")) {
                break;
            }
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_node_that_stands_aside_does_so_after_a_handover() {
    let mut scene = scene();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(scene.order("/out-of-service")).0, 200);
    let mut old = scene.edge.replace(start(scene.folder.path())).unwrap();
    assert!(old.wait().success());
    let ready = async || client::get(scene.edge.as_ref().unwrap().admin, "/readyz", &[]).await;
    let report = String::from_utf8(runtime.block_on(ready()).body.to_vec()).unwrap();
    assert!(report.contains("in_service: not ok"), "{report}");
    assert_eq!(runtime.block_on(scene.order("/in-service")).0, 200);
    assert_eq!(runtime.block_on(ready()).status, 200);
}

/// The old process keeps its connections over UDP, whose packets the new one reads.
#[test]
fn attack_75_an_answer_over_http3_goes_on_while_another_process_takes_over() {
    let mut scene = scene();
    put(&scene.folder.path().join("store"), &segment(1), &pattern(LARGE));
    let large = format!("/{}", segment(1));
    let mut old = scene.edge.take().unwrap();
    let (target, path) = (&scene.target, format!("/{}", segment(0)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut begun = Http3::connect(&target.certificates, target.tls).await.unwrap();
        // More than both sides keep, and not read yet.
        let answering = begun.begin(&large).await.unwrap();
        let folder = scene.folder.path().to_owned();
        let new = tokio::task::spawn_blocking(move || start(&folder)).await.unwrap();
        while !old.log().contains("another process has taken over") {
            tokio::task::yield_now().await;
        }
        // Who comes now is the new one's, also with an address that the old one knows.
        let mut fresh = Http3::connect(&target.certificates, target.tls).await.unwrap();
        assert_eq!(fresh.get(&path).await.unwrap().body.len(), LENGTH);
        assert_eq!(metric(new.admin, "serve_protocol_connections_total{protocol=\"h3\"}"), 1.0);
        begun.move_on().unwrap();
        let answer = answering.read().await.unwrap();
        assert!(answer.body == pattern(LARGE), "{} bytes", answer.body.len());
        assert_eq!(fresh.get(&path).await.unwrap().body.len(), LENGTH);
        let (status, log) = tokio::task::spawn_blocking(move || (old.wait(), old.log())).await.unwrap();
        assert!(status.success() && !log.contains("drain limit"), "{log}");
    });
}

/// The next process has no use for the sockets, so the old one goes on reading them.
#[test]
fn attack_75_an_answer_over_http3_goes_on_when_the_next_process_speaks_none() {
    let mut scene = scene();
    put(&scene.folder.path().join("store"), &segment(1), &pattern(LARGE));
    let large = format!("/{}", segment(1));
    let mut old = scene.edge.take().unwrap();
    let target = &scene.target;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut begun = Http3::connect(&target.certificates, target.tls).await.unwrap();
        let answering = begun.begin(&large).await.unwrap();
        let config = scene.folder.path().join("edge.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text.replace("http3 = true", "http3 = false")).unwrap();
        let folder = scene.folder.path().to_owned();
        let _new = tokio::task::spawn_blocking(move || start(&folder)).await.unwrap();
        while !old.log().contains("another process has taken over") {
            tokio::task::yield_now().await;
        }
        let answer = answering.read().await.unwrap();
        assert!(answer.body == pattern(LARGE), "{} bytes", answer.body.len());
        drop(begun);
        let (status, log) = tokio::task::spawn_blocking(move || (old.wait(), old.log())).await.unwrap();
        assert!(status.success() && !log.contains("drain limit"), "{log}");
    });
}

/// What the disk holds is served all the time, also while somebody reads from it and there is no origin to ask.
#[test]
fn attack_75_a_disk_is_handed_over_without_a_miss() {
    const OBJECTS: u32 = 20;
    let mut scene = scene();
    let store = scene.folder.path().join("store");
    (1..OBJECTS).for_each(|number| put(&store, &segment(number), &pattern(LENGTH)));
    put(&store, &segment(OBJECTS), &pattern(3 * LARGE));
    let path = |number| format!("/{}", segment(number));
    let first = scene.edge.take().unwrap();
    let disk = scene.folder.path().join("disk");
    let written = format!("edge_disk_operation_bytes_total{{disk=\"{}\",op=\"write\"}}", disk.display());
    let all = u32::try_from(3 * LARGE).unwrap() + OBJECTS * u32::try_from(LENGTH).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let taken_over = async |old: &Airclass, folder: &Path| {
        let folder = folder.to_owned();
        let new = tokio::task::spawn_blocking(move || start(&folder)).await.unwrap();
        while !old.log().contains("another process has taken over") {
            tokio::task::yield_now().await;
        }
        new
    };
    let Scene { folder, origin, .. } = scene;
    runtime.block_on(async {
        for number in 0..=OBJECTS {
            client::get(first.address(), &path(number), &[]).await;
        }
        while metric(first.admin, &written) < f64::from(all) {
            tokio::task::yield_now().await;
        }
        drop(origin);
        let held = async |edge: &Airclass| {
            let address = edge.address();
            // Nobody waits long for a disk that its last owner still lets go of: there is the origin, as a rule.
            let ask = |number| {
                tokio::spawn(async move {
                    loop {
                        let answer = client::get(address, &path(number), &[]).await;
                        if answer.status != 504 {
                            return answer;
                        }
                    }
                })
            };
            let all: Vec<_> = (0..OBJECTS).map(ask).collect();
            for answer in all {
                let answer = answer.await.unwrap();
                assert!(answer.status == 200 && answer.body == pattern(LENGTH), "{}", answer.status);
            }
        };
        // Its memory is empty.
        let second = taken_over(&first, folder.path()).await;
        held(&second).await;
        let mut slow = client::connect(second.address()).await;
        let reading = slow.send_request(client::request("GET", &path(OBJECTS), &[])).await.unwrap();
        let third = taken_over(&second, folder.path()).await;
        held(&third).await;
        let read = client::read(reading).await;
        assert!(read.status == 200 && read.body == pattern(3 * LARGE), "{} bytes", read.body.len());
    });
}
