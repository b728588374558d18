//! What programs say, to nobody: whoever read it has gone, or its disk is full. They do their work all the same.

#![expect(clippy::unwrap_used, reason = "a test's unwrap is its assertion")]

use journeys::client;
use journeys::process::{metric, program};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// Killed when this is dropped.
struct Edge(Child);

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Something that is always full.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[test]
fn an_edge_goes_on_when_nobody_reads_its_log_any_more() {
    let child = Command::new(program("airclass"))
        .args(["edge", "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0"])
        .args(["--admin", "127.0.0.1:0", "--log-format", "json"])
        .args(["--admin-host", "lessons.example", "--admin-host", "a"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut edge = Edge(child);
    let mut lines = BufReader::new(edge.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut said = |message: &str, field: &str| -> SocketAddr {
        let mut fields = lines.by_ref().map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            line["fields"].clone()
        });
        let fields = fields.find(|fields| fields["message"] == message).unwrap();
        fields[field].as_str().unwrap().parse().unwrap()
    };
    let admin = said("admin listening", "address");
    let listens = said("listening", "listen");
    drop(lines);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Each of these is a line.
    let reload = async || client::ask(&mut client::connect(admin).await, "POST", "/reload", &[]).await;
    // It says where it listens before it listens for orders.
    while runtime.block_on(reload()).status == 409 {}
    for _ in 0..3 {
        assert_eq!(runtime.block_on(reload()).status, 200);
    }
    assert_eq!(runtime.block_on(client::get(listens, "/", &[])).status, 504, "it answers for its upstream");
    assert!(metric(admin, "airclass_log_lines_lost_total") >= 3.0);
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
