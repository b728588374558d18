//! A fleet: a control with its records in files or in NATS, people with certificates, nodes that enrol by a token, orders that
//! reach all of them, and what becomes of it all when the control or NATS is gone.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use agent::{Home, Trouble};
use fleet::wire::Orders;
use jiff::Timestamp;
use journeys::net::Net;
use journeys::raw::Loose;
use journeys::{Airclass, Finished, airclass, client, program};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use testkit::nats::NatsServer;
use testkit::plans::{KEY, entry, envelope, plan_of};
use timetable::Plan;

#[path = "fleet/dns.rs"]
mod dns;
#[path = "fleet/under_load.rs"]
mod under_load;
#[path = "fleet/zero_rating.rs"]
mod zero_rating;

const PATH: &str = "/lessons/7/a";
/// Longer than any machine needs; nothing is paced by it.
const PATIENCE: &str = "60s";
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// A program beside the edges, which has no listener of its own.
struct Beside(Child);

impl Beside {
    fn start(inside: Option<&[String; 2]>, arguments: &[&str]) -> Self {
        let airclass = program("airclass");
        let mut command = match inside {
            None => Command::new(airclass),
            Some([enter, there]) => {
                let mut command = Command::new(enter);
                command.arg(there).arg(airclass);
                command
            }
        };
        let child =
            command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.unwrap())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A control, a person of each role, and the keys that nodes obey.
struct Ministry {
    folder: TempDir,
    control: Option<Airclass>,
    listen: String,
    /// Another name than `localhost` and 127.0.0.1.
    host: Option<String>,
    store: Option<String>,
    records: String,
    /// Before which edges stand.
    upstream: SocketAddr,
    _origin: Loose,
}

/// An edge and its agent.
struct Node {
    name: String,
    edge: Airclass,
    agent: Option<Beside>,
    folder: PathBuf,
    /// What a command begins with that is to run where the node does.
    inside: Option<[String; 2]>,
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Ministry {
    fn new(store: Option<String>) -> Self {
        Self::found(store, None)
    }

    /// One that is reached at this address.
    fn at(store: Option<String>, host: &str) -> Self {
        Self::found(store, Some(host.to_owned()))
    }

    fn found(store: Option<String>, host: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let made = airclass(&["control", "init", "--state", text(&state)]);
        assert_eq!(made.code(), Some(0), "{}", made.stderr);
        let records = made.stdout.lines().last().unwrap().rsplit(' ').next().unwrap().to_owned();
        for person in ["telecom/zhang", "edu/li"] {
            let out = folder.path().join(person.replace('/', "-"));
            let made = airclass(&["control", "person", person, "--state", text(&state), "--out", text(&out)]);
            assert_eq!(made.code(), Some(0), "{}", made.stderr);
        }
        KEY.write(&folder.path().join("operator.key")).unwrap();
        let origin = Loose::start(|_| {
            b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 1\r\n\r\nx".to_vec()
        });
        let listen = format!("{}:0", host.as_deref().unwrap_or("127.0.0.1"));
        let mut ministry = Self {
            folder,
            control: None,
            listen,
            host,
            store,
            upstream: origin.address,
            records,
            _origin: origin,
        };
        ministry.open();
        ministry
    }

    /// Starts the control, the second time where it was.
    fn open(&mut self) {
        let state = self.folder.path().join("state");
        let mut arguments = vec!["control", "run", "--state", text(&state), "--listen", &self.listen];
        if let Some(store) = &self.store {
            arguments.extend(["--store", store]);
        }
        if let Some(host) = &self.host {
            arguments.extend(["--name", host]);
        }
        let control = Airclass::start(&arguments);
        self.listen = control.address().to_string();
        self.control = Some(control);
    }

    fn url(&self) -> String {
        format!("https://{}", self.listen)
    }

    fn ask(&self, person: &str, arguments: &[&str]) -> Finished {
        let person = self.folder.path().join(person);
        let (url, person) = (self.url(), text(&person).to_owned());
        airclass(&[&["control"], arguments, &["--control", &url, "--as", &person]].concat())
    }

    fn token(&self, site: &str) -> String {
        let place = ["--province", "hubei", "--carrier", "dianxin", "--owner", "acme", "--site", site];
        let made = self.ask("telecom-zhang", &[&["token"], &place[..]].concat());
        assert_eq!(made.code(), Some(0), "{}", made.stderr);
        made.stdout.trim().to_owned()
    }

    fn enrol(&self, home: &Path, token: &str, more: &[&str]) -> Finished {
        let url = self.url();
        let enrol = ["node", "enroll", "--control", &url, "--token", token, "--home", text(home)];
        airclass(&[&enrol[..], more].concat())
    }

    /// A node that has enrolled, its edge and its agent.
    fn node(&self, site: &str) -> Node {
        self.node_in(None, site)
    }

    /// The same, in a network of its own.
    fn node_in(&self, net: Option<&Net>, site: &str) -> Node {
        let folder = self.folder.path().join(site);
        std::fs::create_dir_all(folder.join("plans")).unwrap();
        std::fs::write(folder.join("keys.toml"), entry(&KEY)).unwrap();
        let keys = folder.join("keys.toml");
        let enrolled = self.enrol(&folder.join("home"), &self.token(site), &["--purge-keys", text(&keys)]);
        assert_eq!(enrolled.code(), Some(0), "{}", enrolled.stderr);
        assert!(enrolled.stdout.contains("province = \"hubei\""), "{}", enrolled.stdout);
        let name = enrolled.stdout.split(' ').nth(1).unwrap().to_owned();
        let edge = self.edge(net, &folder);
        let mut node = Node { name, edge, agent: None, folder, inside: net.map(Net::inside) };
        node.follow();
        node
    }

    fn edge(&self, net: Option<&Net>, folder: &Path) -> Airclass {
        let (keys, plans) = (folder.join("keys.toml"), folder.join("plans"));
        let (upstream, listen) = (
            format!("http://{}", self.upstream),
            format!("{}:0", net.map_or(Ipv4Addr::LOCALHOST, |net| net.address)),
        );
        let options = ["--purge-keys", text(&keys), "--plan-keys", text(&keys), "--plan", text(&plans)];
        Airclass::start_within(
            net,
            &[&["edge", "--upstream", &upstream, "--listen", &listen], &options[..]].concat(),
        )
    }

    fn purge(&self, more: &[&str]) -> Finished {
        let key = self.folder.path().join("operator.key");
        let purge = ["purge", "--key", text(&key), "--prefix", "http://lessons.example/"];
        self.ask("telecom-zhang", &[&purge[..], more].concat())
    }

    fn order(&self, number: u64) -> Finished {
        self.ask("edu-li", &["order", &number.to_string()])
    }
}

impl Node {
    fn follow(&mut self) {
        let (home, plans, keys) =
            (self.folder.join("home"), self.folder.join("plans"), self.folder.join("keys.toml"));
        let admin = self.edge.admin.to_string();
        self.agent = Some(Beside::start(
            self.inside.as_ref(),
            &[
                "node",
                "run",
                "--home",
                text(&home),
                "--edge",
                &admin,
                "--plans",
                text(&plans),
                "--purge-keys",
                text(&keys),
                "--address",
                "https://edge.example",
                "--ip",
                "192.0.2.7",
            ],
        ));
    }

