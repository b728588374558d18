//! Who may be named, by what nodes report of themselves.

use fleet::wire::{Node, Nodes};
use fleet::{NodeName, Report, Standing};
use jiff::Timestamp;
use serde_json::Value;
use std::net::IpAddr;
use std::time::Duration;
use twox_hash::XxHash3_64;
use units::BitRate;

/// A node that the control has not heard for so long is not named: three reports have failed.
pub const DEAD_AFTER: Duration = Duration::from_secs(35);

/// The control's clock, by which nodes were heard. Ours may be off by an hour, and no node is silent for that.
#[derive(Debug, Default)]
pub struct Hearing {
    /// The latest report of all.
    latest: Option<Timestamp>,
    /// When it came.
    at: Duration,
}

/// A node that students may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub node: NodeName,
    /// What students are told: `https://HOST[:PORT]`.
    pub address: String,
    /// The same in DNS.
    pub addresses: Vec<IpAddr>,
    /// What its owner lets it send.
    pub limit: BitRate,
    /// What it sends, by its last report.
    pub sends: BitRate,
    /// When that was, by the control's clock.
    pub heard_at: Timestamp,
    /// Of its name: by this students prefer nodes.
    pub hash: u64,
}

/// All of them, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster(pub(crate) Vec<Candidate>);

impl Hearing {
    /// The control's time, where `nodes` is what it says `elapsed` after any beginning, by the monotonic clock: that of the latest
    /// report, and from then on as much more as has passed.
    pub fn now(&mut self, nodes: &Nodes, elapsed: Duration) -> Timestamp {
        let latest = nodes.nodes.iter().filter_map(|node| node.heard_at).max();
        if latest != self.latest {
            (self.latest, self.at) = (latest, elapsed);
        }
        let latest = latest.unwrap_or(Timestamp::UNIX_EPOCH);
        latest.checked_add(elapsed.saturating_sub(self.at)).unwrap_or(latest)
    }
}

impl Roster {
    /// Those of `nodes` that are in, ready, and heard of late at `now`, by the control's clock ([`Hearing`]). `limit` is that of a
    /// node whose owner has set none.
    pub fn of(nodes: &Nodes, limit: BitRate, now: Timestamp) -> Self {
        let mut roster: Vec<_> = nodes.nodes.iter().filter_map(|node| candidate(node, limit, now)).collect();
        roster.sort_by(|one, other| one.node.cmp(&other.node));
        Self(roster)
    }

