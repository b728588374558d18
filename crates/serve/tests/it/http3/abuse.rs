//! Attacks 27 to 32 as HTTP/3 has them. Each ends the connection, is counted, and leaves the next client unharmed.

use super::client::*;
use crate::server::Server;
use quinn::{TransportConfig, VarInt};
use serve::LimitOptions;
use units::Span;

const ENDED: &str = "serve_connections_ended_total";
const ABUSE: &str = "serve_http3_abuse_total";
/// How urgent a request is (RFC 9218 §7.2).
const PRIORITY_UPDATE: u64 = 0xf0700;
/// More than any allowance.
const MANY: u32 = 20_000;

fn scene() -> Scene {
    Scene::start(LimitOptions::default())
}

/// Sees that the only connection ended for too much of `kind`, and that the next client is served.
async fn too_much(scene: &Scene, wire: &Wire, kind: &str) {
    let outcome = wire.closed().await;
    assert!(matches!(outcome, Outcome::Closed(EXCESSIVE_LOAD) | Outcome::Gone), "{outcome:?}");
    quiet(&scene.server).await;
    assert_eq!(scene.server.metric(ENDED, Some("abuse")), 1.0);
    assert_eq!(scene.server.metric(ABUSE, Some(kind)), 1.0);
    assert!(scene.wire().await.send(&get("/")).await.has_status(200));
}

