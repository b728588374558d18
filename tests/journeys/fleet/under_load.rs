//! What befalls a fleet in a morning, while its students watch: three nodes, each in a network of its own, before a control with its
//! records in NATS.

use super::ministry::{Beside, Ministry, Node, text};
use super::{PATIENCE, PAUSE, in_time, obeyed, refused};
use jiff::Timestamp;
use journeys::net::Net;
use journeys::process::metric;
use journeys::{Airclass, airclass, store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use testkit::nats::NatsServer;
use testkit::plans::{envelope, plan_of};

/// Segments of the lesson: three quarters of a minute, no faster than life, so that a machine that stands still for seconds is not
/// taken for a picture that does.
const SEGMENTS: usize = 9;
/// What players keep ahead: two segments, so that each asks until shortly before its end.
const AHEAD: &str = "9600ms";
/// Requests by which it is seen that a node serves on.
const MORE: f64 = 50.0;
/// On three nodes, and later on those that are left.
const PLAYERS: usize = 300;
/// What they wait for a picture is not what is asked here.
const NO_FAULT: [&str; 4] = ["--max-errors", "0", "--max-rebuffers", "0"];

/// A morning's students, one class after the other for as long as it takes.
struct Students {
    enough: Arc<AtomicBool>,
    classes: JoinHandle<()>,
}

impl Students {
    /// They watch from these nodes, and all of each class see all of it, and nothing goes wrong.
    fn of(nodes: &[Node]) -> Self {
        let nodes: Vec<String> =
            nodes.iter().map(|node| format!("--node=http://{}", node.edge.address())).collect();
        let enough = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&enough);
        let classes = std::thread::spawn(move || {
            let players = PLAYERS.to_string();
            let mut arguments =
                vec!["drill", "/lessons/sample/main.m3u8", "--players", &players, "--threads", "1"];
            arguments.extend(["--arrival", "uniform:5s", "--ahead", AHEAD, "--max-height", "144"]);
            arguments.extend(nodes.iter().map(String::as_str));
            arguments.extend(NO_FAULT);
            while !told.load(Ordering::Relaxed) {
                let ended = airclass(&arguments);
                assert_eq!(ended.code(), Some(0), "{}\n{}", ended.stdout, ended.stderr);
                assert!(ended.stdout.contains(&format!("{PLAYERS} 看完 finished")), "{}", ended.stdout);
            }
        });
        Self { enough, classes }
    }

    /// Waits until a node has served some requests more.
    fn go_on(&self, node: &Airclass) {
        let served = || metric(node.admin, "edge_kind_requests_total{kind=\"segment\"}");
        let from = served();
        while served() < from + MORE {
            assert!(!self.classes.is_finished(), "a class has noticed something");
            std::thread::park_timeout(PAUSE);
        }
    }

    /// No class comes any more; the last sees its lesson to the end.
    fn come_no_more(self) {
        self.enough.store(true, Ordering::Relaxed);
        self.classes.join().unwrap();
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
    let watching = Students::of(&nodes);
    nodes.iter().for_each(|node| watching.go_on(&node.edge));

    // Orders reach all: to forget, and tomorrow's plan. NATS dies, and with it what can be ordered, nothing else.
    obeyed(&in_time("purge", || ministry.purge(&["--wait", PATIENCE])), 3);
    let tomorrow = timetable::Zone::CHINA.local(Timestamp::now()).date().tomorrow().unwrap().to_string();
    let file = ministry.folder.path().join("plan.json");
    std::fs::write(&file, envelope(&plan_of(&tomorrow))).unwrap();
    obeyed(&in_time("plan", || ministry.ask("edu-li", &["plan", text(&file), "--wait", PATIENCE])), 3);
    nats.kill();
    refused(&ministry.purge_once(&[]), "CONTROL_REFUSED: ", "store_away");
    nodes.iter().for_each(|node| watching.go_on(&node.edge));
    nats.restart();
    ministry.purge(&["--wait", PATIENCE]);

    // A node is cut off from the control, and joins again.
    nets[2].ip(&["route", "add", "prohibit", &control]);
    let missed = ministry.purge(&["--wait", "0s"]);
    watching.go_on(&nodes[2].edge);
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
    let coming = Students::of(&nodes);
    watching.come_no_more();
    let (name, mut edge) = (old.name.clone(), old.edge);
    drop::<Option<Beside>>(old.agent);
    edge.terminate();
    assert!(edge.wait().success(), "{}", edge.log());
    assert_eq!(ministry.ask("telecom-zhang", &["revoke", &name]).code(), Some(0));
    coming.come_no_more();
}