    /// Of these, as they are.
    pub fn new(mut candidates: Vec<Candidate>) -> Self {
        candidates.sort_by(|one, other| one.node.cmp(&other.node));
        Self(candidates)
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = &Candidate> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody may be named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How many of `nodes` could be named at `now`, had they said by which address.
pub fn without_address(nodes: &Nodes, now: Timestamp) -> usize {
    nodes
        .nodes
        .iter()
        .filter_map(|node| fit(node, now))
        .filter(|(report, _)| report.address.is_none())
        .count()
}

/// What a node says that is in, ready and heard of late, and when it did.
fn fit(node: &Node, now: Timestamp) -> Option<(&Report, Timestamp)> {
    let (report, heard_at) = (node.report.as_ref()?, node.heard_at?);
    let silent = Duration::try_from(now.duration_since(heard_at)).unwrap_or_default();
    let is_fit = node.standing == Standing::Enrolled && report.ready && silent <= DEAD_AFTER;
    is_fit.then_some((report, heard_at))
}

fn candidate(node: &Node, limit: BitRate, now: Timestamp) -> Option<Candidate> {
    let (report, heard_at) = fit(node, now)?;
    let (allowed, sends) = egress(&report.capacity);
    Some(Candidate {
        node: node.node.clone(),
        address: report.address.clone()?,
        addresses: report.addresses.clone(),
        limit: allowed.map_or(limit, BitRate),
        sends: BitRate(sends.or(report.sends_bps).unwrap_or(0)),
        heard_at,
        hash: hash(&node.node),
    })
}

/// What stands for a node in every student's preference.
pub fn hash(node: &NodeName) -> u64 {
    XxHash3_64::oneshot(node.to_string().as_bytes())
}

/// The egress limit of an RFC 9808 advertisement, and what of it is used: the soft one where there is one, since that is
/// where the upstream CDN ought to stop (§2.2). A limit without `maximum-hard` is none.
fn egress(capacity: &Value) -> (Option<u64>, Option<u64>) {
    let objects = capacity["capabilities"].as_array().into_iter().flatten();
    let limits = objects.filter(|object| object["capability-type"] == "FCI.CapacityLimits");
    let mut limits =
        limits.flat_map(|object| object["capability-value"]["limits"].as_array().into_iter().flatten());
    let Some(limit) = limits.find(|limit| limit["limit-type"] == "egress" && limit["maximum-hard"].is_u64())
    else {
        return (None, None);
    };
    let number = |key: &str| limit[key].as_u64();
    (number("maximum-soft").or_else(|| number("maximum-hard")), number("current"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(more: &Value) -> Nodes {
        let mut report = json!({
            "at": "2026-09-01T00:00:00Z", "heard": 1, "ready": true, "address": "https://a", "addresses": ["192.0.2.1"],
            "capacity": {"capabilities": [{"capability-type": "FCI.CapacityLimits", "capability-value": {"limits": [
                {"limit-type": "egress", "maximum-hard": 100, "maximum-soft": 90, "current": 7}]}}]}
        });
        for (key, value) in more.as_object().unwrap() {
            report[key] = value.clone();
        }
        let node = json!({
            "node": "hubei/dianxin/acme/a/1", "since": "2026-09-01T00:00:00Z", "until": "2026-10-01T00:00:00Z",
            "standing": "enrolled", "heard_at": "2026-09-01T00:00:00Z", "report": report
        });
        serde_json::from_value(json!({ "nodes": [node] })).unwrap()
    }

    #[test]
    fn who_is_ready_and_heard_of_late_is_named() {
        let at = |second: i64| Timestamp::from_second(1_788_220_800 + second).unwrap();
        let roster = |more: Value, second| Roster::of(&node(&more), BitRate(50), at(second)).0;
        let one = &roster(json!({}), 35)[0];
        assert_eq!((one.limit, one.sends, one.address.as_str()), (BitRate(90), BitRate(7), "https://a"));
        assert!(roster(json!({}), 36).is_empty(), "silent");
        assert!(roster(json!({"ready": false}), 0).is_empty());
        assert!(roster(json!({"address": null}), 0).is_empty());
        let unnamed = |more: Value, second| without_address(&node(&more), at(second));
        let nowhere = json!({"address": null});
        assert_eq!((unnamed(nowhere.clone(), 35), unnamed(nowhere, 36), unnamed(json!({}), 0)), (1, 0, 0));
        assert_eq!(roster(json!({"capacity": null}), 0)[0].limit, BitRate(50));
        let unlimited = &roster(json!({"capacity": null, "sends_bps": 3}), 0)[0];
        assert_eq!((unlimited.limit, unlimited.sends), (BitRate(50), BitRate(3)));
    }

    /// A steer whose clock was 36 s ahead named nobody.
    #[test]
    fn nodes_are_silent_by_the_controls_clock_and_no_other() {
        let mut hearing = Hearing::default();
        let mut named = |heard_at: &str, second| {
            let mut nodes = node(&json!({}));
            nodes.nodes[0].heard_at = Some(heard_at.parse().unwrap());
            let now = hearing.now(&nodes, Duration::from_secs(second));
            Roster::of(&nodes, BitRate(50), now).len()
        };
        // Whatever that is.
        assert_eq!(named("1999-01-01T00:00:00Z", 1_000), 1);
        assert_eq!(named("1999-01-01T00:00:10Z", 1_010), 1);
        // Nothing more is heard.
        assert_eq!((named("1999-01-01T00:00:10Z", 1_045), named("1999-01-01T00:00:10Z", 1_046)), (1, 0));
        assert_eq!(named("1999-01-01T00:01:00Z", 1_060), 1);
        // It is set back.
        assert_eq!((named("1998-12-31T23:00:00Z", 1_070), named("1998-12-31T23:00:00Z", 1_106)), (1, 0));
    }

    #[test]
    fn the_limit_on_egress_is_found_among_what_else_another_cdn_may_advertise() {
        // As RFC 9808 §2.2 builds it: several limits, of hosts and kinds of their own, beside other capabilities.
        let advertised = json!({"capabilities": [
            {"capability-type": "FCI.DeliveryProtocol", "capability-value": {"delivery-protocols": ["http/1.1"]}},
            {"capability-type": "FCI.CapacityLimits", "footprints": [], "capability-value": {"limits": [
                {"id": "r", "limit-type": "requests", "maximum-hard": 9, "maximum-soft": 8},
                {"limit-type": "egress", "current": 1},
                {"id": "e", "limit-type": "egress", "maximum-hard": 50_000_000_000_u64, "maximum-soft": 25_000_000_000_u64,
                 "telemetry-source": {"id": "t", "metric": "egress_5m"}},
            ]}},
        ]});
        assert_eq!(egress(&advertised), (Some(25_000_000_000), None));
        assert_eq!(egress(&json!({"capabilities": []})), (None, None));
    }
}
