//! The built programs as processes.

use crate::net::Net;
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The longest wait for a program to start or stop. A bound, not a pace: programs say when they are ready.
const PATIENCE: Duration = Duration::from_secs(180);
/// Log lines between a program and the test that waits for one.
const LINES: usize = 1_024;

/// A path beside the built programs.
pub fn beside_tests(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a running test has a path");
    let folder = tests.ancestors().nth(2).expect("tests lie in target/<profile>/deps");
    folder.join(name)
}

/// Where a built program lies: beside the tests' own folder.
pub fn program(name: &str) -> PathBuf {
    let path = beside_tests(name);
    assert!(path.is_file(), "{} is not built; `cargo build --workspace --bins` first", path.display());
    path
}

/// What a program that ended said.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    pub(crate) fn of(output: std::process::Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The status as a number.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

/// Runs `airclass` to its end.
pub fn airclass(arguments: &[&str]) -> Finished {
    finish(Command::new(program("airclass")).args(arguments))
}

/// Variables for a program.
pub type Environment = [(&'static str, String)];

/// Runs the built program `name` to its end, with more variables.
pub fn run_in(environment: &Environment, name: &str, arguments: &[&str]) -> Finished {
    finish(Command::new(program(name)).args(arguments).envs(environment.iter().cloned()))
}

/// Runs `airclass-ingest` to its end.
pub fn ingest(arguments: &[&str]) -> Finished {
    finish(Command::new(program("airclass-ingest")).args(arguments))
}

fn finish(command: &mut Command) -> Finished {
    Finished::of(command.stdin(Stdio::null()).output().expect("a built program runs"))
}

/// A running `airclass origin` or `airclass edge`.
#[derive(Debug)]
pub struct Airclass {
    child: Child,
    /// Plain addresses, then TLS addresses.
    pub addresses: Vec<SocketAddr>,
    /// Metrics and readiness.
    pub admin: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Airclass {
    /// Starts the program with `arguments`, waits until it listens.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_in(&[], arguments)
    }

    /// The same with more variables.
    pub fn start_in(environment: &Environment, arguments: &[&str]) -> Self {
        let mut command = Command::new(program("airclass"));
        command.args(arguments).envs(environment.iter().cloned());
        Self::up(command, Ipv4Addr::LOCALHOST, arguments)
    }

    /// The same in a network of its own, where there is one.
    pub fn start_within(net: Option<&Net>, arguments: &[&str]) -> Self {
        let Some(net) = net else { return Self::start(arguments) };
        let [enter, there] = net.inside();
        let mut command = Command::new(enter);
        command.arg(there).arg(program("airclass")).args(arguments);
        Self::up(command, net.address, arguments)
    }

    /// The same by a program that ends in it: `words` and then what is to be run.
    pub fn start_through(words: &[&str], arguments: &[&str]) -> Self {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(program("airclass")).args(arguments);
        Self::up(command, Ipv4Addr::LOCALHOST, arguments)
    }

    fn up(mut command: Command, admin: Ipv4Addr, arguments: &[&str]) -> Self {
        let mut child = command
            .args(["--admin", &format!("{admin}:0"), "--log-format", "json"])
            // As tests ask everybody.
            .args(["--admin-host", "lessons.example", "--admin-host", "a"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a built program starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = follow(&mut child, &log);
        let (mut addresses, mut admin) = (None, None);
        while addresses.is_none() || admin.is_none() {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                    let fields = &line["fields"];
                    match fields["message"].as_str() {
                        Some("listening") => addresses = fields["listen"].as_str().map(parse_all),
                        Some("admin listening") => {
                            admin = fields["address"].as_str().map(|text| parse_all(text)[0])
                        }
                        _ => {}
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("{arguments:?} does not come up: {log:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("{arguments:?} ended at once: {log:?}"),
            }
        }
        let (Some(addresses), Some(admin)) = (addresses, admin) else {
            unreachable!("the loop waits for both")
        };
        Self { child, addresses, admin, log }
    }

    /// An origin over a store in `folder`.
    pub fn origin(folder: &std::path::Path) -> Self {
        let folder = folder.to_str().expect("scratch folders have plain names");
        Self::start(&["origin", "--store", folder, "--listen", "127.0.0.1:0"])
    }

    /// An edge before `upstream`.
    pub fn edge(upstream: SocketAddr, more: &[&str]) -> Self {
        let upstream = format!("http://{upstream}");
        let mut arguments = vec!["edge", "--upstream", &upstream, "--listen", "127.0.0.1:0"];
        arguments.extend(more);
        Self::start(&arguments)
    }

    /// The first address.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, as a service manager does.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends it a signal, at once: to start a program for that may take a busy machine longer than what the signal is for.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a child that nobody has waited for");
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.child.id());
        std::fs::read_dir(folder).expect("a running child has descriptors").count()
    }

    /// Lets it have no more than `most` from now on.
    pub fn limit_descriptors(&self, most: usize) {
        let (pid, limit) = (self.child.id().to_string(), format!("--nofile={most}:"));
        let set = Command::new("prlimit").args(["--pid", &pid, &limit]).status().expect("prlimit runs");
        assert!(set.success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("a child can be waited for")
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        self.log.lock().expect("nobody panics with the log").join("\n")
    }
}

impl Drop for Airclass {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many descriptors this process and those it starts may have, from now on: as many as it may allow itself.
pub fn most_descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("a line for it");
    let mut both = line.split_whitespace();
    let (soft, hard) = (both.next().expect("the soft limit"), both.next().expect("the hard limit"));
    let (pid, raised) = (std::process::id().to_string(), format!("--nofile={hard}:"));
    let set = Command::new("prlimit").args(["--pid", &pid, &raised]).status().expect("prlimit runs");
    (if set.success() { hard } else { soft }).parse().unwrap_or(usize::MAX)
}

/// What a program says of itself: the value behind `name`, which is given with its labels.
pub fn metric(admin: SocketAddr, name: &str) -> f64 {
    let ask = b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let text = crate::raw::exchange_only(admin, ask);
    let text = String::from_utf8_lossy(&text);
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .trim()
        .parse()
        .expect("a metric's value")
}

/// Keeps what the child logs, and passes on its first lines.
fn follow(child: &mut Child, log: &Arc<Mutex<Vec<String>>>) -> Receiver<String> {
    let stderr = child.stderr.take().expect("standard error is piped");
    let (sender, lines) = sync_channel(LINES);
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            log.lock().expect("nobody panics with the log").push(line.clone());
            // Once nobody waits, lines are only kept.
            let _ = sender.try_send(line);
        }
    });
    lines
}

fn parse_all(text: &str) -> Vec<SocketAddr> {
    text.split(',')
        .filter(|address| !address.starts_with("unix:"))
        .map(|address| address.parse().expect("a logged address"))
        .collect()
}
