//! Words between two processes of one user, each with a descriptor or without (unix(7), SOCK_SEQPACKET, SCM_RIGHTS).

use crate::listener::remove_stale;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen as start_listening, recvmsg, sendmsg, socket_with,
};
use std::io::{self, IoSlice, IoSliceMut, PipeReader, Read};
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

/// Whether an error of accepting goes by: the kernel is out of something, or who came has gone.
pub(super) fn is_passing(error: &io::Error) -> bool {
    let passing = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::CONNABORTED];
    Errno::from_io_error(error).is_some_and(|errno| passing.contains(&errno))
}

/// Whether nobody holds the other end of `pipe` any more, by then at the latest.
pub(super) fn hangs_up_within(pipe: &OwnedFd, limit: Duration) -> bool {
    // Nothing is ever written: only an end is heard of.
    let mut ends = [PollFd::new(pipe, PollFlags::empty())];
    let limit = Timespec::try_from(limit).ok();
    retry_on_intr(|| poll(&mut ends, limit.as_ref())).is_ok_and(|count| count > 0)
}

/// Waits until nobody holds the other end of `pipe` any more, or something is said; whether nothing was.
pub(super) fn is_silent_to_its_end(mut pipe: PipeReader) -> bool {
    let mut byte = [0];
    loop {
        match pipe.read(&mut byte) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.is_ok_and(|length| length == 0),
        }
    }
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
    /// `None` when nobody listens at `path`. Where others wait there already, it is waited no longer than `within` for room.
    pub(super) fn connect(path: &Path, within: Duration) -> io::Result<Option<Self>> {
        let socket = new()?;
        set_socket_timeout(&socket, Timeout::Send, Some(within))?;
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
        let socket = retry_on_intr(|| accept_with(listening, SocketFlags::CLOEXEC))?;
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
        retry_on_intr(|| sendmsg(self.0.as_fd(), &word, &mut control, SendFlags::NOSIGNAL))?;
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
        // With a time-out it does not go on by itself behind a signal, or where somebody had stopped the process (signal(7)).
        let got = retry_on_intr(|| {
            recvmsg(self.0.as_fd(), &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)
        })?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::thread::JoinHandleExt;
    use tokio::signal::unix::{SignalKind, signal};

    /// Nobody could take over ever again from a process that was out of descriptors for a moment: where it is, the kernel says so
    /// before it takes who waits out of the backlog.
    #[test]
    fn what_goes_by_is_told_from_what_stays() {
        for (errno, passes) in [
            (Errno::MFILE, true),
            (Errno::NFILE, true),
            (Errno::NOMEM, true),
            (Errno::CONNABORTED, true),
            (Errno::INVAL, false),
            (Errno::BADF, false),
        ] {
            assert_eq!(is_passing(&errno.into()), passes, "{errno}");
        }
    }

    /// There was no end to it where a process that stands still had a full backlog.
    #[test]
    fn room_in_the_backlog_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.handover");
        let _listening = listen(&path).unwrap();
        let asked: io::Result<Vec<_>> =
            (0..BACKLOG + 2).map(|_| Packets::connect(&path, Duration::from_millis(10))).collect();
        assert_eq!(asked.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    /// A handover ended where a signal came to the thread that waited for a word.
    #[tokio::test]
    async fn a_signal_ends_no_conversation() {
        let _heard = signal(SignalKind::user_defined1()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.handover");
        let listening = listen(&path).unwrap();
        let waits = std::thread::spawn(move || {
            let packets = Packets::connect(&path, Duration::from_secs(60)).unwrap().unwrap();
            packets.set_timeout(Duration::from_secs(60)).unwrap();
            packets.receive().map(|packet| packet.word)
        });
        let packets = Packets::accept(&listening).unwrap();
        // Many, since nobody knows when it has begun to wait.
        for _ in 0..1_000 {
            #[expect(unsafe_code, reason = "no library that we have sends a signal to a thread")]
            // SAFETY: the thread has not been joined.
            let sent = unsafe { libc::pthread_kill(waits.as_pthread_t(), libc::SIGUSR1) };
            assert_eq!(sent, 0);
            std::thread::yield_now();
        }
        packets.send("end", None).unwrap();
        assert_eq!(waits.join().unwrap().unwrap(), "end");
    }
}
