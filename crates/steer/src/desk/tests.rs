//! What students are told.

use super::*;
use http_body_util::BodyExt;
use serde_json::{Value, json};

/// Two nodes, each with room for one student.
pub(crate) fn nodes() -> Nodes {
    let now = clock::now().to_string();
    let node = |name: &str, address: &str, addresses: &[&str]| {
        json!({
            "node": name, "since": now, "until": now, "standing": "enrolled", "heard_at": now,
            "report": {"at": now, "heard": 0, "ready": true, "address": address, "addresses": addresses,
                "capacity": {"capabilities": [{"capability-type": "FCI.CapacityLimits", "capability-value":
                    {"limits": [{"limit-type": "egress", "maximum-hard": 2_000_000, "current": 0}]}}]}}
        })
    };
    let home = node("hubei/dianxin/acme/a/1", "https://one.example", &["192.0.2.1", "2001:db8::1"]);
    let far = node("hunan/dianxin/acme/a/1", "https://two.example:8443", &["192.0.2.2"]);
    serde_json::from_value(json!({ "nodes": [home, far] })).unwrap()
}

pub(crate) fn desk() -> Desk {
    let settings = Settings {
        networks: Networks::parse("10.0.0.0/8,hubei,dianxin\n10.9.0.0/16,hunan,dianxin").unwrap(),
        rate: BitRate(1_800_000),
        limit: BitRate(10_000_000),
        ttl: Duration::from_secs(60),
        pathway: ".".to_owned(),
        portals: vec!["10.8.0.0/16".parse().unwrap()],
        address_rate: 2,
        dns_ttl: Duration::from_secs(30),
    };
    Desk::new(settings, &Telemetry::new("test"))
}

async fn ask(desk: &Desk, uri: &str, peer: &str) -> (u16, Value) {
    let answer = desk.answer(&uri.parse().unwrap(), peer.parse().unwrap());
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn a_student_is_told_of_the_nearest_node_with_room() {
    let desk = desk();
    assert_eq!(ask(&desk, "/v1/nodes", "10.0.0.1").await.0, 503, "nobody is known");
    desk.know(&nodes());
    let (status, told) = ask(&desk, "/v1/nodes", "10.0.0.1").await;
    assert_eq!((status, &told["nodes"][0]["address"]), (200, &json!("https://one.example")), "{told}");
    assert_eq!((&told["province"], &told["nodes"][0]["ring"]), (&json!("hubei"), &json!("home")));
    // It is full with one: the next is told of its neighbour. Nobody but a portal speaks for others.
    let (_, told) = ask(&desk, "/steering.json?ip=192.0.2.1", "10.0.0.2").await;
    assert_eq!(told["PATHWAY-PRIORITY"], json!(["hunan.dianxin.acme.a.1", "."]), "{told}");
    let clone = &told["PATHWAY-CLONES"][0];
    assert_eq!((&clone["BASE-ID"], &clone["URI-REPLACEMENT"]["HOST"]), (&json!("."), &json!("two.example")));
    // Who plays there stays; who would begin waits.
    let stays = "/steering.json?_HLS_pathway=%22hubei.dianxin.acme.a.1%22";
    assert_eq!(ask(&desk, stays, "10.0.0.1").await.1["PATHWAY-PRIORITY"][0], "hubei.dianxin.acme.a.1");
    assert_eq!(ask(&desk, "/v1/nodes", "10.0.0.3").await.0, 503);
    let (status, told) = ask(&desk, "/steering.json", "10.0.0.3").await;
    assert_eq!((status, &told["PATHWAY-PRIORITY"], &told["TTL"]), (200, &json!(["."]), &json!(10)));
    assert_eq!(ask(&desk, "/lessons/7/main.m3u8", "10.0.0.3").await.0, 404);
}

#[tokio::test]
async fn nodes_are_named_whatever_our_own_clock_shows_as_long_as_they_are_heard() {
    let desk = desk();
    let mut known = nodes();
    // By a control that is an hour behind us.
    for node in &mut known.nodes {
        node.heard_at = Some(clock::now() - Duration::from_secs(3_600));
    }
    desk.know(&known);
    assert_eq!(ask(&desk, "/v1/nodes", "10.0.0.1").await.0, 200);
    // One that was silent before is not.
    known.nodes[0].heard_at = Some(clock::now() - Duration::from_secs(3_640));
    desk.know(&known);
    let (_, told) = ask(&desk, "/v1/nodes", "10.0.0.2").await;
    assert_eq!(told["nodes"].as_array().unwrap().len(), 1, "{told}");
}

#[tokio::test]
async fn who_asks_too_often_is_told_to_come_again() {
    let desk = desk();
    desk.know(&nodes());
    // Two a second, ten seconds' worth at once; a slow machine gives some more.
    let mut answered = 0;
    let refused = loop {
        match ask(&desk, "/steering.json", "10.0.0.1").await.0 {
            200 => answered += 1,
            other => break other,
        }
    };
    assert!(refused == 429 && answered >= 20, "{refused} after {answered}");
    assert_eq!(ask(&desk, "/steering.json", "10.0.0.2").await.0, 200, "another address");
    for _ in 0..30 {
        assert_eq!(ask(&desk, "/steering.json?ip=10.0.0.7", "10.8.0.1").await.0, 200, "a portal");
    }
}
