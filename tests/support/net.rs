//! Networks of their own: with a line to this machine, where a node stands in a room of its own; and without one, where a browser
//! sees no line come or go.

use crate::process::Finished;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Looks for the namespace. A bound, not a pace.
const LOOKS: u32 = 6_000;
const LOOK: Duration = Duration::from_millis(20);
/// Networks that one process may have at once.
const MOST: u32 = 4;

/// Who holds a namespace of its own; the namespace ends with it and with whoever runs in there.
#[derive(Debug)]
struct Holder(Child);

impl Holder {
    /// # Panics
    /// Where there can be none: no root, no namespaces.
    fn new() -> Self {
        let holder = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("util-linux is there");
        let holder = Self(holder);
        let (own, its) = (Path::new("/proc/self/ns/net"), holder.namespace());
        // The holder is in it once it is no longer in ours.
        let apart = (0..LOOKS).any(|_| {
            std::thread::park_timeout(LOOK);
            its.read_link().is_ok_and(|there| own.read_link().ok() != Some(there))
        });
        assert!(apart, "network namespaces are not to be had");
        holder
    }

    fn namespace(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.0.id()).into()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Takes this thread, and what it starts from now on, to a network that nobody changes, for as long as the process lives.
///
/// Chromium breaks off what it loads when a line or an address comes or goes (`ERR_NETWORK_CHANGED`), and other tests lay lines on
/// this machine. A line that leads nowhere is there, because without any a page is told that it is offline.
///
/// # Panics
/// Where there can be none: no root, no namespaces.
pub fn apart() {
    // It may go when the thread is in: the network is there as long as anybody is.
    let holder = Holder::new();
    let network = File::open(holder.namespace()).expect("the holder lives");
    move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).expect("root may go there");
    for words in [
        &["link", "set", "lo", "up"][..],
        &["link", "add", "eth0", "type", "veth", "peer", "name", "far"],
        // No address comes by itself, seconds later.
        &["link", "set", "eth0", "addrgenmode", "none"],
        &["link", "set", "far", "addrgenmode", "none"],
        &["address", "add", "198.19.0.1/30", "dev", "eth0"],
        &["link", "set", "far", "up"],
        &["link", "set", "eth0", "up"],
    ] {
        run("ip", words);
    }
}

/// The network; it ends when this is dropped, and what runs in it with its own handle.
#[derive(Debug)]
pub struct Net {
    holder: Holder,
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
        let net = Self { holder: Holder::new(), link: format!("acn{id}-{number}"), address, ours };
        net.connect();
        net
    }

    fn connect(&self) {
        let pid = self.holder.0.id().to_string();
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
        ["nsenter".to_owned(), format!("--net={}", self.holder.namespace().display())]
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        // It goes with the namespace, when the last process in there is gone; so that it is gone at once:
        let _ = Command::new("ip").args(["link", "delete", &self.link]).stderr(Stdio::null()).status();
    }
}

fn run(program: &str, words: &[&str]) {
    let done = Finished::of(Command::new(program).args(words).output().expect("the program is there"));
    assert_eq!(done.code(), Some(0), "{program} {words:?}: {}", done.stderr);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_this_machine_comes_into_a_network_apart() {
        let lines = || {
            let told = Command::new("ip").args(["-brief", "link"]).output().expect("ip is there");
            let told = String::from_utf8(told.stdout).expect("names are ASCII");
            let mut names: Vec<String> =
                told.lines().filter_map(|line| line.split(['@', ' ']).next()).map(str::to_owned).collect();
            names.sort_unstable();
            names
        };
        let (met, meets) = std::sync::mpsc::sync_channel(0);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                apart();
                met.send(()).expect("the test waits");
                met.send(()).expect("the test waits");
                assert_eq!(lines(), ["eth0", "far", "lo"]);
            });
            meets.recv().expect("it is apart");
            let _new = Net::new(0);
            meets.recv().expect("a line came here");
        });
    }
}
