//! The origin dies in the middle of the morning.

use journeys::store::{pattern, put, segment};
use journeys::{Airclass, client};
use std::time::Duration;

/// The longest wait for an answer that must come. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn what_the_edge_holds_goes_on_and_what_it_lacks_is_said_plainly() {
    let store = tempfile::tempdir().unwrap();
    let bytes = pattern(300_000);
    put(store.path(), &segment(0), &bytes);
    put(store.path(), &segment(1), &bytes);
    put(store.path(), "lessons/sample/main.m3u8", b"#EXTM3U\n");
    let origin = Airclass::origin(store.path());
    let edge = Airclass::edge(origin.address(), &["--connect-timeout", "2s"]);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for path in [segment(0), "lessons/sample/main.m3u8".to_owned()] {
            assert_eq!(client::get(edge.address(), &format!("/{path}"), &[]).await.status, 200);
        }
        drop(origin);

        let held = client::get(edge.address(), &format!("/{}", segment(0)), &[]).await;
        assert!(held.status == 200 && held.body == bytes, "{}: {} bytes", held.status, held.body.len());
        assert!(held.field("cache-status").starts_with("airclass; hit"), "{}", held.field("cache-status"));
        let pointer = client::get(edge.address(), "/lessons/sample/main.m3u8", &[]).await;
        assert_eq!(pointer.status, 200);

        let lacking =
            tokio::time::timeout(PATIENCE, client::get(edge.address(), &format!("/{}", segment(1)), &[]))
                .await
                .expect("an answer, not silence");
        assert_eq!(lacking.status, 504);
        assert_eq!(lacking.field("cache-status"), "airclass; fwd=uri-miss; detail=connect");
        assert_eq!(lacking.field("retry-after"), "5");

        // It has reached its origin once and serves on alone: it stays in rotation.
        assert_eq!(client::get(edge.admin, "/readyz", &[]).await.status, 200);
    });
}

#[test]
fn an_edge_that_has_never_reached_its_origin_is_not_ready_and_says_why() {
    let edge = Airclass::edge("127.0.0.1:1".parse().unwrap(), &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert_eq!(client::get(edge.address(), "/x", &[]).await.status, 504);
        let ready = client::get(edge.admin, "/readyz", &[]).await;
        let reasons = String::from_utf8(ready.body.to_vec()).unwrap();
        assert_eq!(ready.status, 503);
        assert!(reasons.contains("upstream: not ok: the upstream cannot be reached"), "{reasons}");
    });
}
