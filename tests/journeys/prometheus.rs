//! What operators look at, as Prometheus sees it: metrics without a complaint, rules that load, panels that are not empty.

use journeys::client::{Certificate, get};
use journeys::store::{pattern, put, segment};
use journeys::{Airclass, Finished, airclass, project};
use ministry::{Ministry, Node};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

#[path = "fleet/ministry.rs"]
#[expect(clippy::unwrap_used, dead_code, reason = "a scene of the fleet's own journey, which uses all of it")]
mod ministry;

/// Longer than any machine needs for an order.
const PATIENCE: &str = "180s";
/// What the ministry's nodes are asked for.
const PATH: &str = "/lessons/7/a";

/// Queries that have nothing to show on two nodes without a day, and why.
const EMPTY: &[(&str, &str)] = &[
    ("airclass_fill_ready_ratio", "no plan names a bell"),
    ("airclass_fill_wanted_bytes", "no plan names a bell"),
    ("access_log_lost_lines_total", "this edge writes no access log; its own journey does"),
];

/// Between two looks at a program that samples once a second.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks until a query has to have something: four minutes, for a scrape that takes too long is none.
const LOOKS: usize = 960;

struct Scene {
    _store: tempfile::TempDir,
    origin: Airclass,
    edge: Airclass,
    certificate: Certificate,
    ministry: Ministry,
    node: Node,
}

/// An origin and an edge with everything on that has metrics of its own, and a control with a node that obeys it.
fn scene() -> Scene {
    let store = tempfile::tempdir().expect("a scratch folder, named plainly");
    (0..8).for_each(|number| put(store.path(), &segment(number), &pattern(20_000)));
    let beside = tempfile::tempdir_in(store.path()).expect("a scratch folder, named plainly").keep();
    let certificate = Certificate::make(&beside);
    let text = |path: &Path| path.to_str().expect("a scratch folder, named plainly").to_owned();
    let key = beside.join("plans.key");
    let Finished { stdout, .. } = airclass(&["package", "keygen", "--out", &text(&key)]);
    let keys = beside.join("keys.toml");
    std::fs::write(&keys, stdout).expect("a scratch folder, named plainly");
    let folder = |name: &str| {
        let folder = beside.join(name);
        std::fs::create_dir(&folder).expect("a scratch folder, named plainly");
        text(&folder)
    };
    let origin = Airclass::origin(store.path());
    let (cert, private) = (text(&certificate.cert), text(&certificate.key));
    let (disk, accounts, plans, keys) = (folder("disk"), folder("accounts"), folder("plans"), text(&keys));
    let edge = Airclass::edge(
        origin.address(),
        &[
            ["--tls-listen", "127.0.0.1:0", "--cert", &cert, "--key", &private],
            ["--owner", "bofei", "--province", "hubei", "--carrier", "dianxin"],
            ["--site", "wuhan-1", "--accounts", &accounts, "--commit", "1Gbit/s"],
            ["--disk", &disk, "--disk-size", "64MiB", "--bandwidth-cap", "10Gbit/s"],
            ["--plan-keys", &keys, "--plan", &plans, "--admission-rate", "100"],
        ]
        .iter()
        .flat_map(|row| row.iter().copied())
        .collect::<Vec<_>>(),
    );
    // It has commands of its own to wait for, which must not be run within a runtime.
    let (ministry, node) = std::thread::spawn(|| {
        let ministry = Ministry::new(None);
        let node = ministry.node("wuhan-1");
        assert_eq!(ministry.purge(&["--wait", PATIENCE]).code(), Some(0));
        assert_ne!(ministry.ask("edu-li", &["drain", "--all"]).code(), Some(0), "refused");
        (ministry, node)
    })
    .join()
    .expect("the ministry opens");
    Scene { _store: store, origin, edge, certificate, ministry, node }
}

impl Scene {
    /// Everybody's admin listener, by job.
    fn jobs(&self) -> [(&'static str, SocketAddr); 4] {
        let control = self.ministry.control.as_ref().expect("it is open");
        let agent = self.node.agent_admin().expect("it has obeyed an order");
        [
            ("edge", self.edge.admin),
            ("origin", self.origin.admin),
            ("control", control.admin),
            ("node", agent),
        ]
    }
}

fn installed(name: &str) {
    let there = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(there.is_ok(), "{name} is not there; scripts/setup installs it (Debian package prometheus)");
}

#[tokio::test]
async fn promtool_has_nothing_to_say_about_our_metrics() {
    installed("promtool");
    let scene = scene();
    for (name, admin) in scene.jobs() {
        let metrics = get(admin, "/metrics", &[]).await.body;
        let mut child = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&metrics).unwrap();
        let said = child.wait_with_output().unwrap();
        let text = [&said.stdout[..], &said.stderr].concat();
        assert!(said.status.success() && text.is_empty(), "{name}: {}", String::from_utf8_lossy(&text));
    }
}

