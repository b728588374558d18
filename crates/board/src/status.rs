//! `/status.json`: how a node is, in one document. `docs/status.md` describes it; what a later edition adds, readers pass over.

use crate::alarm::{Look, Raised, alarms};
use crate::figures::Figures;
use crate::ring::Ring;
use crate::sample::{Count, Sample};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What kind of paper this is.
const KIND: &str = "airclass-status/1";
/// Over so long is what is sent averaged: the steps in which segments leave are evened out.
const RATE_OVER: Duration = Duration::from_secs(10);

/// What is known beside the registry.
#[derive(Debug, Default)]
pub struct Facts {
    /// By which the node is known upstream.
    pub name: String,
    /// What `/readyz` says.
    pub checks: Vec<Checked>,
    /// Of the day, in order.
    pub bells: Vec<Bell>,
    /// What is watched most.
    pub lessons: Lessons,
    /// Where the plan is for: seconds east of Greenwich. `None`: no plan is followed.
    pub zone_s: Option<i32>,
}

/// A check of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Its name.
    pub check: &'static str,
    /// Why it fails; `None`: it holds.
    pub why: Option<String>,
}

/// A bell of the day plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bell {
    /// When.
    pub bell: Timestamp,
    /// The same by clocks where the plan is for, as `2026-09-01T08:30`.
    pub local: String,
    /// That begin at it.
    pub lessons: usize,
    /// Share of what they need that is here, 1 only when nothing is missing; `None` where nothing is fetched beforehand.
    pub ready_ratio: Option<f64>,
    /// Bytes that they need.
    pub wanted_bytes: Option<u64>,
    /// Bytes of them that are here.
    pub held_bytes: Option<u64>,
}

/// Lessons by what was sent of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lessons {
    /// For how long they are counted, in seconds: ten to twenty minutes.
    pub over_s: u64,
    /// Of all lessons together.
    pub bytes: u64,
    /// The most watched first.
    pub top: Vec<Lesson>,
}

/// A lesson that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lesson {
    /// Its package.
    pub package: String,
    /// What the plan calls it; `None`: it is in none.
    pub title: Option<String>,
    /// Bytes of its segments and papers. Never too few.
    pub bytes: u64,
    /// At most so many of them were other lessons'.
    pub over: u64,
}

/// The document.
#[derive(Debug, Serialize)]
pub struct Status {
    kind: &'static str,
    /// By the node's clock.
    at: Timestamp,
    zone_s: Option<i32>,
    node: Node,
    ready: bool,
    checks: Vec<Checked>,
    bandwidth: Bandwidth,
    /// As `/metrics` has them, added up.
    counts: Sample,
    pressure: BTreeMap<String, f64>,
    /// Places in line, by class.
    waiting: BTreeMap<String, u64>,
    connections: u64,
    bells: Vec<Bell>,
    lessons: Lessons,
    upstreams: Vec<Upstream>,
    memory: Memory,
    disks: Vec<Disk>,
    alarms: Vec<Raised>,
}

#[derive(Debug, Serialize)]
struct Node {
    name: String,
    version: String,
    /// Empty where the node has no owner.
    owner: String,
    province: String,
    carrier: String,
    site: String,
    /// How long the process runs.
    up_s: u64,
}

