//! What programs say, to nobody: whoever read it has gone or stands still, or its disk is full. They do their work all the same.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use journeys::client;
use journeys::process::{metric, program};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

/// Killed when this is dropped.
struct Edge(Child);

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Its lines, as they are read.
struct Log(BufReader<ChildStderr>);

impl Log {
    fn next(&mut self) -> Option<serde_json::Value> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap();
        (read > 0).then(|| serde_json::from_str(&line).unwrap())
    }

    /// The fields of the next line that says so.
    fn said(&mut self, message: &str) -> serde_json::Value {
        loop {
            let line = self.next().unwrap_or_else(|| panic!("{message} is not said"));
            if line["fields"]["message"] == message {
                break line["fields"].clone();
            }
        }
    }

    fn address(&mut self, message: &str, field: &str) -> SocketAddr {
        self.said(message)[field].as_str().unwrap().parse().unwrap()
    }
}

/// An edge before nobody, its log, where its orders go, and where it listens.
fn edge(more: &[&str]) -> (Edge, Log, SocketAddr, SocketAddr) {
    let child = Command::new(program("airclass"))
        .args(["edge", "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0"])
        .args(["--admin", "127.0.0.1:0", "--log-format", "json"])
        .args(["--admin-host", "lessons.example", "--admin-host", "a"])
        .args(more)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut edge = Edge(child);
    let mut log = Log(BufReader::new(edge.0.stderr.take().unwrap()));
    let admin = log.address("admin listening", "address");
    let listens = log.address("listening", "listen");
    // It says where it listens before it listens for orders and signals.
    while reload(admin) == 409 {}
    (edge, log, admin, listens)
}

/// Has it say a line; with which status it is answered.
fn reload(admin: SocketAddr) -> u16 {
    let ask = async || client::ask(&mut client::connect(admin).await, "POST", "/reload", &[]).await;
    runtime().block_on(ask()).status.as_u16()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Something that is always full.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[test]
fn an_edge_goes_on_when_nobody_reads_its_log_any_more() {
    let (_edge, log, admin, listens) = edge(&[]);
    drop(log);
    for _ in 0..3 {
        assert_eq!(reload(admin), 200);
    }
    assert_eq!(runtime().block_on(client::get(listens, "/", &[])).status, 504, "it answers for its upstream");
    // Its lines are written by a thread of their own, which finds out that nobody reads after the answers are on their way.
    while lost(admin) < 3.0 {}
}

/// An edge whose log is full: nobody reads it, and each line is as long as the word that a reload refuses.
fn stuck(folder: &Path) -> (Edge, Log, SocketAddr, SocketAddr) {
    let config = folder.join("edge.toml");
    std::fs::write(&config, "").unwrap();
    let started = edge(&["--config", config.to_str().unwrap()]);
    std::fs::write(&config, format!("[log]\nlog = \"{}\"\n", "x".repeat(60_000))).unwrap();
    while lost(started.2) == 0.0 {
        assert_ne!(reload(started.2), 200);
    }
    std::fs::write(&config, "").unwrap();
    started
}

fn lost(admin: SocketAddr) -> f64 {
    metric(admin, "airclass_log_lines_lost_total")
}

/// A thread that logged waited for the reader, the cores and the one that hears signals among them.
#[test]
fn an_edge_goes_on_when_whoever_reads_its_log_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let (mut edge, mut log, admin, listens) = stuck(folder.path());
    assert_eq!(runtime().block_on(client::get(listens, "/", &[])).status, 504, "it answers");
    // Somebody reads again: what was said before, how much is missing, and what is said now.
    let told = log.said("log lines before this one are lost: nobody took them");
    assert_eq!(told["lines"].as_f64(), Some(lost(admin)));
    assert_eq!(reload(admin), 200);
    log.said("reload: nothing has changed");
    terminate(&edge);
    log.said("stopped");
    assert!(edge.0.wait().unwrap().success());
}

/// The end of the process waits for the last lines, but not for ever.
#[test]
fn an_edge_whose_log_stands_still_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (mut edge, _log, ..) = stuck(folder.path());
    terminate(&edge);
    assert!(edge.0.wait().unwrap().success());
}

fn terminate(edge: &Edge) {
    let sent = Command::new("kill").args(["-TERM", &edge.0.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_command_whose_output_nobody_takes_does_not_panic() {
    // As `| head` leaves it.
    let (reader, gone) = std::io::pipe().unwrap();
    drop(reader);
    let doctor = |stdout: Stdio, stderr: Stdio| {
        let mut command = Command::new(program("airclass"));
        command.args(["node", "doctor", "--edge", "127.0.0.1:1"]).stdout(stdout).stderr(stderr);
        command.status().unwrap().code()
    };
    // 1 is its word on this machine, which has no edge.
    assert_eq!(doctor(gone.try_clone().unwrap().into(), gone.into()), Some(1));
    assert_eq!(doctor(full().into(), full().into()), Some(1));
    // Where something is lost that somebody wants, success would be a lie.
    let code = |stdout: Stdio| {
        let command =
            Command::new(program("airclass")).args(["coverage", "code"]).stdout(stdout).output().unwrap();
        (command.status.code(), String::from_utf8(command.stderr).unwrap())
    };
    let (status, said) = code(full().into());
    assert!(status == Some(1) && said.starts_with("OUTPUT_LOST: "), "{status:?} {said}");
    assert_eq!(code(Stdio::null()).0, Some(0));
}
