//! Listening sockets of either kind, and what is set on them.

use crate::options::{Address, Listener, Tuning};
use faults::Fault;
use rustix::fs::{Access, access};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;

/// Connections the kernel completes before we accept them. The bell brings thousands in a second; the kernel
/// lowers this to net.core.somaxconn.
const BACKLOG: i32 = 16_384;

/// Rights of a unix socket when nothing is said: its owner and group.
const MODE: u32 = 0o660;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The system does not give it.
    #[error("cannot listen on {address}: {source}; choose another address or stop what holds it")]
    Address {
        /// As configured.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// The system does not give it over UDP, where nobody looks who knows of HTTP alone.
    #[error(
        "cannot listen on {address} over UDP for HTTP/3: {source}; choose another address, leave `http3` out or stop what holds it"
    )]
    Datagrams {
        /// As it is over TCP.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The kernel does not have what is asked of it for this listener.
    #[error("`{key}` of listener {address}: {source}; {advice}")]
    Tuning {
        /// As configured.
        address: Address,
        /// The option.
        key: &'static str,
        /// What the system said.
        source: io::Error,
        /// What to do.
        advice: String,
    },
}

/// The code where somebody else has the address, the admin listener's among them.
pub(super) const TAKEN: &str = "LISTEN_TAKEN";

impl Fault for ListenError {
    fn code(&self) -> &'static str {
        match self {
            Self::Tuning { .. } => "LISTEN_TUNING",
            Self::Address { source, .. } | Self::Datagrams { source, .. } => match source.kind() {
                io::ErrorKind::AddrInUse => TAKEN,
                io::ErrorKind::PermissionDenied => "LISTEN_FORBIDDEN",
                _ => "LISTEN_FAILED",
            },
        }
    }
}

/// A listening socket.
#[derive(Debug)]
pub(crate) enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listening {
    /// A socket that somebody else has opened for `address`, set as `listener` wants it.
    pub(super) fn adopt(socket: OwnedFd, listener: &Listener) -> Result<Self, ListenError> {
        let fail = |source| ListenError::Address { address: listener.address.clone(), source };
        SockRef::from(&socket).set_nonblocking(true).map_err(fail)?;
        let listening = match &listener.address {
            Address::Tcp(_) => Self::Tcp(socket.into()),
            Address::Unix(path) => {
                // Where nothing is said of it, it is what the service manager has made it.
                if let Some(mode) = listener.mode {
                    set_mode(path, mode).map_err(|source| ListenError::Tuning {
                        address: listener.address.clone(),
                        key: "mode",
                        source,
                        advice: "leave it out, or start as the owner of the socket".to_owned(),
                    })?;
                }
                Self::Unix(socket.into())
            }
        };
        listening.forget();
        listening.tune(listener)?;
        Ok(listening)
    }

    /// Takes back what the process before this one may have set, and [`Listening::tune`] sets only where it is wanted. A
    /// kernel that has none of it has nothing to take back.
    fn forget(&self) {
        let Self::Tcp(socket) = self else { return };
        let _ = set_pacing(socket.as_fd(), u64::MAX);
        if let Ok(usual) = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control") {
            let _ = SockRef::from(socket).set_tcp_congestion(usual.trim().as_bytes());
        }
    }

    /// Another handle on the same socket.
    pub(crate) fn again(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(socket) => socket.try_clone().map(Self::Tcp),
            Self::Unix(socket) => socket.try_clone().map(Self::Unix),
        }
    }

    /// Its port, resolved; a unix socket has none.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(socket) => socket.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    /// What is set here every accepted connection inherits, so that accepting costs no further system call.
    fn tune(&self, listener: &Listener) -> Result<(), ListenError> {
        let Listener { address, tuning: Tuning { congestion, pacing, send_buffer, .. }, .. } = listener;
        let failed =
            |key, source, advice| ListenError::Tuning { address: address.clone(), key, source, advice };
        if let Some(name) = congestion {
            let socket = SockRef::from(self);
            socket.set_tcp_congestion(name.as_bytes()).map_err(|source| {
                failed("congestion", source, format!("this kernel has {}", known_congestion()))
            })?;
        }
        if let Self::Tcp(socket) = self {
            SockRef::from(socket)
                .set_tcp_notsent_lowat(*send_buffer)
                .map_err(|source| failed("send_buffer", source, "this kernel does not have it".to_owned()))?;
        }
        if let Some(rate) = *pacing {
            set_pacing(self.as_fd(), rate)
                .map_err(|source| failed("pacing", source, "leave it out on this kernel".to_owned()))?;
        }
        Ok(())
    }
}

impl AsFd for Listening {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
        }
    }
}

