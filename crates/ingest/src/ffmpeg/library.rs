//! The library as a whole: its version, and how much it may say.

use ffmpeg_next as ff;
use std::ffi::CStr;
use std::sync::Once;

/// How much FFmpeg writes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Nothing: what matters comes back as errors and counts.
    Silent,
    /// Its own warnings as well, for someone who looks for the cause of a fault.
    Chatty,
}

/// Prepares FFmpeg for this process. May be called again; only the verbosity changes.
pub fn set_up(verbosity: Verbosity) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The only work left in it is the table of error texts; it cannot fail.
        let _ = ff::init();
    });
    ff::log::set_level(match verbosity {
        Verbosity::Silent => ff::log::Level::Quiet,
        Verbosity::Chatty => ff::log::Level::Info,
    });
}

/// Names the build that makes the bytes: part of every package's key, since another FFmpeg encodes differently.
pub fn build() -> String {
    #[expect(unsafe_code, reason = "no wrapper for av_version_info")]
    // SAFETY: av_version_info returns a static, zero-terminated string.
    let version = unsafe { CStr::from_ptr(ff::ffi::av_version_info()) }.to_string_lossy();
    format!(
        "{version} lavc {} lavf {} lavfi {}",
        triple(ff::codec::version()),
        triple(ff::format::version()),
        triple(ff::filter::version())
    )
}

fn triple(version: u32) -> String {
    format!("{}.{}.{}", version >> 16, version >> 8 & 0xff, version & 0xff)
}