    /// Whether it had to ask its upstream.
    fn fetches(&self) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(client::get(self.edge.address(), PATH, &[]));
        assert_eq!(answer.status.as_u16(), 200);
        !answer.field("cache-status").starts_with("airclass; hit")
    }

    fn says(&self, path: &str) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(client::get(self.edge.admin, path, &[]));
        String::from_utf8(answer.body.to_vec()).unwrap()
    }
}

fn number_of(ordered: &Finished) -> u64 {
    let number = ordered.stdout.strip_prefix("order ").and_then(|rest| rest.split(':').next());
    number.unwrap_or_else(|| panic!("{ordered:?}")).parse().unwrap()
}

/// Has it ended well, after every node's answer?
fn obeyed(ordered: &Finished, nodes: usize) {
    let says = format!("obeyed by {nodes}, refused by 0, 0 to answer");
    assert!(ordered.code() == Some(0) && ordered.stdout.contains(&says), "{ordered:?}");
}

fn refused(ended: &Finished, code: &str, why: &str) {
    let line = ended.stderr.lines().last().unwrap_or_default();
    assert!(ended.code() == Some(2) && line.starts_with(code) && line.contains(why), "{ended:?}");
}

#[test]
fn a_token_counts_once_and_strangers_are_nobody() {
    let mut ministry = Ministry::new(None);
    let path = |name: &str| ministry.folder.path().join(name);
    let token = ministry.token("wuhan-1");
    let (home, other) = (path("home"), path("other"));
    let enrolled = ministry.enrol(&home, &token, &[]);
    assert_eq!(enrolled.code(), Some(0), "{}", enrolled.stderr);
    refused(&ministry.enrol(&other, &token, &[]), "NODE_REFUSED: ", "token_used");
    refused(&ministry.enrol(&home, &token, &[]), "NODE_FILE: ", "has enrolled here already");
    // Who has the same key has lost the answer.
    std::fs::remove_file(home.join("state.json")).unwrap();
    let again = ministry.enrol(&home, &token, &[]);
    assert!(again.stdout.contains("hubei/dianxin/acme/wuhan-1/1"), "{again:?}");

    let fresh = ministry.token("wuhan-1");
    let (secret, authority) = fresh.rsplit_once('_').unwrap();
    let made_up = format!("act_{}_{authority}", "0".repeat(64));
    refused(&ministry.enrol(&other, &made_up, &[]), "NODE_REFUSED: ", "unknown_token");
    let elsewhere = format!("{secret}_{}", "0".repeat(64));
    refused(&ministry.enrol(&other, &elsewhere, &[]), "NODE_UNTRUSTED: ", "not the control");
    refused(&ministry.enrol(&other, "act_1", &[]), "CONFIG_VALUE: ", "`token`");

    // An authority of the same name that is not ours.
    let forger = path("forger");
    airclass(&["control", "init", "--state", text(&forger)]);
    let forged = path("forged");
    airclass(&["control", "person", "telecom/zhang", "--state", text(&forger), "--out", text(&forged)]);
    let theirs = std::fs::read_to_string(&forged).unwrap();
    let ours = std::fs::read_to_string(path("state").join("authority.pem")).unwrap();
    let their_own = std::fs::read_to_string(forger.join("authority.pem")).unwrap();
    std::fs::write(&forged, theirs.replace(&their_own, &ours)).unwrap();
    refused(&ministry.ask("forged", &["nodes"]), "CONTROL_UNTRUSTED: ", "certificate");

    // Nobody does the other role's work.
    let place = ["--province", "hubei", "--carrier", "dianxin", "--owner", "acme", "--site", "a"];
    refused(&ministry.ask("edu-li", &[&["token"], &place[..]].concat()), "CONTROL_REFUSED: ", "not_allowed");
    refused(&ministry.ask("edu-li", &["drain"]), "CONTROL_REFUSED: ", "not_allowed");
    let file = path("plan.json");
    std::fs::write(&file, envelope(&plan_of("2026-09-01"))).unwrap();
    refused(&ministry.ask("telecom-zhang", &["plan", text(&file)]), "CONTROL_REFUSED: ", "not_allowed");

    // A node that is revoked hears nothing any more, at once and after the control's restart.
    let node = Home::new(home.clone()).state().unwrap().node.to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let revoked = ministry.ask("telecom-zhang", &["revoke", &node]);
    assert_eq!(revoked.code(), Some(0), "{revoked:?}");
    let ask = || {
        let control = Home::new(home.clone()).control(&ministry.url()).unwrap();
        runtime.block_on(control.line().look::<Orders>("/v1/orders?after=0"))
    };
    assert!(matches!(ask(), Err(Trouble::Refused { refused, .. }) if refused == "revoked"));
    ministry.control = None;
    ministry.open();
    let ask = || {
        let control = Home::new(home.clone()).control(&ministry.url()).unwrap();
        runtime.block_on(control.line().look::<Orders>("/v1/orders?after=0"))
    };
    assert!(matches!(ask(), Err(Trouble::Refused { refused, .. }) if refused == "revoked"));

    // All of it stands in the records, and whoever changes a letter of them is found out.
    let records = ministry.ask("edu-li", &["records", "--key", &ministry.records]);
    for said in [
        "telecom/zhang  {\"token_made\"",
        "wuhan-1/1  {\"enrolled\"",
        "telecom/zhang  {\"revoked\"",
        "# 4 records",
    ] {
        assert!(records.stdout.contains(said), "{said}: {records:?}");
    }
    ministry.control = None;
    let kept = ministry.folder.path().join("state/records.jsonl");
    let changed = std::fs::read_to_string(&kept).unwrap().replacen("telecom/zhang", "telecom/wang", 1);
    std::fs::write(&kept, changed).unwrap();
    let state = ministry.folder.path().join("state");
    let ended = airclass(&[
        "control",
        "run",
        "--state",
        text(&state),
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
    ]);
    refused(&ended, "CONTROL_RECORDS: ", "record 1");
}