/// What can be named without loading a module.
fn known_congestion() -> String {
    let known = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control");
    known.map_or_else(|_| "no list of them".to_owned(), |names| names.trim().to_owned())
}

/// SO_MAX_PACING_RATE in its 64-bit form, which socket2 does not know.
fn set_pacing(socket: BorrowedFd<'_>, bytes_a_second: u64) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<u64>()).map_err(io::Error::other)?;
    #[expect(unsafe_code, reason = "no library that we have sets this option")]
    // SAFETY: the descriptor is open for as long as it is borrowed, and the value lives and is as long as is said.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MAX_PACING_RATE,
            (&raw const bytes_a_second).cast(),
            length,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Opens the sockets of one listener: one for each core over TCP, among which the kernel spreads connections, and one
/// over unix.
///
/// A first bind without SO_REUSEPORT finds out whether somebody else holds the address: with the option two
/// edges of one user would share a port without a word, each getting half the students.
pub(super) fn open(listener: &Listener, cores: usize) -> Result<Vec<Listening>, ListenError> {
    let fail = |source| ListenError::Address { address: listener.address.clone(), source };
    let sockets = match &listener.address {
        Address::Tcp(address) => {
            let probe = tcp(*address).map_err(fail)?;
            probe.bind(&(*address).into()).map_err(fail)?;
            probe.listen(1).map_err(fail)?;
            let address = probe.local_addr().map_err(fail)?.as_socket().unwrap_or(*address);
            drop(probe);
            (0..cores).map(|_| bind_shared(address)).collect::<io::Result<Vec<_>>>().map_err(fail)?
        }
        Address::Unix(path) => vec![bind_unix(path, listener.mode.unwrap_or(MODE)).map_err(fail)?],
    };
    for socket in &sockets {
        socket.tune(listener)?;
    }
    Ok(sockets)
}

/// What [`open`] would refuse of `listener` however free its address is. Opens nothing that anybody could connect to.
pub(super) fn check(listener: &Listener) -> Result<(), ListenError> {
    let fail = |source| ListenError::Address { address: listener.address.clone(), source };
    match &listener.address {
        // Of a family that the kernel has, and set as it will be.
        Address::Tcp(address) => Listening::Tcp(tcp(*address).map_err(fail)?.into()).tune(listener),
        Address::Unix(path) => may_stand(path).map_err(fail),
    }
}

/// Whether a unix socket could be made at `path`, or one is there.
pub(crate) fn may_stand(path: &Path) -> io::Result<()> {
    std::os::unix::net::SocketAddr::from_pathname(path)?;
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => Ok(()),
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = std::path::absolute(path)?;
            let folder = path.parent().unwrap_or(Path::new("/"));
            if !folder.metadata()?.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
        }
        Err(error) => Err(error),
    }
}