#[derive(Debug, Serialize)]
struct Bandwidth {
    /// Bits a second to clients, over ten seconds.
    sent_bps: u64,
    /// The same from upstreams.
    received_bps: u64,
    /// What may be sent now: the least of the owner's word for this hour and the node's own cap. `None`: as much as the line takes.
    limit_bps: Option<u64>,
    /// This month's 95th percentile so far; `None` where no accounts are kept, or nothing was sent yet.
    month95_bps: Option<u64>,
    /// What this month is billed at least.
    level_bps: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Upstream {
    group: String,
    name: String,
    up: bool,
    /// Questions going on with it.
    load: u64,
    /// Questions so far, by what became of them.
    asked: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct Memory {
    bytes: u64,
    objects: u64,
}

#[derive(Debug, Serialize)]
struct Disk {
    disk: String,
    state: String,
    bytes: u64,
    objects: u64,
}

impl Status {
    /// At the moment of `sample`, which is of `figures`. `ring`: samples before it.
    pub fn new(facts: Facts, figures: &Figures, sample: Sample, ring: &Ring) -> Self {
        let Facts { name, checks, bells, lessons, zone_s } = facts;
        let look = Look { now: sample.at, figures, sample: &sample, ring, checks: &checks, bells: &bells };
        let alarms = alarms(&look);
        Self {
            kind: KIND,
            at: sample.at,
            zone_s,
            node: Node::of(name, figures, &sample),
            ready: !checks.is_empty() && checks.iter().all(|check| check.why.is_none()),
            bandwidth: Bandwidth::of(figures, &sample, ring),
            pressure: by_label(figures, "edge_overload_share", "reason", |share| share),
            waiting: by_label(figures, "edge_admission_waiting", "class", |count| count as u64),
            connections: figures.sum("serve_connections") as u64,
            upstreams: upstreams(figures),
            memory: Memory {
                bytes: figures.sum("edge_memory_bytes") as u64,
                objects: figures.sum("edge_memory_objects") as u64,
            },
            disks: disks(figures),
            alarms,
            counts: sample,
            checks,
            bells,
            lessons,
        }
    }
}

impl Node {
    fn of(name: String, figures: &Figures, sample: &Sample) -> Self {
        let label = |metric: &str, label: &str| {
            figures.each(metric).next().map_or("", |series| series.label(label)).to_owned()
        };
        let info = |name: &str| label("airclass_node_info", name);
        Self {
            name,
            version: label("airclass_build_info", "version"),
            owner: info("owner"),
            province: info("province"),
            carrier: info("carrier"),
            site: info("site"),
            up_s: sample.elapsed.as_secs(),
        }
    }
}

impl Bandwidth {
    fn of(figures: &Figures, sample: &Sample, ring: &Ring) -> Self {
        let bps = |count| (8.0 * ring.rate(sample, count, RATE_OVER)) as u64;
        let some = |name: &str| figures.value(name).map(|value| value as u64);
        Self {
            sent_bps: bps(Count::SentBytes),
            received_bps: bps(Count::ReceivedBytes),
            limit_bps: some("edge_capacity_bps").filter(|&limit| limit > 0),
            month95_bps: some("edge_accounts_month95_bps").filter(|&rate| rate > 0),
            level_bps: some("edge_accounts_level_bps").filter(|&level| level > 0),
        }
    }
}

fn by_label<T>(figures: &Figures, name: &str, label: &str, of: impl Fn(f64) -> T) -> BTreeMap<String, T> {
    figures.each(name).map(|series| (series.label(label).to_owned(), of(series.value))).collect()
}

fn upstreams(figures: &Figures) -> Vec<Upstream> {
    let up = figures.each("edge_parent_up");
    up.map(|one| {
        let (group, name) = (one.label("group"), one.label("parent"));
        let of = |metric: &'static str| {
            figures
                .each(metric)
                .filter(move |series| series.label("group") == group && series.label("parent") == name)
        };
        Upstream {
            group: group.to_owned(),
            name: name.to_owned(),
            up: one.value > 0.0,
            load: of("edge_parent_load").map(|series| series.value as u64).sum(),
            asked: of("edge_parent_requests_total")
                .filter(|series| series.value > 0.0)
                .map(|series| (series.label("outcome").to_owned(), series.value as u64))
                .collect(),
        }
    })
    .collect()
}

fn disks(figures: &Figures) -> Vec<Disk> {
    let states = figures.each("edge_disk_state").filter(|state| state.value == 1.0);
    let of = |metric: &str, disk: &str| figures.sum_where(metric, "disk", |name| name == disk) as u64;
    states
        .map(|state| Disk {
            disk: state.label("disk").to_owned(),
            state: state.label("state").to_owned(),
            bytes: of("edge_disk_bytes", state.label("disk")),
            objects: of("edge_disk_objects", state.label("disk")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::gauges;
    use crate::sample::tests::sample;
    use serde_json::{Value, json};

    fn status(figures: &Figures, facts: Facts) -> Value {
        let mut ring = Ring::default();
        ring.push(sample(0, &[]));
        ring.push(sample(5, &[(Count::SentBytes, 1_000)]));
        let now = sample(20, &[(Count::SentBytes, 16_000), (Count::ReceivedBytes, 300)]);
        serde_json::to_value(Status::new(facts, figures, now, &ring)).unwrap()
    }

    #[test]
    fn a_node_that_has_just_begun_has_a_whole_document() {
        let text = status(&Figures::default(), Facts::default());
        assert_eq!(text["kind"], "airclass-status/1");
        assert_eq!((&text["ready"], &text["zone_s"]), (&json!(false), &Value::Null));
        assert_eq!(text["bandwidth"]["limit_bps"], Value::Null);
        assert_eq!(text["bandwidth"]["month95_bps"], Value::Null);
        assert_eq!(
            (&text["alarms"], &text["bells"], &text["upstreams"]),
            (&json!([]), &json!([]), &json!([]))
        );
        assert_eq!(text["counts"]["requests_ram"], 0);
    }

    #[test]
    fn it_says_what_the_registry_says() {
        let figures = gauges(&[
            ("airclass_build_info", &[("service", "edge"), ("version", "1.2.3")], 1.0),
            ("airclass_node_info", &[("owner", "bofei"), ("site", "wuhan-1")], 1.0),
            ("edge_capacity_bps", &[], 10e9),
            ("edge_accounts_month95_bps", &[], 7.0),
            ("edge_accounts_level_bps", &[], 0.0),
            ("edge_overload_share", &[("reason", "cpu")], 0.25),
            ("edge_admission_waiting", &[("class", "exam")], 3.0),
            ("edge_parent_up", &[("group", "g"), ("parent", "http://a")], 1.0),
            ("edge_parent_up", &[("group", "g"), ("parent", "http://b")], 0.0),
            ("edge_parent_load", &[("group", "g"), ("parent", "http://a")], 4.0),
            ("edge_parent_requests_total", &[("group", "g"), ("parent", "http://a"), ("outcome", "ok")], 9.0),
            ("edge_parent_requests_total", &[("group", "g"), ("parent", "http://b"), ("outcome", "ok")], 0.0),
            ("edge_disk_state", &[("disk", "/d"), ("state", "online")], 1.0),
            ("edge_disk_state", &[("disk", "/d"), ("state", "offline")], 0.0),
            ("edge_disk_bytes", &[("disk", "/d")], 5e9),
            ("edge_memory_bytes", &[], 77.0),
        ]);
        let bell = Bell {
            bell: "2026-09-01T00:30:00Z".parse().unwrap(),
            local: "2026-09-01T08:30".into(),
            lessons: 12,
            ready_ratio: Some(0.5),
            wanted_bytes: Some(10),
            held_bytes: Some(5),
        };
        let checks = vec![Checked { check: "listening", why: None }];
        let lessons = Lessons {
            over_s: 60,
            bytes: 10,
            top: vec![Lesson { package: "01".into(), title: Some("分数".into()), bytes: 9, over: 0 }],
        };
        let facts = Facts { name: "edge-1".into(), checks, bells: vec![bell], lessons, zone_s: Some(28_800) };
        let text = status(&figures, facts);
        assert_eq!(text["node"]["version"], "1.2.3");
        assert_eq!((&text["node"]["owner"], &text["node"]["province"]), (&json!("bofei"), &json!("")));
        // 15,000 bytes in 15 seconds: the newest sample that is ten seconds old is older still.
        let bandwidth = json!({
            "sent_bps": 8_000, "received_bps": 160, "limit_bps": 10_000_000_000_u64, "month95_bps": 7, "level_bps": null,
        });
        assert_eq!(text["bandwidth"], bandwidth);
        assert_eq!(text["counts"]["sent_bytes"], 16_000);
        assert_eq!(text["pressure"], json!({ "cpu": 0.25 }));
        assert_eq!(text["waiting"], json!({ "exam": 3 }));
        assert_eq!(text["bells"][0]["ready_ratio"], 0.5);
        assert_eq!(text["lessons"]["top"][0]["title"], "分数");
        let upstreams = json!([
            { "group": "g", "name": "http://a", "up": true, "load": 4, "asked": { "ok": 9 } },
            { "group": "g", "name": "http://b", "up": false, "load": 0, "asked": {} },
        ]);
        assert_eq!(text["upstreams"], upstreams);
        assert_eq!(
            text["disks"],
            json!([{ "disk": "/d", "state": "online", "bytes": 5_000_000_000_u64, "objects": 0 }])
        );
        assert_eq!(text["memory"]["bytes"], 77);
        let names: Vec<_> = text["alarms"].as_array().unwrap().iter().map(|one| &one["alarm"]).collect();
        assert_eq!(names, ["bell_not_covered", "parent_down"]);
    }
}
