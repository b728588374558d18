//! Tracing to standard error, as text for people or JSON for machines. [`queue`] is between the two: nobody who logs waits for who reads.
//! What a thread says that panics goes the same way ([`panics`]).

mod panics;
mod queue;

use clap::ValueEnum;
use prometheus::IntCounter;
use queue::Queue;
use serde::{Deserialize, Serialize};
use std::io::{self, IsTerminal, Write};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a terminal.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// What to log and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
#[group(id = "logs")]
#[command(next_help_heading = "Logs [log]")]
pub struct LogOptions {
    /// Log line format [default: text]
    #[arg(long, env = "AIRCLASS_LOG_FORMAT", value_enum, global = true)]
    pub log_format: Option<LogFormat>,
    /// What to log: a level, or `target=level` pairs with commas [default: info]
    #[arg(long, env = "AIRCLASS_LOG", value_name = "FILTER", global = true)]
    pub log: Option<String>,
}

/// What a word without a target may be.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Longest wait for the last lines at the end of a process: who reads them has a queue's worth to read, or stands still.
const WRITTEN_WITHIN: Duration = Duration::from_secs(2);

/// Starts logging for the process, which ends with [`finish_logs`]. A second call changes nothing, so that tests may call it freely.
///
/// # Errors
/// The filter cannot be read; the text says where. Or the system gives no thread.
pub fn init(options: &LogOptions) -> Result<(), String> {
    let filter = filter(options)?;
    let terminal = io::stderr().is_terminal();
    // What the subscriber would say of a failed write goes to where writing has just failed, and panics there.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Lines).log_internal_errors(false);
    // An already installed subscriber stays: the first caller decides.
    match options.log_format.unwrap_or_default() {
        LogFormat::Text => {
            let builder = builder.with_ansi(terminal).with_filter_reloading();
            let handle = builder.reload_handle();
            if builder.try_init().is_ok() {
                start_writer().map_err(|error| error.to_string())?;
                panics::tell();
                let _ = REFILTER.set(Box::new(move |filter| handle.reload(filter).is_ok()));
            }
        }
        LogFormat::Json => {
            let builder = builder.json().with_filter_reloading();
            let handle = builder.reload_handle();
            if builder.try_init().is_ok() {
                start_writer().map_err(|error| error.to_string())?;
                panics::tell();
                let _ = REFILTER.set(Box::new(move |filter| handle.reload(filter).is_ok()));
            }
        }
    }
    Ok(())
}

/// Has lines written by a new thread, which is held by whatever holds the caller: a sandbox holds the threads that are started in it. The
/// one before ends as soon as its line is taken.
///
/// # Errors
/// When the system gives no thread. Then that one goes on.
pub fn renew_log_writer() -> io::Result<()> {
    if QUEUE.has_writer() { start_writer() } else { Ok(()) }
}

/// Waits until all that was logged is written, two seconds at most; whether it is. To be called last of all in a process: what is logged
/// behind it may not be written, and where it says no, whoever writes to standard error may wait for ever.
pub fn finish_logs() -> bool {
    QUEUE.wait_until_written(WRITTEN_WITHIN)
}

fn start_writer() -> io::Result<()> {
    let (writer, failed) = (QUEUE.next_writer(), || LOST.inc());
    let say = |lines| tracing::warn!(lines, "log lines before this one are lost: nobody took them");
    let write = move || QUEUE.write_to(writer, io::stderr(), failed, say);
    std::thread::Builder::new().name("log".to_owned()).spawn(write).map(drop)
}

/// Lines on their way to standard error, of which a process has one.
static QUEUE: Queue = Queue::new();

/// Lines that could not be written, of this process.
pub(crate) static LOST: LazyLock<IntCounter> = LazyLock::new(|| {
    IntCounter::new("airclass_log_lines_lost_total", "Log lines that standard error did not take")
        .expect("a constant name is valid")
});

/// Standard error that never fails and never waits: a service goes on when its disk is full, or whoever read its log has gone or
/// stands still.
struct Lines;

impl Write for Lines {
    /// The subscriber writes a line at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !QUEUE.push(line) {
            LOST.inc();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How the installed subscriber takes another filter.
static REFILTER: OnceLock<Box<dyn Fn(EnvFilter) -> bool + Send + Sync>> = OnceLock::new();

/// Logs from here on what `options` say; their format stays.
///
/// # Errors
/// The filter cannot be read; the text says where.
pub fn refilter(options: &LogOptions) -> Result<(), String> {
    let filter = filter(options)?;
    match REFILTER.get() {
        Some(refilter) if refilter(filter) => Ok(()),
        _ => Err("this process's logs were not set up here".to_owned()),
    }
}

/// Whether [`refilter`] can read `options`.
///
/// # Errors
/// The filter cannot be read; the text says where.
pub fn check(options: &LogOptions) -> Result<(), String> {
    filter(options).map(drop)
}

fn filter(options: &LogOptions) -> Result<EnvFilter, String> {
    let text = options.log.as_deref().unwrap_or("info");
    let example = |problem: String| format!("{problem}; write for example \"info,edge=debug\"");
    // The filter itself takes any other word for a target, of which nothing is heard, and silences the rest.
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let plain = |word: &&str| !word.is_empty() && !word.contains(['=', '[', ']', '{', '}']);
    if let Some(word) = text.split(',').filter(plain).find(|word| !is_level(word)) {
        return Err(example(format!("`{word}` is no level ({})", LEVELS.join(", "))));
    }
    EnvFilter::try_new(text).map_err(|error| example(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_refused_and_silences_nothing() {
        let said = |log: &str| check(&LogOptions { log: Some(log.to_owned()), ..LogOptions::default() });
        for log in ["warn", "off", "info,edge=debug", "INFO,edge::fill=trace", "info,[request{path=a}]=debug"]
        {
            assert_eq!(said(log), Ok(()), "{log}");
        }
        for log in ["inof", "warnn", "info,edge", "edge=inof"] {
            let problem = said(log).expect_err(log);
            assert!(problem.ends_with("write for example \"info,edge=debug\""), "{problem}");
        }
    }
}
