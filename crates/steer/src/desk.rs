//! The decision, with what is known at this moment.

use crate::clock;
use crate::metrics::Metrics;
use crate::question::{Form, NoQuestion, Question};
use crate::words::{self, Answer};
use fleet::wire::Nodes;
use http::{StatusCode, Uri};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;
use steering::{Loads, Networks, Roster, Student, choose};
use telemetry::Telemetry;
use units::{BitRate, Network};

/// Nodes that an answer names: one, and two for when it fails.
const NAMED: usize = 3;

/// What holds for every answer.
pub(crate) struct Settings {
    pub(crate) networks: Networks,
    pub(crate) rate: BitRate,
    pub(crate) limit: BitRate,
    pub(crate) ttl: Duration,
    pub(crate) pathway: String,
    pub(crate) portals: Vec<Network>,
}

/// Shared by all cores.
pub(crate) struct Desk {
    settings: Settings,
    roster: RwLock<Roster>,
    loads: Mutex<Loads>,
    metrics: Metrics,
}

impl Desk {
    pub(crate) fn new(settings: Settings, telemetry: &Telemetry) -> Self {
        Self {
            settings,
            roster: RwLock::default(),
            loads: Mutex::default(),
            metrics: Metrics::register(telemetry),
        }
    }

    /// Takes in which nodes there are.
    pub(crate) fn know(&self, nodes: &Nodes) {
        let now = clock::now();
        let roster = Roster::of(nodes, self.settings.limit, now);
        self.metrics.nodes(roster.len());
        self.loads.lock().unwrap_or_else(PoisonError::into_inner).settle(&roster, now);
        *self.roster.write().unwrap_or_else(PoisonError::into_inner) = roster;
    }

    /// Answers who asks from `peer`.
    pub(crate) fn answer(&self, uri: &Uri, peer: IpAddr) -> Answer {
        let question = match Question::parse(uri) {
            Ok(question) => question,
            Err(NoQuestion::Path) => {
                return words::plain(
                    StatusCode::NOT_FOUND,
                    "这里只有 /steering.json 和 /v1/nodes。\nHere are /steering.json and /v1/nodes.\n",
                );
            }
            Err(NoQuestion::Ip) => {
                return words::plain(StatusCode::BAD_REQUEST, "ip 不是地址。\nip is no address.\n");
            }
        };
        let Settings { networks, rate, ttl, pathway, .. } = &self.settings;
        let address = question.ip.filter(|_| self.is_portal(peer)).unwrap_or(peer).to_canonical();
        let seed = address.to_string();
        let near = networks.near(address);
        let roster = self.roster.read().unwrap_or_else(PoisonError::into_inner);
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        let student = Student {
            near: near.clone(),
            seed: seed.as_bytes(),
            plays_at: question.at.as_ref(),
            rate: *rate,
        };
        let chosen = choose(&roster, &loads, &student, NAMED);
        self.metrics.told(chosen.first().map(|choice| choice.ring));
        if let Some(first) = chosen.first()
            && Some(&first.candidate.node) != question.at.as_ref()
        {
            loads.grant(&first.candidate.node, *rate, clock::now());
        }
        drop(loads);
        match question.form {
            Form::Manifest => words::manifest(&chosen, pathway, *ttl),
            Form::List => words::list(&chosen, &near, *ttl),
        }
    }

    /// Whether the word of who asks from there counts for somebody else's address.
    fn is_portal(&self, peer: IpAddr) -> bool {
        peer.to_canonical().is_loopback()
            || self.settings.portals.iter().any(|network| network.contains(peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    fn nodes() -> Nodes {
        let now = clock::now().to_string();
        let node = |name: &str, address: &str, limit: u64| {
            json!({
                "node": name, "since": now, "until": now, "standing": "enrolled", "heard_at": now,
                "report": {"at": now, "heard": 0, "ready": true, "address": address, "addresses": ["192.0.2.1"],
                    "capacity": {"capabilities": [{"capability-type": "FCI.CapacityLimits", "capability-value":
                        {"limits": [{"limit-type": "egress", "maximum-soft": limit, "current": 0}]}}]}}
            })
        };
        let home = node("hubei/dianxin/acme/a/1", "https://one.example", 2_000_000);
        let far = node("hunan/dianxin/acme/a/1", "https://two.example:8443", 2_000_000);
        serde_json::from_value(json!({ "nodes": [home, far] })).unwrap()
    }

    async fn ask(desk: &Desk, uri: &str, peer: &str) -> (u16, Value) {
        let answer = desk.answer(&uri.parse().unwrap(), peer.parse().unwrap());
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn a_student_is_told_of_the_nearest_node_with_room() {
        let settings = Settings {
            networks: Networks::parse("10.0.0.0/8,hubei,dianxin").unwrap(),
            rate: BitRate(1_800_000),
            limit: BitRate(10_000_000),
            ttl: Duration::from_secs(60),
            pathway: ".".to_owned(),
            portals: vec![],
        };
        let desk = Desk::new(settings, &Telemetry::new("test"));
        assert_eq!(ask(&desk, "/v1/nodes", "10.0.0.1").await.0, 503, "nobody is known");
        desk.know(&nodes());
        let (status, told) = ask(&desk, "/v1/nodes", "10.0.0.1").await;
        assert_eq!((status, &told["nodes"][0]["address"]), (200, &json!("https://one.example")), "{told}");
        assert_eq!((&told["province"], &told["nodes"][0]["ring"]), (&json!("hubei"), &json!("home")));
        // It is full with one: the next is told of its neighbour. Nobody but a portal speaks for others.
        let (_, told) = ask(&desk, "/steering.json?ip=192.0.2.1", "10.0.0.2").await;
        assert_eq!(told["PATHWAY-PRIORITY"], json!(["hunan.dianxin.acme.a.1", "."]), "{told}");
        let clone = &told["PATHWAY-CLONES"][0];
        assert_eq!(
            (&clone["BASE-ID"], &clone["URI-REPLACEMENT"]["HOST"]),
            (&json!("."), &json!("two.example"))
        );
        // Who plays there stays; who would begin waits.
        let stays = "/steering.json?_HLS_pathway=%22hubei.dianxin.acme.a.1%22";
        assert_eq!(ask(&desk, stays, "10.0.0.1").await.1["PATHWAY-PRIORITY"][0], "hubei.dianxin.acme.a.1");
        assert_eq!(ask(&desk, "/v1/nodes", "10.0.0.3").await.0, 503);
        let (status, told) = ask(&desk, "/steering.json", "10.0.0.3").await;
        assert_eq!((status, &told["PATHWAY-PRIORITY"], &told["TTL"]), (200, &json!(["."]), &json!(10)));
        assert_eq!(ask(&desk, "/lessons/7/main.m3u8", "10.0.0.3").await.0, 404);
    }
}