#[test]
fn orders_reach_every_node_and_nats_may_die() {
    let mut nats = NatsServer::start();
    let mut ministry = Ministry::new(Some(nats.address("east")));
    let mut nodes: Vec<Node> = (1..=3).map(|n| ministry.node(&format!("site-{n}"))).collect();
    assert!(nodes.iter().all(Node::fetches) && !nodes.iter().any(Node::fetches));

    obeyed(&ministry.purge(&["--wait", PATIENCE]), 3);
    assert!(nodes.iter().all(Node::fetches), "it was forgotten everywhere");
    let today = timetable::Zone::CHINA.local(Timestamp::now()).date().to_string();
    let (file, plan) = (ministry.folder.path().join("plan.json"), plan_of(&today));
    std::fs::write(&file, envelope(&plan)).unwrap();
    obeyed(&ministry.ask("edu-li", &["plan", text(&file), "--wait", PATIENCE]), 3);
    for node in &nodes {
        assert!(node.says("/readyz").contains(&format!("{today} edition 3")), "{}", node.says("/readyz"));
    }
    // One that nodes must not follow is refused by each of them, with the reason.
    std::fs::write(&file, envelope(&Plan { edition: 2, ..plan.clone() })).unwrap();
    let older = ministry.ask("edu-li", &["plan", text(&file), "--wait", PATIENCE]);
    assert!(older.code() == Some(1) && older.stdout.contains("refused by 3"), "{older:?}");

    // One node alone stands aside, and comes back.
    let one = nodes[0].name.clone();
    obeyed(&ministry.ask("telecom-zhang", &["drain", "--node", &one, "--wait", PATIENCE]), 1);
    assert!(nodes[0].says("/readyz").contains("in_service: not ok"));
    assert!(!nodes[1].says("/readyz").contains("in_service"));
    assert!(!nodes[0].fetches(), "who comes is served all the same");
    obeyed(&ministry.ask("telecom-zhang", &["undrain", "--node", &one, "--wait", PATIENCE]), 1);

    // Without NATS nothing can be ordered, and everything goes on.
    nats.kill();
    refused(&ministry.purge(&[]), "CONTROL_REFUSED: ", "store_away");
    assert!(!nodes.iter().any(Node::fetches));
    nats.restart();
    let ordered = loop {
        // The control finds it again by itself.
        let ordered = ministry.purge(&["--wait", PATIENCE]);
        if !ordered.stderr.contains("store_away") {
            break ordered;
        }
    };
    obeyed(&ordered, 3);
    assert!(nodes.iter().all(Node::fetches));

    // A node that is cut off serves; when it is back, with another edge, it forgets what it was told to meanwhile.
    nodes[2].agent = None;
    let missed = ministry.purge(&["--wait", "0s", "--life", "1s"]);
    assert_eq!(missed.code(), Some(1), "{missed:?}");
    assert!(!nodes[2].fetches());
    let number = number_of(&missed);
    nodes[2].edge = ministry.edge(None, &nodes[2].folder);
    nodes[2].fetches();
    assert!(!nodes[2].fetches());
    // The control is another process by now.
    ministry.control = None;
    assert!(!nodes.iter().skip(2).any(Node::fetches));
    ministry.open();
    nodes[2].follow();
    while ministry.order(number).code() != Some(0) {
        std::thread::park_timeout(PAUSE);
    }
    obeyed(&ministry.order(number), 3);
    assert!(nodes[2].fetches(), "the order that it missed is obeyed");

    let all = ministry.ask("edu-li", &["nodes", "--json"]);
    assert!(all.stdout.contains("FCI.CapacityLimits"), "{all:?}");
    let all = ministry.ask("edu-li", &["nodes"]);
    assert_eq!(all.stdout.lines().filter(|line| line.contains("certificate until")).count(), 3, "{all:?}");
    // Carriers are told what is free, and again when it has changed.
    let (key, out) = (ministry.folder.path().join("operator.key"), ministry.folder.path().join("free.json"));
    let free = ["zero-rating", "--key", text(&key), "--out", text(&out), "--host", "lessons.example"];
    let said = ministry.ask("edu-li", &free).stdout;
    assert!(said.contains("edition 1, 1 networks") && said.contains("hubei dianxin: 3 added"), "{said}");
    assert!(ministry.ask("edu-li", &free).stdout.contains("edition 1 still says all"));
    // Students are sent to whoever is ready, by what the control has heard.
    let person = ministry.folder.path().join("edu-li");
    let url = ministry.url();
    let steer = ["steer", "--control", &url, "--as", text(&person), "--listen", "127.0.0.1:0"];
    let dns = ["--dns", "127.0.0.1:0", "--dns-name", "lessons.example", "--dns-server", "ns1.example"];
    let steer = Airclass::start(&[&steer[..], &dns].concat());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = (0..600).find_map(|_| {
        let answer = runtime.block_on(client::get(steer.address(), "/v1/nodes", &[]));
        std::thread::park_timeout(PAUSE);
        (answer.status.as_u16() == 200).then(|| String::from_utf8(answer.body.to_vec()).unwrap())
    });
    assert!(told.as_ref().is_some_and(|told| told.contains("https://edge.example")), "{told:?}");
    let manifest = runtime.block_on(client::get(steer.address(), "/steering.json", &[]));
    assert!(String::from_utf8_lossy(&manifest.body).contains("PATHWAY-CLONES"), "{manifest:?}");
    for tcp in [false, true] {
        let told = dns::address(&steer, tcp);
        assert!(
            told.ends_with(&[0, 0, 0, 30, 0, 4, 192, 0, 2, 7]),
            "its address, for half a minute: {told:?}"
        );
    }
    let records = ministry.ask("edu-li", &["records", "--key", &ministry.records]);
    assert!(records.code() == Some(0) && records.stdout.contains("edu/li  {\"ordered\""), "{records:?}");
}