/// A Prometheus of its own; killed when this is dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Prometheus {
    /// With the rules that are shipped, looking once a second.
    fn start(folder: &Path, jobs: &[(&str, SocketAddr)]) -> Self {
        let rules = project().join("deploy/prometheus");
        let jobs: String = jobs
            .iter()
            .map(|(job, admin)| {
                format!("- {{ job_name: {job}, static_configs: [{{ targets: [\"{admin}\"] }}] }}\n")
            })
            .collect();
        let text = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
             rule_files: [\"{0}/airclass-rules.yml\", \"{0}/airclass-alerts.yml\"]\n\
             scrape_configs:\n{jobs}",
            rules.display()
        );
        let config = folder.join("prometheus.yml");
        std::fs::write(&config, text).expect("a scratch folder takes files");
        let mut child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("prometheus starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let listens = |line: String| {
            let address = line.split_once("msg=\"Listening on\" address=")?.1;
            address.split_whitespace().next()?.parse().ok()
        };
        let address = lines.find_map(listens).expect("it says where it listens");
        // What it says later must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    async fn ask(&self, path: &str) -> Value {
        let answer = get(self.address, path, &[]).await;
        serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{path}: {:?}", answer.body))
    }

    /// How many series a query has.
    async fn series(&self, query: &str) -> usize {
        let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let said = self.ask(&format!("/api/v1/query?query={query}")).await;
        assert_eq!(said["status"], "success", "{said}");
        said["data"]["result"].as_array().map_or(0, Vec::len)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every query of every panel, with where it stands.
fn queries() -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for entry in std::fs::read_dir(project().join("deploy/grafana")).expect("what is shipped is whole") {
        let path = entry.expect("what is shipped is whole").path();
        let board: Value = serde_json::from_slice(&std::fs::read(&path).expect("what is shipped is whole"))
            .expect("what is shipped is whole");
        for panel in board["panels"].as_array().expect("what is shipped is whole") {
            for target in panel["targets"].as_array().expect("what is shipped is whole") {
                let place = format!(
                    "{}: {}",
                    path.file_name().expect("what is shipped is whole").to_string_lossy(),
                    panel["title"]
                );
                queries.push((place, target["expr"].as_str().expect("what is shipped is whole").to_owned()));
            }
        }
    }
    queries
}

async fn some_traffic(scene: &Scene) {
    for number in 0..9 {
        let path = format!("/{}", segment(number));
        get(scene.edge.address(), &path, &[]).await;
    }
    let tls =
        scene.certificate.connect(scene.edge.addresses[1], &rustls::version::TLS13, &[b"http/1.1"]).await;
    drop(tls);
}

#[tokio::test]
async fn every_rule_is_healthy_and_no_panel_is_empty() {
    installed("prometheus");
    let (scene, scratch) = (scene(), tempfile::tempdir().unwrap());
    let prometheus = Prometheus::start(scratch.path(), &scene.jobs());
    let mut left = queries();
    assert!(left.len() > 80, "{}", left.len());
    left.retain(|(_, query)| !EMPTY.iter().any(|(metric, _)| query.contains(metric)));
    for _ in 0..LOOKS {
        some_traffic(&scene).await;
        let mut empty = Vec::new();
        for (place, query) in left {
            if prometheus.series(&query).await == 0 {
                empty.push((place, query));
            }
        }
        left = empty;
        let rules = prometheus.ask("/api/v1/rules").await;
        let rules: Vec<&Value> = rules["data"]["groups"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|g| g["rules"].as_array().unwrap())
            .collect();
        assert!(rules.iter().all(|rule| rule["health"] != "err"), "{rules:?}");
        if left.is_empty() && rules.iter().all(|rule| rule["health"] == "ok") {
            assert!(rules.len() >= 38, "{}", rules.len());
            return;
        }
        // It looks once a second, whatever we do.
        tokio::time::sleep(LOOK_EVERY).await;
    }
    panic!("nothing to show: {left:#?}");
}

#[test]
fn no_alert_fires_while_nothing_is_wrong() {
    installed("promtool");
    let said = Command::new("promtool")
        .args(["test", "rules"])
        .arg(project().join("tests/journeys/alerts.yml"))
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&[said.stdout, said.stderr].concat()));
}

#[test]
fn every_alert_has_a_page_and_every_page_an_alert() {
    let alerts = std::fs::read_to_string(project().join("deploy/prometheus/airclass-alerts.yml")).unwrap();
    let mut linked: Vec<&str> =
        alerts.lines().filter_map(|line| line.trim().strip_prefix("runbook_url: docs/runbooks/")).collect();
    linked.sort_unstable();
    let mut pages: Vec<String> = std::fs::read_dir(project().join("docs/runbooks"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    pages.sort_unstable();
    assert_eq!(linked, pages);
    assert_eq!(alerts.matches("- alert: ").count(), linked.len());
}
