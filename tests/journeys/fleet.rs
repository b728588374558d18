//! A fleet: a control with its records in files or in NATS, people with certificates, nodes that enrol by a token, orders that
//! reach all of them, and what becomes of it all when the control or NATS is gone.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use agent::{Home, Trouble};
use fleet::wire::Orders;
use jiff::Timestamp;
use journeys::{Airclass, Finished, airclass, client};
use ministry::{Ministry, Node, text};
use std::path::Path;
use std::time::Duration;
use testkit::nats::NatsServer;
use testkit::plans::{envelope, plan_of};
use timetable::Plan;

#[path = "fleet/dns.rs"]
mod dns;
#[path = "fleet/ministry.rs"]
mod ministry;
#[path = "fleet/renewal.rs"]
mod renewal;
#[path = "fleet/under_load.rs"]
mod under_load;
#[path = "fleet/zero_rating.rs"]
mod zero_rating;

const PATH: &str = "/lessons/7/a";
/// Longer than any machine needs; nothing is paced by it.
const PATIENCE: &str = "180s";
/// So near its end a day is no day to be asked about.
const LAST_OF_A_DAY: Duration = Duration::from_secs(180);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// And how many: three minutes.
const LOOKS: usize = 1_800;

fn number_of(ordered: &Finished) -> u64 {
    let number = ordered.stdout.strip_prefix("order ").and_then(|rest| rest.split(':').next());
    number.unwrap_or_else(|| panic!("{ordered:?}")).parse().unwrap()
}

/// Has it ended well, after every node's answer?
fn obeyed(ordered: &Finished, nodes: usize) {
    let says = format!("obeyed by {nodes}, refused by 0, 0 to answer");
    assert!(ordered.code() == Some(0) && ordered.stdout.contains(&says), "{ordered:?}");
}

/// The day in China. One that is about to be over is waited for: what nodes are told of it, they must have the time to say.
fn today() -> String {
    let china = |moment| timetable::Zone::CHINA.local(moment).date();
    while china(Timestamp::now()) != china(Timestamp::now() + LAST_OF_A_DAY) {
        std::thread::park_timeout(PAUSE);
    }
    china(Timestamp::now()).to_string()
}

/// Gives an order and waits for every node's answer; how long that took is printed, from the command's start to the last answer.
fn in_time(what: &str, order: impl FnOnce() -> Finished) -> Finished {
    let began = tokio::time::Instant::now();
    let ordered = order();
    eprintln!("{what}: acknowledged by all after {} ms", began.elapsed().as_millis());
    ordered
}

fn refused(ended: &Finished, code: &str, why: &str) {
    let line = ended.stderr.lines().last().unwrap_or_default();
    assert!(ended.code() == Some(2) && line.starts_with(code) && line.contains(why), "{ended:?}");
}

#[test]
fn a_token_counts_once_and_strangers_are_nobody() {
    let mut ministry = Ministry::new(None);
    let path = |name: &str| ministry.folder.path().join(name);
    assert!(ministry.ask("telecom-zhang", &["nodes"]).stderr.contains("no node has enrolled"));
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

    refused(
        &ministry.ask("state/authority.pem", &["nodes"]),
        "CONTROL_PERSON: ",
        "authority.pem: has not the two",
    );

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
    refused(&ministry.ask("edu-li", &["drain", "--all"]), "CONTROL_REFUSED: ", "not_allowed");
    // Who forgets a word does not take everybody out of service.
    refused(&ministry.ask("telecom-zhang", &["drain"]), "ORDER_WHOLE_FLEET: ", "--all");
    refused(&ministry.ask("telecom-zhang", &["order", "1"]), "ORDER_UNKNOWN: ", "record 1 is no order");
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
    // Whom an order means is said, also where that is nobody.
    let nobody = ministry.ask("telecom-zhang", &["drain", "--province", "beijing"]);
    assert!(nobody.code() == Some(0) && nobody.stderr.contains("no enrolled node is meant"), "{nobody:?}");
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

    obeyed(&in_time("purge", || ministry.purge(&["--wait", PATIENCE])), 3);
    assert!(nodes.iter().all(Node::fetches), "it was forgotten everywhere");
    let today = today();
    let (file, plan) = (ministry.folder.path().join("plan.json"), plan_of(&today));
    std::fs::write(&file, envelope(&plan)).unwrap();
    let give = || ministry.ask("edu-li", &["plan", text(&file), "--wait", PATIENCE]);
    obeyed(&in_time("plan", give), 3);
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
    refused(&ministry.purge_once(&[]), "CONTROL_REFUSED: ", "store_away");
    assert!(!nodes.iter().any(Node::fetches));
    nats.restart();
    // The control finds it again by itself.
    obeyed(&ministry.purge(&["--wait", PATIENCE]), 3);
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
    let told = (0..LOOKS).find_map(|_| {
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
        for _ in 0..LOOKS {
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
    let doctor = |disk: &Path, least: &str, more: &[&str]| {
        let arguments = [
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
            "--out",
            text(&paper),
        ];
        airclass(&[&arguments[..], more].concat())
    };
    let fills = ["--listen", &listen, "--path", PATH];
    let untried = doctor(&folder, "1B", &[]);
    assert!(
        untried.code() == Some(1) && untried.stdout.contains("BAD  filling: was not tried"),
        "{untried:?}"
    );
    wait_for("/readyz", "burn_in: not ok: the doctor was not content with filling");
    let ill = doctor(&folder.join("no-disk"), "1B", &fills);
    assert!(ill.code() == Some(1) && ill.stdout.contains("BAD  disk"), "{ill:?}");
    wait_for("/readyz", "burn_in: not ok: the doctor was not content with disk");
    let well = doctor(&folder, "1B", &fills);
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
