//! A network of its own with one address, and a line to this machine: where a node stands in a room of its own.

use crate::process::Finished;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Looks for the namespace. A bound, not a pace.
const LOOKS: u32 = 6_000;
const LOOK: Duration = Duration::from_millis(20);
/// Networks that one process may have at once.
const MOST: u32 = 4;

/// The network; it ends when this is dropped, and what runs in it with its own handle.
#[derive(Debug)]
pub struct Net {
    holder: Child,
    link: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// This machine's address on the line to it.
    pub ours: Ipv4Addr,
}

impl Net {
    /// Makes network `number` of this process, below [`MOST`].
    ///
    /// # Panics
    /// Where there can be none: no root, no namespaces.
    pub fn new(number: u32) -> Self {
        assert!(number < MOST, "a process has {MOST} networks");
        let id = std::process::id();
        // The upper half of what is for trials (RFC 2544); the lower is the machines'.
        let network = 0xc613_0000 | ((id & 0x0fff) << 4) | (number << 2);
        let (ours, address) = (Ipv4Addr::from(network + 1), Ipv4Addr::from(network + 2));
        let holder = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("util-linux is there");
        let net = Self { holder, link: format!("acn{id}-{number}"), address, ours };
        net.connect();
        net
    }

    fn connect(&self) {
        let pid = self.holder.id().to_string();
        let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        let own = namespace("self");
        // The holder is in it once it is no longer in ours.
        let apart = (0..LOOKS).any(|_| {
            std::thread::park_timeout(LOOK);
            namespace(&pid).is_some_and(|there| Some(there) != own)
        });
        assert!(apart, "network namespaces are not to be had");
        let (ours, theirs) = (format!("{}/30", self.ours), format!("{}/30", self.address));
        let (gateway, link) = (self.ours.to_string(), &self.link);
        for words in [
            &["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", &pid][..],
            &["address", "add", &ours, "dev", link],
            &["link", "set", link, "up"],
        ] {
            run("ip", words);
        }
        for words in [
            &["link", "set", "lo", "up"][..],
            &["address", "add", &theirs, "dev", "eth0"],
            &["link", "set", "eth0", "up"],
            &["route", "add", "default", "via", &gateway],
        ] {
            self.ip(words);
        }
    }

    /// `ip …` within it.
    pub fn ip(&self, words: &[&str]) {
        let inside = self.inside();
        run(
            &inside[0],
            &[&inside[1..].iter().map(String::as_str).collect::<Vec<_>>()[..], &["ip"], words].concat(),
        );
    }

    /// What a command begins with that is to run within it.
    pub fn inside(&self) -> [String; 2] {
        ["nsenter".to_owned(), format!("--net=/proc/{}/ns/net", self.holder.id())]
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        // It goes with the namespace, when the last process in there is gone; so that it is gone at once:
        let _ = Command::new("ip").args(["link", "delete", &self.link]).stderr(Stdio::null()).status();
    }
}

fn run(program: &str, words: &[&str]) {
    let done = Finished::of(Command::new(program).args(words).output().expect("the program is there"));
    assert_eq!(done.code(), Some(0), "{program} {words:?}: {}", done.stderr);
}
