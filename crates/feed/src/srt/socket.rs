//! SRT sockets. The only place of the feed that calls C.

#![expect(unsafe_code, reason = "libsrt is a C library; each call is beside the reason why it holds")]

use super::library::*;
use crate::destination::SrtOptions;
use socket2::SockAddr;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::OnceLock;

/// Connections that wait to be accepted.
const BACKLOG: c_int = 8;
/// LOG_CRIT: what matters comes back as an error.
const QUIET: c_int = 2;

/// Starts libsrt, once for the process. Its threads end with the process.
pub(super) fn start() -> io::Result<()> {
    static STARTED: OnceLock<bool> = OnceLock::new();
    // SAFETY: neither takes a pointer; startup may be called from any thread before anything else.
    let started = STARTED.get_or_init(|| unsafe {
        srt_setloglevel(QUIET);
        srt_startup() != FAILED
    });
    if *started { Ok(()) } else { Err(io::Error::other("libsrt does not start")) }
}

/// Ends the process, and libsrt with it as it stands.
///
/// Its own end, which `exit` calls, takes its locks in another order than a listener that is being called: one process in a hundred
/// waited for ever there, and some were aborted for a lock that was gone (libsrt 1.5.1).
pub fn leave(status: u8) -> ! {
    let _ = io::stdout().flush();
    // SAFETY: takes a number. Nothing of ours is left to be run: files were closed and logs written before.
    unsafe { libc::_exit(status.into()) }
}

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// libsrt sends it, as often as it must.
    Taken,
    /// There is no room: the line is slower than the feed.
    Full,
}

/// A socket, closed when it is dropped.
#[derive(Debug)]
pub(super) struct Socket(Handle);

impl Socket {
    fn new(options: &SrtOptions) -> io::Result<Self> {
        // SAFETY: takes nothing.
        let socket = Self(unsafe { srt_create_socket() });
        if socket.0 == FAILED {
            return Err(last_error());
        }
        let latency = c_int::try_from(options.latency.as_millis()).unwrap_or(c_int::MAX);
        socket.set(option::LATENCY, &latency.to_ne_bytes())?;
        socket.set(option::SEND_WAITS, &[0])?;
        // Nothing is waited for when it is closed: two fields of C's `struct linger`, both zero.
        socket.set(option::LINGER, &[0; 8])?;
        if let Some(passphrase) = &options.passphrase {
            socket.set(option::KEY_BYTES, &options.key_bytes.to_ne_bytes())?;
            socket.set(option::PASSPHRASE, passphrase.as_bytes())?;
        }
        Ok(socket)
    }

    /// Waits for callers at its address.
    pub(super) fn listen(options: &SrtOptions) -> io::Result<Self> {
        let socket = Self::new(options)?;
        socket.set(option::RECEIVE_WAITS, &[0])?;
        let address = SockAddr::from(options.address);
        // SAFETY: the address lives through the call and is as long as it says.
        status(unsafe { srt_bind(socket.0, address.as_ptr().cast(), length(&address)) })?;
        // SAFETY: takes no pointer.
        status(unsafe { srt_listen(socket.0, BACKLOG) })?;
        Ok(socket)
    }

    /// Calls its address; takes three seconds when nobody answers.
    pub(super) fn call(options: &SrtOptions) -> io::Result<Self> {
        let socket = Self::new(options)?;
        if let Some(id) = &options.stream_id {
            socket.set(option::STREAM_ID, id.as_bytes())?;
        }
        let address = SockAddr::from(options.address);
        // SAFETY: the address lives through the call and is as long as it says.
        let connected = status(unsafe { srt_connect(socket.0, address.as_ptr().cast(), length(&address)) });
        match connected {
            Ok(()) => Ok(socket),
            Err(error) => Err(io::Error::new(error.kind(), format!("{error} ({})", socket.reject_reason()))),
        }
    }

    /// The next who has called; `None`: nobody.
    pub(super) fn accept(&self) -> Option<(Self, SocketAddr)> {
        // SAFETY: libsrt writes an address no longer than told, and how long it is.
        let accepted = unsafe {
            SockAddr::try_init(|address, length| {
                // An address is 128 bytes at most.
                let mut told = *length as c_int;
                let handle = srt_accept(self.0, address.cast::<c_void>(), &mut told);
                *length = told.unsigned_abs();
                if handle == FAILED { Err(last_error()) } else { Ok(Self(handle)) }
            })
        };
        let (socket, address) = accepted.ok()?;
        Some((socket, address.as_socket().unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))))
    }

    /// Hands over one message.
    pub(super) fn send(&self, datagram: &[u8]) -> io::Result<Sent> {
        // Seven packets.
        let length = c_int::try_from(datagram.len()).unwrap_or(0);
        // SAFETY: the bytes live through the call, which copies them.
        let sent = unsafe { srt_send(self.0, datagram.as_ptr().cast(), length) };
        if sent != FAILED {
            return Ok(Sent::Taken);
        }
        // SAFETY: a null pointer means that the system's error number is not wanted.
        let code = unsafe { srt_getlasterror(std::ptr::null_mut()) };
        if code == NO_ROOM { Ok(Sent::Full) } else { Err(last_error()) }
    }

    fn set(&self, option: c_int, value: &[u8]) -> io::Result<()> {
        let length = c_int::try_from(value.len()).unwrap_or(0);
        // SAFETY: the value lives through the call, which copies it.
        status(unsafe { srt_setsockflag(self.0, option, value.as_ptr().cast(), length) })
    }

    fn reject_reason(&self) -> String {
        // SAFETY: takes a handle and a number; the text is a constant of the library.
        unsafe { text(srt_rejectreason_str(srt_getrejectreason(self.0))) }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: takes no pointer; the handle is ours and nobody uses it from here on.
        unsafe { srt_close(self.0) };
    }
}

/// At most 128.
fn length(address: &SockAddr) -> c_int {
    c_int::try_from(address.len()).unwrap_or(0)
}

fn status(code: c_int) -> io::Result<()> {
    if code == FAILED { Err(last_error()) } else { Ok(()) }
}

/// What libsrt says of this thread's last call.
fn last_error() -> io::Error {
    // SAFETY: the text is the library's, of this thread, and copied before the next call.
    io::Error::other(unsafe { text(srt_getlasterror_str()) })
}

/// # Safety
/// `text` is null, or a C string that lives through the call.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