#[test]
fn a_new_node_is_tried_out_before_it_is_ready_and_keeps_to_its_owners_word() {
    let ministry = Ministry::new(None);
    let folder = ministry.folder.path().join("new");
    std::fs::create_dir(&folder).unwrap();
    let (home, paper) = (folder.join("home"), folder.join("burn-in.json"));
    assert_eq!(ministry.enrol(&home, &ministry.token("new"), &[]).code(), Some(0));
    let owner =
        ["--burn-in", text(&paper), "--owner-bandwidth", "3Gbit/s", "--owner-network", "192.0.2.0/24"];
    let edge = Airclass::edge(ministry.upstream, &owner);
    let says = |path: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        String::from_utf8(runtime.block_on(client::get(edge.admin, path, &[])).body.to_vec()).unwrap()
    };
    let wait_for = |path: &str, said: &str| {
        for _ in 0..600 {
            if says(path).contains(said) {
                return;
            }
            std::thread::park_timeout(PAUSE);
        }
        panic!("no {said} in {}", says(path));
    };
    wait_for("/readyz", "burn_in: not ok: not tried out yet");
    let admin = edge.admin.to_string();
    let listen = edge.address().to_string();
    let doctor = |disk: &Path, least: &str| {
        airclass(&[
            "node",
            "doctor",
            "--edge",
            &admin,
            "--home",
            text(&home),
            "--disk",
            text(disk),
            "--least-disk",
            least,
            "--listen",
            &listen,
            "--path",
            PATH,
            "--out",
            text(&paper),
        ])
    };
    let ill = doctor(&folder.join("no-disk"), "1B");
    assert!(ill.code() == Some(1) && ill.stdout.contains("BAD  disk"), "{ill:?}");
    wait_for("/readyz", "burn_in: not ok: the doctor was not content with disk");
    let well = doctor(&folder, "1B");
    assert_eq!(well.code(), Some(0), "{well:?}");
    assert!(well.stdout.contains("control: knows hubei/dianxin/acme/new/1"), "{well:?}");
    wait_for("/readyz", "burn_in: ok");
    wait_for("/capacity", "\"maximum-hard\":3000000000");
    assert!(says("/capacity").contains("192.0.2.0/24"));
    for (command, said) in [("drain", "in_service: not ok"), ("undrain", "in_service: ok")] {
        let told = airclass(&["node", command, "--edge", &admin]);
        assert_eq!(told.code(), Some(0), "{told:?}");
        assert!(says("/readyz").contains(said), "{}", says("/readyz"));
    }
}
