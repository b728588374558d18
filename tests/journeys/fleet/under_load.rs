//! What befalls a fleet in a morning, while its students watch: three nodes, each in a network of its own, before a control with its
//! records in NATS.

use super::ministry::{Beside, Ministry, text};
use super::{PATIENCE, PAUSE, obeyed, refused};
use journeys::net::Net;
use journeys::process::metric;
use journeys::{Airclass, Finished, airclass, store};
use std::net::SocketAddr;
use testkit::nats::NatsServer;

/// So many times as fast as life: the network's time is its own.
const SPEED: &str = "6";
/// Segments of the lesson: two and a half minutes.
const SEGMENTS: usize = 30;
/// On three nodes, and later on those that are left.
const PLAYERS: usize = 300;
/// What they wait for a picture is not what is asked here.
const NO_FAULT: [&str; 4] = ["--max-errors", "0", "--max-rebuffers", "0"];

/// A morning's students, on these nodes.
fn students(nodes: Vec<SocketAddr>) -> std::thread::JoinHandle<Finished> {
    std::thread::spawn(move || {
        let nodes: Vec<String> = nodes.iter().map(|node| format!("--node=http://{node}")).collect();
        let players = PLAYERS.to_string();
        let mut arguments =
            vec!["drill", "/lessons/sample/main.m3u8", "--players", &players, "--threads", "1"];
        arguments.extend(["--arrival", "uniform:30s", "--speed", SPEED, "--max-height", "144"]);
        arguments.extend(nodes.iter().map(String::as_str));
        arguments.extend(NO_FAULT);
        airclass(&arguments)
    })
}

/// All of them have seen all of it, and nothing has gone wrong.
fn noticed_nothing(ended: &Finished) {
    assert_eq!(ended.code(), Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains(&format!("{PLAYERS} 看完 finished")), "{}", ended.stdout);
}

/// Waits until a node has served so many requests more.
fn serves_on(node: &Airclass, more: f64) {
    let served = || metric(node.admin, "edge_kind_requests_total{kind=\"segment\"}");
    let from = served();
    while served() < from + more {
        std::thread::park_timeout(PAUSE);
    }
}

#[test]
fn nobody_who_watches_notices_what_befalls_the_fleet() {
    let nets: Vec<Net> = (0..4).map(Net::new).collect();
    let folder = tempfile::tempdir().unwrap();
    store::lesson(folder.path(), SEGMENTS);
    let origin = Airclass::start(&[
        "origin",
        "--store",
        text(folder.path()),
        "--listen",
        &format!("{}:0", nets[0].ours),
    ]);
    let mut nats = NatsServer::start();
    // The control has another address than the origin: a node can be cut off from one alone.
    let control = nets[1].ours.to_string();
    let mut ministry = Ministry::at(Some(nats.address("west")), &control);
    ministry.upstream = origin.address();
    let mut nodes: Vec<_> = nets
        .iter()
        .take(3)
        .zip(1..)
        .map(|(net, n)| ministry.node_in(Some(net), &format!("room-{n}")))
        .collect();
    let watching = students(nodes.iter().map(|node| node.edge.address()).collect());
    nodes.iter().for_each(|node| serves_on(&node.edge, 50.0));

    // An order reaches all, NATS dies, and with it what can be ordered, nothing else.
    obeyed(&ministry.purge(&["--wait", PATIENCE]), 3);
    nats.kill();
    refused(&ministry.purge(&[]), "CONTROL_REFUSED: ", "store_away");
    nodes.iter().for_each(|node| serves_on(&node.edge, 50.0));
    nats.restart();
    while ministry.purge(&["--wait", PATIENCE]).stderr.contains("store_away") {}

    // A node is cut off from the control, and joins again.
    nets[2].ip(&["route", "add", "prohibit", &control]);
    let missed = ministry.purge(&["--wait", "0s"]);
    serves_on(&nodes[2].edge, 50.0);
    nets[2].ip(&["route", "delete", "prohibit", &control]);
    while ministry.order(super::number_of(&missed)).code() != Some(0) {
        std::thread::park_timeout(PAUSE);
    }
    obeyed(&ministry.order(super::number_of(&missed)), 3);

    // A machine is replaced: it stands aside, a new one takes those who come, those who watch end where they began.
    let old = nodes.remove(0);
    obeyed(&ministry.ask("telecom-zhang", &["drain", "--node", &old.name, "--wait", PATIENCE]), 1);
    assert!(old.says("/readyz").contains("in_service: not ok"));
    nodes.push(ministry.node_in(Some(&nets[3]), "room-4"));
    let coming = students(nodes.iter().map(|node| node.edge.address()).collect());
    noticed_nothing(&watching.join().unwrap());
    let (name, mut edge) = (old.name.clone(), old.edge);
    drop::<Option<Beside>>(old.agent);
    edge.terminate();
    assert!(edge.wait().success(), "{}", edge.log());
    assert_eq!(ministry.ask("telecom-zhang", &["revoke", &name]).code(), Some(0));
    noticed_nothing(&coming.join().unwrap());
}
