//! Sockets that somebody else has opened: the service manager (`LISTEN_FDS`, systemd's socket activation), or the
//! process that ran before us ([`crate::handover`]).

use crate::options::Listener;
use socket2::{SockRef, Type};
use std::os::fd::{FromRawFd, OwnedFd};

/// The first descriptor that a service manager passes (sd_listen_fds(3)).
const FIRST: i32 = 3;
/// More than anybody listens on: cores × addresses.
pub(crate) const MAX_SOCKETS: usize = 4_096;

/// Open sockets by the address that they listen on, as configured.
#[derive(Debug, Default)]
pub(crate) struct Inherited(Vec<(String, OwnedFd)>);

impl Inherited {
    /// What the service manager has passed to this process; nothing as a rule.
    pub(crate) fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok();
        let ours = variable("LISTEN_PID").and_then(|pid| pid.parse().ok()) == Some(std::process::id());
        let count = variable("LISTEN_FDS").and_then(|count| count.parse::<usize>().ok()).unwrap_or(0);
        if !ours {
            return Self::default();
        }
        let descriptors = (FIRST..).take(count.min(MAX_SOCKETS));
        let sockets = descriptors.filter_map(|descriptor| {
            #[expect(unsafe_code, reason = "descriptors come as numbers from the environment")]
            // SAFETY: LISTEN_PID names this process, so these descriptors were opened for it, and this is asked once,
            // before anything else is opened.
            let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
            SockRef::from(&socket).set_cloexec(true).ok()?;
            let address = SockRef::from(&socket).local_addr().ok()?;
            let is_udp = SockRef::from(&socket).r#type().ok() == Some(Type::DGRAM);
            let name = match (address.as_socket(), address.as_pathname()) {
                (Some(address), _) if is_udp => format!("{UDP}{address}"),
                (Some(address), _) => address.to_string(),
                (None, Some(path)) => format!("unix:{}", path.display()),
                (None, None) => return None,
            };
            Some((name, socket))
        });
        Self(sockets.collect())
    }

    pub(crate) fn add(&mut self, name: String, socket: OwnedFd) {
        self.0.push((name, socket));
    }

    /// All sockets of the listener `number`.
    pub(super) fn take(&mut self, listeners: &[Listener], number: usize) -> Vec<OwnedFd> {
        self.take_named(&name(listeners, number))
    }

    pub(crate) fn take_named(&mut self, wanted: &str) -> Vec<OwnedFd> {
        let sockets = std::mem::take(&mut self.0);
        let (taken, left): (Vec<_>, Vec<_>) = sockets.into_iter().partition(|(name, _)| name == wanted);
        self.0 = left;
        taken.into_iter().map(|(_, socket)| socket).collect()
    }

    /// The first socket whose name begins so, and the rest of its name.
    pub(crate) fn take_beginning(&mut self, prefix: &str) -> Option<(String, OwnedFd)> {
        let at = self.0.iter().position(|(name, _)| name.starts_with(prefix))?;
        let (name, socket) = self.0.remove(at);
        Some((name[prefix.len()..].to_owned(), socket))
    }

    /// The addresses that nobody has asked for. They are no longer listened on.
    pub(crate) fn left(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.dedup();
        names
    }

    /// Those of them that are over UDP.
    pub(crate) fn left_datagrams(&self) -> Vec<String> {
        let left = self.left().into_iter().filter(|name| name.starts_with(UDP));
        left.map(str::to_owned).collect()
    }
}

/// What the sockets of the listener `number` are called: its address as configured. Several may have port 0, of which
/// each is another; they are counted.
pub(crate) fn name(listeners: &[Listener], number: usize) -> String {
    let (before, rest) = listeners.split_at(number);
    let Some(listener) = rest.first() else { return String::new() };
    match before.iter().filter(|other| other.address == listener.address).count() {
        0 => listener.address.to_string(),
        count => format!("{}#{count}", listener.address),
    }
}

/// What its UDP sockets are called.
pub(crate) fn name_of_datagrams(listeners: &[Listener], number: usize) -> String {
    format!("{UDP}{}", name(listeners, number))
}

const UDP: &str = "udp ";

/// What the socket for packets of the old process's QUIC connections is called in a handover; what it says of them follows.
pub(crate) const MAIL: &str = "quic ";
/// What the socket is called by which both processes tell each other what concerns both.
pub(crate) const LINK: &str = "link";
/// What the admin listener's socket is called in a handover.
pub(crate) const ADMIN: &str = "admin";
