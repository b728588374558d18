//! Sockets that somebody else has opened: the service manager (`LISTEN_FDS`, systemd's socket activation), or the
//! process that ran before us ([`crate::handover`]).

use super::socket::TAKEN;
use crate::options::{Config, Listener};
use faults::Fault;
use socket2::{SockRef, Type};
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::Duration;
use tokio::time::Instant;

/// The first descriptor that a service manager passes (sd_listen_fds(3)).
const FIRST: i32 = 3;
/// More than anybody listens on: cores × addresses.
pub(crate) const MAX_SOCKETS: usize = 4_096;

/// Open sockets by the address that they listen on, as configured.
#[derive(Debug, Default)]
pub(crate) struct Inherited {
    sockets: Vec<(String, OwnedFd)>,
    /// When the process that was giving them has died; what it had is closed soon.
    giver_died: Option<Instant>,
}

/// How long a process that dies may hold an address: it closes one thing after the other, and it may have a hundred thousand.
const CLOSES_WITHIN: Duration = Duration::from_secs(5);
/// How often somebody looks whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(5);

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
        Self { sockets: sockets.collect(), giver_died: None }
    }

    pub(crate) fn add(&mut self, name: String, socket: OwnedFd) {
        self.sockets.push((name, socket));
    }

    /// Who was giving them is dying, or dead.
    pub(crate) fn giver_dies(&mut self) {
        self.giver_died = Some(Instant::now());
    }

    /// Opens what was not given. An address is taken as a rule by somebody who stays; for one who is dying it is waited.
    #[expect(clippy::disallowed_methods, reason = "the kernel tells nobody when an address is free")]
    pub(crate) fn open<T, E: Fault>(&self, mut open: impl FnMut() -> Result<T, E>) -> Result<T, E> {
        let is_dying = || self.giver_died.is_some_and(|died| died.elapsed() < CLOSES_WITHIN);
        loop {
            match open() {
                Err(error) if error.code() == TAKEN && is_dying() => {
                    std::thread::sleep(LOOK_EVERY);
                }
                opened => return opened,
            }
        }
    }

    /// Whether who has given them listens on an address that `config` names, the admin listener's among those, or has given way to
    /// somebody before and listens nowhere.
    pub(crate) fn serves(&self, config: &Config) -> bool {
        let named = |wanted: &str| self.sockets.iter().any(|(name, _)| name == wanted);
        let listens = |(name, _): &(String, OwnedFd)| name != LINK && !is_of_datagrams(name);
        let is_admin = |(name, socket): &(String, OwnedFd)| {
            let address = SockRef::from(socket).local_addr().ok().and_then(|address| address.as_socket());
            name == ADMIN && address == Some(config.admin)
        };
        (0..config.listeners.len()).any(|number| named(&name(&config.listeners, number)))
            || self.sockets.iter().any(is_admin)
            || !self.sockets.iter().any(listens)
    }

    /// All sockets of the listener `number`.
    pub(super) fn take(&mut self, listeners: &[Listener], number: usize) -> Vec<OwnedFd> {
        self.take_named(&name(listeners, number))
    }

    pub(crate) fn take_named(&mut self, wanted: &str) -> Vec<OwnedFd> {
        let sockets = std::mem::take(&mut self.sockets);
        let (taken, left): (Vec<_>, Vec<_>) = sockets.into_iter().partition(|(name, _)| name == wanted);
        self.sockets = left;
        taken.into_iter().map(|(_, socket)| socket).collect()
    }

    /// The first socket whose name begins so, and the rest of its name.
    pub(crate) fn take_beginning(&mut self, prefix: &str) -> Option<(String, OwnedFd)> {
        let at = self.sockets.iter().position(|(name, _)| name.starts_with(prefix))?;
        let (name, socket) = self.sockets.remove(at);
        Some((name[prefix.len()..].to_owned(), socket))
    }

    /// The addresses that nobody has asked for. They are no longer listened on.
    pub(crate) fn left(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.sockets.iter().map(|(name, _)| name.as_str()).collect();
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
/// Whether what is called so is not listened on by whoever holds it: a UDP socket, from which a process sends to its clients to the
/// end, or what says whose the packets are.
pub(crate) fn is_of_datagrams(name: &str) -> bool {
    name.starts_with(UDP) || name.starts_with(MAIL)
}
/// What the socket is called by which both processes tell each other what concerns both.
pub(crate) const LINK: &str = "link";
/// What the admin listener's socket is called in a handover.
pub(crate) const ADMIN: &str = "admin";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::socket;
    use std::cell::RefCell;

    #[test]
    fn the_address_of_one_who_is_dying_is_waited_for_and_nobody_elses() {
        let free = Listener::plain("127.0.0.1:0".parse().unwrap(), false);
        let theirs = socket::open(&free, 1).unwrap();
        let wanted = Listener::plain(theirs[0].address().unwrap(), false);
        let (theirs, tries) = (RefCell::new(theirs), RefCell::new(0));
        let open = || {
            *tries.borrow_mut() += 1;
            if *tries.borrow() > 3 {
                theirs.borrow_mut().clear();
            }
            socket::open(&wanted, 1)
        };
        let mut inherited = Inherited::default();
        assert_eq!(inherited.open(open).unwrap_err().code(), TAKEN);
        assert_eq!(*tries.borrow(), 1, "somebody else's is not waited for");
        inherited.giver_dies();
        inherited.open(open).unwrap();
        assert_eq!(*tries.borrow(), 4);
    }
}
