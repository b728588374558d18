//! The part of libsrt's interface that a live sender needs (srt/srt.h of 1.4.2 and later).

#![expect(unsafe_code, reason = "declarations of a C library")]

use std::ffi::{c_char, c_int, c_void};

/// `SRTSOCKET`
pub(super) type Handle = c_int;
/// `SRT_INVALID_SOCK`, and `SRT_ERROR` of calls that give a status.
pub(super) const FAILED: c_int = -1;
/// `SRT_EASYNCSND`: there is no room to send.
pub(super) const NO_ROOM: c_int = 6_001;

/// `SRT_SOCKOPT`
pub(super) mod option {
    use super::c_int;

    pub(in crate::srt) const SEND_WAITS: c_int = 1;
    pub(in crate::srt) const RECEIVE_WAITS: c_int = 2;
    pub(in crate::srt) const LINGER: c_int = 7;
    pub(in crate::srt) const LATENCY: c_int = 23;
    pub(in crate::srt) const PASSPHRASE: c_int = 26;
    pub(in crate::srt) const KEY_BYTES: c_int = 27;
    pub(in crate::srt) const STREAM_ID: c_int = 46;
}

unsafe extern "C" {
    pub(super) fn srt_startup() -> c_int;
    pub(super) fn srt_setloglevel(level: c_int);
    pub(super) fn srt_create_socket() -> Handle;
    pub(super) fn srt_close(socket: Handle) -> c_int;
    pub(super) fn srt_bind(socket: Handle, address: *const c_void, length: c_int) -> c_int;
    pub(super) fn srt_listen(socket: Handle, backlog: c_int) -> c_int;
    pub(super) fn srt_accept(socket: Handle, address: *mut c_void, length: *mut c_int) -> Handle;
    pub(super) fn srt_connect(socket: Handle, address: *const c_void, length: c_int) -> c_int;
    pub(super) fn srt_setsockflag(
        socket: Handle,
        option: c_int,
        value: *const c_void,
        length: c_int,
    ) -> c_int;
    pub(super) fn srt_send(socket: Handle, bytes: *const c_char, length: c_int) -> c_int;
    pub(super) fn srt_getlasterror(errno: *mut c_int) -> c_int;
    pub(super) fn srt_getlasterror_str() -> *const c_char;
    pub(super) fn srt_getrejectreason(socket: Handle) -> c_int;
    pub(super) fn srt_rejectreason_str(reason: c_int) -> *const c_char;
}