/// Waits until no connection is left.
async fn quiet(server: &Server) {
    while server.metric("serve_connections", None) > 0.0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn attack_27_rapid_reset() {
    let scene = scene();
    run(async {
        let wire = scene.wire().await;
        for _ in 0..MANY {
            let Ok((mut sender, mut receiver)) = wire.connection.open_bi().await else { break };
            let sent = sender.write_all(&get("/never")).await.is_ok();
            if !sent || sender.reset(CANCELLED).is_err() || receiver.stop(CANCELLED).is_err() {
                break;
            }
        }
        too_much(&scene, &wire, "resets").await;
    });
}

#[test]
fn attack_27_requests_that_are_none() {
    let long = "x".repeat(60_000);
    for nothing in [
        Vec::new(),
        frame(HEADERS, &head("GET", "no path", &[])),
        frame(HEADERS, &head("GET", "/", &[("Upper", "case")])),
        // Beyond the bound as it stands, and as it is decoded.
        frame(HEADERS, &head("GET", "/", &[("x-long", &long)])),
        frame(HEADERS, &[head("GET", "/", &[]), [0xff, 85 - 63].repeat(400)].concat()),
    ] {
        let scene = scene();
        run(async {
            let wire = scene.wire().await;
            for _ in 0..MANY {
                if matches!(wire.send(&nothing).await, Outcome::Closed(_) | Outcome::Gone) {
                    break;
                }
            }
            too_much(&scene, &wire, "resets").await;
        });
    }
}

#[test]
fn attack_30_frames_of_no_use_on_the_control_stream() {
    let push_ids = frame(0xd, &[1]).repeat(2);
    for (flood, kind) in
        [(frame(0x21, b"x"), "unknown"), (frame(PRIORITY_UPDATE, &[0]), "priorities"), (push_ids, "unknown")]
    {
        let scene = scene();
        run(async {
            let mut wire = scene.wire().await;
            for _ in 0..MANY {
                if wire.control.write_all(&flood).await.is_err() {
                    break;
                }
            }
            too_much(&scene, &wire, kind).await;
        });
    }
}

#[test]
fn a_browser_may_say_how_urgent_each_request_is() {
    // RFC 9218 §7.2: a PRIORITY_UPDATE goes before each request that is not of the usual urgency.
    let scene = scene();
    run(async {
        let mut wire = scene.wire().await;
        for number in 0..600 {
            let update = [varint(4 * number), b"u=1".to_vec()].concat();
            wire.control.write_all(&frame(PRIORITY_UPDATE, &update)).await.unwrap();
            let outcome = wire.send(&get("/")).await;
            assert!(outcome.has_status(200), "{number}: {outcome:?}");
        }
    });
}

#[test]
fn attack_30_frames_of_no_use_in_a_request() {
    for (flood, kind) in [(frame(0x21, b""), "unknown"), (frame(DATA, b""), "empty_data")] {
        let scene = scene();
        run(async {
            let wire = scene.wire().await;
            let (mut sender, _receiver) = wire.connection.open_bi().await.unwrap();
            sender.write_all(&frame(HEADERS, &head("POST", "/echo", &[]))).await.unwrap();
            for _ in 0..MANY {
                if sender.write_all(&flood).await.is_err() {
                    break;
                }
            }
            too_much(&scene, &wire, kind).await;
        });
    }
}

#[test]
fn attack_30_streams_of_no_use() {
    let scene = scene();
    run(async {
        let wire = scene.wire().await;
        for _ in 0..MANY {
            let Ok(mut stream) = wire.connection.open_uni().await else { break };
            if stream.write_all(&[0x21]).await.is_err() {
                break;
            }
        }
        too_much(&scene, &wire, "unknown").await;
    });
}

#[test]
fn attack_31_a_header_list_beyond_the_bound_is_refused() {
    let scene = scene();
    run(async {
        let wire = scene.wire().await;
        // 60 KB, where the bound is 32 KiB.
        let long = head("GET", "/", &[("x-long", &"x".repeat(60_000))]);
        let outcome = wire.send(&frame(HEADERS, &long)).await;
        assert!(outcome.has_status(431), "{outcome:?}");
        // A byte each in the static table, where it is a hundred: within the bound encoded, beyond it decoded.
        for count in [400, 2_000] {
            let bomb = [head("GET", "/", &[]), [0xff, 85 - 63].repeat(count)].concat();
            let outcome = wire.send(&frame(HEADERS, &bomb)).await;
            assert!(outcome.has_status(431), "{count}: {outcome:?}");
        }
        assert!(wire.send(&get("/")).await.has_status(200));
    });
}

#[test]
fn attack_31_a_frame_without_end_is_not_kept() {
    let scene = scene();
    run(async {
        let wire = scene.wire().await;
        // A header section of 2^61 bytes is refused by its first nine.
        let endless = [varint(HEADERS), varint(1 << 61)].concat();
        let (mut sender, receiver) = wire.connection.open_bi().await.unwrap();
        sender.write_all(&endless).await.unwrap();
        assert!(wire.outcome(receiver).await.has_status(431));
        // What means nothing may be as long as it likes, and is thrown away.
        let (mut sender, receiver) = wire.connection.open_bi().await.unwrap();
        sender.write_all(&[varint(0x21), varint(8 << 20)].concat()).await.unwrap();
        for _ in 0..8 {
            sender.write_all(&vec![0; 1 << 20]).await.unwrap();
        }
        sender.write_all(&get("/")).await.unwrap();
        sender.finish().unwrap();
        assert!(wire.outcome(receiver).await.has_status(200));
    });
}

#[test]
fn attack_32_a_window_that_never_opens() {
    let soon = Some(Span::secs(1));
    let limits = LimitOptions { stall_timeout: soon, header_timeout: soon, ..LimitOptions::default() };
    let scene = Scene::start(limits);
    run(async {
        let mut transport = TransportConfig::default();
        transport.stream_receive_window(VarInt::from_u32(1_000));
        let connection = connect(&scene.endpoint(transport), scene.server.address()).await;
        let wire = Wire::over(connection).await;
        let mut streams = Vec::new();
        for _ in 0..100 {
            // Where this takes longer, the first have stalled by now and the connection is over.
            let Ok((mut sender, receiver)) = wire.connection.open_bi().await else { break };
            let Ok(()) = sender.write_all(&get("/large")).await else { break };
            streams.push((sender, receiver));
        }
        wire.closed().await;
        quiet(&scene.server).await;
        assert_eq!(scene.server.metric(ENDED, Some("stalled")), 1.0);
    });
}

#[test]
fn an_idle_connection_is_told_and_closed() {
    let limits = LimitOptions {
        idle_timeout: Some(Span::secs(2)),
        header_timeout: Some(Span::secs(1)),
        ..LimitOptions::default()
    };
    let scene = Scene::start(limits);
    run(async {
        // A client that would keep it open for ever.
        let mut transport = TransportConfig::default();
        transport.keep_alive_interval(Some(std::time::Duration::from_millis(20)));
        let wire = Wire::over(connect(&scene.endpoint(transport), scene.server.address()).await).await;
        assert_eq!(wire.closed().await, Outcome::Closed(0x100));
        quiet(&scene.server).await;
        assert_eq!(scene.server.metric(ENDED, Some("idle")), 1.0);
    });
}
