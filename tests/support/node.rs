//! Programs of Node: a server that says where it listens, and one that runs to its end.

use crate::process::Finished;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running script; killed when this is dropped.
#[derive(Debug)]
pub struct Script {
    child: Child,
    address: SocketAddr,
}

impl Script {
    /// Starts `script` in an environment and waits for the line that begins with `listening` and ends with its URL.
    ///
    /// # Panics
    /// When it is not installed, or ends without that line.
    pub fn start(script: &Path, environment: &[(&str, &str)], listening: &str) -> Self {
        assert!(script.is_file(), "{} is not there; scripts/setup installs it", script.display());
        let mut child = Command::new("node")
            .arg(script)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let url = lines
            .find_map(|line| {
                line.strip_prefix(listening).map(|url| url.trim().trim_end_matches('/').to_owned())
            })
            .expect("the script says where it listens");
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a URL with a port");
        // What it says later must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: (Ipv4Addr::LOCALHOST, port).into() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a script to its end, with more variables.
///
/// # Panics
/// When node is not there.
pub fn run_with(script: &Path, environment: &[(&str, String)]) -> Finished {
    let environment = environment.iter().map(|(name, value)| (name, value));
    let output = Command::new("node").arg(script).envs(environment).stdin(Stdio::null()).output();
    Finished::of(output.expect("node runs"))
}

/// Runs a script to its end.
///
/// # Panics
/// When node is not there.
pub fn run(script: &Path, arguments: &[&str]) -> Finished {
    let output = Command::new("node").arg(script).args(arguments).stdin(Stdio::null()).output();
    Finished::of(output.expect("node runs"))
}