fn bind_shared(address: SocketAddr) -> io::Result<Listening> {
    let socket = tcp(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(Listening::Tcp(socket.into()))
}

fn tcp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]` and `0.0.0.0` are two listeners, each configured, each counted.
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

fn bind_unix(path: &Path, mode: u32) -> io::Result<Listening> {
    remove_stale(path)?;
    let listener = UnixListener::bind(path)?;
    set_mode(path, mode)?;
    listener.set_nonblocking(true)?;
    Ok(Listening::Unix(listener))
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Takes away the socket of a process that is gone. One that is listened on is somebody's, and any other file is none of ours. Never
/// waits: somebody who stands still with a full backlog is somebody, too.
pub(crate) fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if !metadata.file_type().is_socket() => Err(io::ErrorKind::AlreadyExists.into()),
        Ok(_) => match knock(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
            // There is no room in the backlog, of which only a socket that is listened on has one.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::AddrInUse.into()),
            Err(error) => Err(error),
            Ok(()) => Err(io::ErrorKind::AddrInUse.into()),
        },
    }
}

/// Connects to see whether that can be done, and not a moment longer.
fn knock(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(text: &str) -> Listener {
        Listener::resolve(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_taken_address_is_refused_even_from_ourselves() {
        let first = open(&listener("address = \"127.0.0.1:0\""), 2).unwrap();
        let address = first[0].address().unwrap();
        assert_eq!(first[1].address().unwrap(), address);
        let error = open(&Listener::plain(address, false), 1).unwrap_err();
        assert_eq!(error.code(), "LISTEN_TAKEN");
    }

    /// A start ended with "Invalid argument" and no word about which.
    #[test]
    fn an_ipv4_address_that_is_written_as_one_of_ipv6_is_listened_on() {
        let opened = open(&listener("address = \"[::ffff:127.0.0.1]:0\""), 1).unwrap();
        let address = opened[0].address().unwrap();
        assert!(address.is_ipv4(), "{address}");
        std::net::TcpStream::connect(address).unwrap();
    }

    #[test]
    fn a_unix_socket_is_taken_or_stale() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.sock");
        let wanted = listener(&format!("address = \"unix:{}\", mode = \"0600\"", path.display()));
        let first = open(&wanted, 2).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(open(&wanted, 1).unwrap_err().code(), "LISTEN_TAKEN");
        drop(first);
        // The file is still there, and nobody behind it.
        drop(open(&wanted, 1).unwrap());
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "somebody's").unwrap();
        assert_eq!(open(&wanted, 1).unwrap_err().code(), "LISTEN_FAILED");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's");
    }

    /// A start waited for ever where the one who listens stands still and its backlog is full.
    #[test]
    fn who_stands_still_behind_a_full_backlog_is_somebody_and_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.sock");
        let listening = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listening.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        listening.listen(0).unwrap();
        let waiting: Vec<_> = std::iter::repeat_with(|| {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            let result = socket.connect(&SockAddr::unix(&path).unwrap());
            (socket, result)
        })
        .take_while(|(_, result)| result.is_ok())
        .collect();
        assert!(!waiting.is_empty());
        let (told, tells) = std::sync::mpsc::sync_channel(1);
        std::thread::spawn(move || told.send((remove_stale(&path).unwrap_err().kind(), path)));
        let (kind, path) = tells.recv_timeout(std::time::Duration::from_secs(60)).expect("it does not wait");
        assert_eq!(kind, io::ErrorKind::AddrInUse);
        assert!(path.exists());
    }

    #[test]
    fn connections_inherit_what_is_set_on_their_listener() {
        let wanted = listener(r#"address = "127.0.0.1:0", congestion = "reno", pacing = "8Mbit/s""#);
        let sockets = open(&wanted, 1).unwrap();
        let Listening::Tcp(socket) = &sockets[0] else { unreachable!("it is TCP") };
        socket.set_nonblocking(false).unwrap();
        let client = std::net::TcpStream::connect(socket.local_addr().unwrap()).unwrap();
        let (accepted, _) = socket.accept().unwrap();
        let name = SockRef::from(&accepted).tcp_congestion().unwrap();
        assert!(name.starts_with(b"reno\0") || name == b"reno", "{name:?}");
        assert_eq!(SockRef::from(&accepted).tcp_notsent_lowat().unwrap(), wanted.tuning.send_buffer);
        drop(client);
    }

    /// What can be sent a second at most.
    fn pacing(socket: &Listening) -> u64 {
        let mut rate = 0_u64;
        let mut length = libc::socklen_t::try_from(size_of::<u64>()).unwrap();
        #[expect(unsafe_code, reason = "no library that we have reads this option")]
        // SAFETY: the descriptor is open, and the value and its length live and are as long as is said.
        let result = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_MAX_PACING_RATE,
                (&raw mut rate).cast(),
                &raw mut length,
            )
        };
        assert_eq!(result, 0);
        rate
    }

    #[test]
    fn a_socket_that_is_taken_over_is_what_the_configuration_says_now() {
        let tuned = listener(r#"address = "127.0.0.1:0", congestion = "reno", pacing = "8Mbit/s""#);
        let before = open(&tuned, 1).unwrap().remove(0);
        let congestion = |socket: &Listening| SockRef::from(socket).tcp_congestion().unwrap();
        let usual = congestion(&open(&listener(r#"address = "127.0.0.1:0""#), 1).unwrap()[0]);
        assert_eq!(pacing(&before), 1_000_000);
        let adopt = |socket: &Listening, listener| {
            Listening::adopt(socket.as_fd().try_clone_to_owned().unwrap(), &listener).unwrap()
        };
        let plain = adopt(&before, listener(r#"address = "127.0.0.1:0""#));
        assert_eq!((pacing(&plain), congestion(&plain)), (u64::MAX, usual));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.sock");
        let unix = |more: &str| listener(&format!("address = \"unix:{}\"{more}", path.display()));
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let before = open(&unix(""), 1).unwrap().remove(0);
        assert_eq!(mode(), MODE);
        for (more, expected) in [(", mode = \"0666\"", 0o666), ("", 0o666), (", mode = \"0600\"", 0o600)] {
            adopt(&before, unix(more));
            assert_eq!(mode(), expected, "{more}");
        }
    }

    #[test]
    fn a_congestion_control_that_the_kernel_lacks_is_refused_by_name() {
        let wanted = listener(r#"address = "127.0.0.1:0", congestion = "telepathy""#);
        let error = open(&wanted, 1).unwrap_err();
        assert_eq!(error.code(), "LISTEN_TUNING");
        assert!(error.to_string().contains("reno"), "{error}");
    }
}
