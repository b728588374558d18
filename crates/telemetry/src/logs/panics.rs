//! What a thread says that panics: a line of the log, like any other.
//!
//! The standard library writes it to standard error by itself, and waits there for whoever reads. Where that one stands still, a core
//! that has caught a panic of one request would serve nobody any more.

use super::{LOST, QUEUE, WRITTEN_WITHIN};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::time::Duration;

/// Longest wait for the line to be written. As a rule that takes far less. Some panics end the process, and behind them nobody would
/// write it any more; which do cannot be known. A core that goes on is held no longer by a reader that stands still.
const TOLD_WITHIN: Duration = Duration::from_millis(20);

/// From here on panics are told in the log.
pub(super) fn tell() {
    std::panic::set_hook(Box::new(say));
}

fn say(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let is_main = thread.name() == Some("main");
    let thread = thread.name().unwrap_or("<unnamed>");
    let place = panic.location().map_or_else(|| "nowhere".to_owned(), ToString::to_string);
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let what = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
    // As the environment wishes (RUST_BACKTRACE), like the standard library.
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(thread, place, trace, "panicked: {what}");
    } else {
        // Whatever the filter says: this is no small talk.
        let trace = trace.unwrap_or_default();
        if !QUEUE.push(format!("thread '{thread}' panicked at {place}: {what}\n{trace}").as_bytes()) {
            LOST.inc();
        }
    }
    // The process ends with its main thread.
    QUEUE.wait_until_written(if is_main { WRITTEN_WITHIN } else { TOLD_WITHIN });
}

#[cfg(test)]
mod tests {
    use crate::{LogOptions, init};
    use std::io::{Read as _, Write as _};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    /// Set where this test runs itself again, as a process of its own.
    const CHILD: &str = "AIRCLASS_TEST_PANICS";

    fn again(filter: &str, stderr: impl Into<Stdio>) -> std::process::Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "logs::panics::tests::child", "--nocapture", "--test-threads=1"])
            .env(CHILD, filter)
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap()
    }

    /// Nothing but what the tests below start.
    #[test]
    fn child() {
        let Ok(filter) = std::env::var(CHILD) else { return };
        init(&LogOptions { log: Some(filter), ..LogOptions::default() }).unwrap();
        for number in 0..3 {
            let thread = std::thread::Builder::new().name("core".to_owned());
            thread.spawn(move || panic!("as is tried out {number}")).unwrap().join().unwrap_err();
        }
        super::super::finish_logs();
        std::process::exit(7);
    }

    #[test]
    fn a_panic_is_told_in_the_log_also_where_that_is_silent() {
        for filter in ["info", "off"] {
            let (mut said, stderr) = std::io::pipe().unwrap();
            let mut child = again(filter, stderr);
            let mut text = String::new();
            said.read_to_string(&mut text).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(7), "{text}");
            for number in 0..3 {
                assert!(text.contains("panicked") && text.contains(&format!("tried out {number}")), "{text}");
            }
        }
    }

    /// A reader that stands still, and a way to it that takes nothing more.
    fn full() -> (UnixStream, OwnedFd) {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.set_nonblocking(true).unwrap();
        for size in [1 << 12, 1] {
            while writer.write(&[0; 1 << 12][..size]).is_ok() {}
        }
        writer.set_nonblocking(false).unwrap();
        (reader, writer.into())
    }

    /// A core stood still for as long as whoever read its log.
    #[test]
    fn a_reader_that_stands_still_holds_nobody_who_panics() {
        let (reader, writer) = full();
        let mut child = again("info", writer);
        let (told, tells) = std::sync::mpsc::sync_channel(1);
        std::thread::spawn(move || told.send(child.wait()));
        let ended = tells.recv_timeout(Duration::from_secs(60)).expect("it ends");
        assert_eq!(ended.unwrap().code(), Some(7));
        drop(reader);
    }
}
