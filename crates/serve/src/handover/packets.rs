//! Words between two processes of one user, each with a descriptor or without (unix(7), SOCK_SEQPACKET, SCM_RIGHTS).

use crate::listener::remove_stale;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen as start_listening, recvmsg, sendmsg, socket_with,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// Longest word: an address.
const MAX_WORD: usize = 256;
/// Successors that wait; there is one.
const BACKLOG: i32 = 4;

/// One end of the conversation.
#[derive(Debug)]
pub(super) struct Packets(OwnedFd);

/// Whether the other process has closed the conversation.
pub(super) fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

/// Whether nobody holds the other end of `pipe` any more, by then at the latest.
pub(super) fn hangs_up_within(pipe: &OwnedFd, limit: Duration) -> bool {
    // Nothing is ever written: only an end is heard of.
    let mut ends = [PollFd::new(pipe, PollFlags::empty())];
    let limit = Timespec::try_from(limit).ok();
    rustix::io::retry_on_intr(|| poll(&mut ends, limit.as_ref())).is_ok_and(|count| count > 0)
}

/// Whether nobody waits to be accepted at `listening`.
#[cfg(test)]
pub(super) fn waits_for_nobody(listening: &OwnedFd) -> bool {
    let mut ends = [PollFd::new(listening, PollFlags::IN)];
    poll(&mut ends, Some(&Timespec::default())).unwrap() == 0
}

/// A word that came.
pub(super) struct Packet {
    pub(super) word: String,
    pub(super) socket: Option<OwnedFd>,
}

/// A socket at `path` that only this user can write to.
pub(super) fn listen(path: &Path) -> io::Result<OwnedFd> {
    remove_stale(path)?;
    let socket = new()?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    start_listening(&socket, BACKLOG)?;
    Ok(socket)
}

fn new() -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

impl Packets {
    /// `None` when nobody listens at `path`.
    pub(super) fn connect(path: &Path) -> io::Result<Option<Self>> {
        let socket = new()?;
        match connect(&socket, &SocketAddrUnix::new(path)?).map_err(io::Error::from) {
            Ok(()) => Ok(Some(Self(socket))),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits for somebody.
    ///
    /// # Errors
    /// `PermissionDenied` when it is another user's process, and neither of us is the superuser.
    pub(super) fn accept(listening: &OwnedFd) -> io::Result<Self> {
        let socket = accept_with(listening, SocketFlags::CLOEXEC)?;
        let theirs = socket_peercred(&socket)?.uid;
        let ours = rustix::process::geteuid();
        if theirs == ours || theirs.is_root() {
            Ok(Self(socket))
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    /// Longest wait for a word, and for one to be taken.
    pub(super) fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        set_socket_timeout(&self.0, Timeout::Recv, Some(timeout))?;
        Ok(set_socket_timeout(&self.0, Timeout::Send, Some(timeout))?)
    }

    pub(super) fn send(&self, word: &str, socket: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let sockets: Vec<BorrowedFd<'_>> = socket.into_iter().collect();
        if !sockets.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&sockets)) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let word = [IoSlice::new(word.as_bytes())];
        sendmsg(self.0.as_fd(), &word, &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// The next word.
    ///
    /// # Errors
    /// `UnexpectedEof` when the other process has gone.
    pub(super) fn receive(&self) -> io::Result<Packet> {
        let mut bytes = [0; MAX_WORD];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let got = recvmsg(
            self.0.as_fd(),
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )?;
        let sockets = control.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
            _ => None,
        });
        let socket = sockets.flatten().last();
        let word = &bytes[..got.bytes.min(MAX_WORD)];
        if word.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let word = std::str::from_utf8(word).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Packet { word: word.to_owned(), socket })
    }
}
